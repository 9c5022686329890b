"""Operations that make axes fewer, more, longer or shorter, or put them in another order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import tensorflow as tf

from grader.worker.tracing.tf_call import Call

_MOST_INDICES: Final = 1024


def reduction(kind: str) -> Callable[[Call], bool]:
    """A sum, mean, maximum or the like over axes."""

    def noted(call: Call) -> bool:
        axes = call.fixed(1)
        if axes is None:
            return False
        rank = len(call.inputs[0].shape)
        listed = sorted({int(axis) % rank for axis in axes.reshape(-1)}) if rank else []
        if not listed:
            return call.same()
        keepdims = bool(call.attributes.get("keep_dims", call.attributes.get("keepdims", False)))
        return call.add(kind, axis=listed, keepdims=keepdims)

    return noted


def reshape(call: Call) -> bool:
    """`Reshape`, also with the batch axis folded into another."""
    before, after = tuple(call.inputs[0].shape), tuple(call.output.shape)
    if before == after:
        return call.same()
    if not after:
        return False
    kind = "flatten" if len(after) == 2 and after[:1] == before[:1] else "reshape"
    return call.add(kind, target_shape=[int(side) for side in after[1:]])


def transpose(call: Call) -> bool:
    """`Transpose`."""
    order = call.fixed(1)
    if order is None:
        return False
    permutation = [int(axis) % max(1, order.size) for axis in order.reshape(-1)]
    if permutation == sorted(permutation):
        return call.same()
    return call.add("transpose", permutation=permutation)


def expand(call: Call) -> bool:
    """`ExpandDims`."""
    axis = call.fixed(1)
    if axis is None:
        return False
    return call.add("expand_dims", axis=int(axis.reshape(-1)[0]) % len(call.output.shape))


def squeeze(call: Call) -> bool:
    """`Squeeze`."""
    shape = call.inputs[0].shape
    given = call.attributes.get("squeeze_dims") or call.attributes.get("axis") or ()
    axes = sorted(int(axis) % len(shape) for axis in given)
    axes = axes or [axis for axis, side in enumerate(shape) if side == 1]
    return call.add("squeeze", axis=axes) if axes else call.same()


def concatenate(call: Call) -> bool:
    """`ConcatV2`; the last axis is told as −1."""
    axis = call.fixed(len(call.inputs) - 1)
    if axis is None:
        return False
    rank = len(call.output.shape)
    axis = int(axis) % rank
    config = {"axis": -1 if axis == rank - 1 else axis}
    if len(call.inputs) == 2:
        return call.same()
    return call.add("concatenate", tuple(range(len(call.inputs) - 1)), **config)


def stack(call: Call) -> bool:
    """`Pack`."""
    axis = int(call.attributes.get("axis", 0)) % len(call.output.shape)
    return call.add("stack", tuple(range(len(call.inputs))), axis=axis)


def _bits(call: Call, name: str) -> Callable[[int], bool]:
    mask = int(call.attributes.get(name, 0))
    return lambda position: bool(mask >> position & 1)


def strided_slice(call: Call) -> bool:
    """`StridedSlice`: what square brackets do."""
    begin, end, strides = call.fixed(1), call.fixed(2), call.fixed(3)
    if begin is None or end is None or strides is None:
        return False
    no_begin, no_end = _bits(call, "begin_mask"), _bits(call, "end_mask")
    ellipsis, new = _bits(call, "ellipsis_mask"), _bits(call, "new_axis_mask")
    single = _bits(call, "shrink_axis_mask")
    count = len(begin)
    used = sum(1 for at in range(count) if not new(at) and not ellipsis(at))
    index: list[Any] = []
    for at in range(count):
        if ellipsis(at):
            index += [[None, None, None]] * (len(call.inputs[0].shape) - used)
        elif new(at):
            index.append("newaxis")
        elif single(at):
            index.append(int(begin[at]))
        else:
            step = int(strides[at])
            index.append(
                [
                    None if no_begin(at) else int(begin[at]),
                    None if no_end(at) else int(end[at]),
                    None if step == 1 else step,
                ]
            )
    return _sliced(call, 0, call.output, index)


def _sliced(call: Call, position: int, output: Any, index: list[Any]) -> bool:
    whole = [None, None, None]
    if index and isinstance(index[0], list):
        low, high, step = index[0]
        # `x[0:batch]` takes all rows, however many there are.
        if low in (None, 0) and high in (None, call.trace.batch) and step is None:
            index = [whole, *index[1:]]
    while index and index[-1] == whole:
        index = index[:-1]
    source = call.node(position)
    if not index:
        call.trace.remember(output, source)
    else:
        call.trace.operation("slice", (source,), output, {"index": index})
    return True


def slice_(call: Call) -> bool:
    """`Slice`: begins and lengths."""
    begin, size = call.fixed(1), call.fixed(2)
    if begin is None or size is None:
        return False
    index = []
    for low, length, side in zip(begin, size, call.inputs[0].shape, strict=True):
        to_end = length == -1 or low + length == side
        high = None if to_end else int(low + length)
        index.append([int(low) or None, high, None])
    return _sliced(call, 0, call.output, index)


def split(call: Call) -> bool:
    """`Split` and `SplitV`: a slice for each output."""
    position, axes = (1, 0) if call.name == "Split" else (0, 2)
    axis = call.fixed(axes)
    if axis is None:
        return False
    at, start = int(axis) % len(call.inputs[position].shape), 0
    for output in call.outputs:
        length = int(output.shape[at])
        index: list[Any] = [[None, None, None] for _ in range(at)]
        _sliced(call, position, output, [*index, [start or None, start + length, None]])
        start += length
    return True


def unstack(call: Call) -> bool:
    """`Unpack`: an index for each output."""
    at = int(call.attributes.get("axis", 0)) % len(call.inputs[0].shape)
    for number, output in enumerate(call.outputs):
        index: list[Any] = [[None, None, None] for _ in range(at)]
        _sliced(call, 0, output, [*index, number])
    return True


def tile(call: Call) -> bool:
    """`Tile`."""
    multiples = call.fixed(1)
    if multiples is None:
        return False
    return call.add("tile", multiples=[int(times) for times in multiples])


def broadcast(call: Call) -> bool:
    """`BroadcastTo` another length of axes that are there."""
    before, after = tuple(call.inputs[0].shape), tuple(call.output.shape)
    if before == after:
        return call.same()
    if len(before) != len(after) or 0 in before:
        return False
    return call.add("tile", multiples=[int(b // a) for a, b in zip(before, after, strict=True)])


def pad(call: Call) -> bool:
    """`Pad`, `PadV2` and `MirrorPad`."""
    paddings = call.fixed(1)
    value = call.fixed(2) if call.name == "PadV2" else np.zeros(1)
    if paddings is None or value is None:
        return False
    mode = call.attributes.get("mode", b"CONSTANT")
    return call.add(
        "pad",
        paddings=[[int(side) for side in pair] for pair in paddings],
        mode=mode.decode() if isinstance(mode, bytes) else str(mode),
        value=float(value.reshape(-1)[0]),
    )


def gather(call: Call) -> bool:
    """`GatherV2` with indices that do not depend on the input."""
    indices, axis = call.fixed(1), call.fixed(2)
    if indices is None or axis is None or indices.size > _MOST_INDICES or indices.ndim > 1:
        return False
    at = int(axis) % len(call.inputs[0].shape)
    if indices.ndim == 0:
        whole: list[Any] = [[None, None, None] for _ in range(at)]
        return _sliced(call, 0, call.output, [*whole, int(indices)])
    return call.add("gather", indices=[int(index) for index in indices], axis=at)


def one_hot(call: Call) -> bool:
    """`OneHot`."""
    depth, on, off = call.fixed(1), call.fixed(2), call.fixed(3)
    if depth is None or on is None or off is None:
        return False
    axis = call.attributes.get("axis")
    return call.add(
        "one_hot",
        depth=int(depth),
        axis=-1 if axis is None else int(axis),
        on=float(on),
        off=float(off),
        dtype=call.output.dtype.name,
    )


def arg_max(call: Call) -> bool:
    """`ArgMax`."""
    axis = call.fixed(1)
    if axis is None or call.output.dtype != tf.int64:
        return False
    return call.add("arg_max", axis=int(axis) % len(call.inputs[0].shape))


def reverse(call: Call) -> bool:
    """`ReverseV2`."""
    axes = call.fixed(1)
    if axes is None:
        return False
    return call.add("reverse", axis=[int(a) % len(call.inputs[0].shape) for a in axes])


def resize(method: str) -> Callable[[Call], bool]:
    """The size of images, as `tf.image.resize` changes it."""

    def noted(call: Call) -> bool:
        size, given = call.fixed(1), call.attributes
        if size is None or given.get("align_corners") or not given.get("half_pixel_centers"):
            return False
        return call.add("resize", size=[int(side) for side in size], method=method)

    return noted


def pool(kind: str) -> Callable[[Call], bool]:
    """Maximum or mean of windows of an image, channels last."""

    def noted(call: Call) -> bool:
        given = call.attributes
        size, strides = given.get("ksize") or (), given.get("strides") or ()
        formats = given.get("data_format", b"NHWC")
        if formats not in (b"NHWC", "NHWC") or len(size) != 4 or len(strides) != 4:
            return False
        padding = given.get("padding", b"VALID")
        padding = padding.decode() if isinstance(padding, bytes) else str(padding)
        return call.add(
            kind, pool_size=[int(side) for side in size[1:3]],
            strides=[int(side) for side in strides[1:3]], padding=padding,
        )  # fmt: skip

    return noted
