"""Pictures of what a proven network does to four frames of Breakout.

Only a network that the inspector has rebuilt is asked: what the student's process would say of
values inside its network is a claim. Beside it stands the part of the network asked for that has
feature maps. Where one of its kernels has the shape of the student's, it gets the student's, so
that two pictures side by side differ by the layers alone; otherwise its kernels are drawn as in He
et al. 2015 (arXiv:1502.01852), section 2.2.

Nothing here decides a mark, and nothing that goes wrong here may cost one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.errors import GraderFault
from grader.probes.context import ProbeContext
from grader.probes.expected_stack import ExpectedLayer, expected_stack, seeded_kernel
from grader.probes.frames import frames_of_shape
from grader.probes.inspection import ask_inspector
from grader.probes.map_tiles import expected_kernels, map_pair, received_kernels
from grader.probes.received_convolutions import (
    ReceivedConvolution,
    kernel_shape_of,
    maps_last,
    received_convolutions,
)
from grader.probes.worked_pixel import worked_pixel
from grader.records.arithmetic import evaluate
from grader.records.arrays import ArrayRecord
from grader.records.messages import PictureValues
from grader.records.network_evidence import (
    NetworkGraph,
    NetworkProof,
    ProofMethod,
)
from grader.records.network_pictures import (
    NetworkPictures,
    NoPictures,
)
from grader.records.network_settings import NetworkSettings
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident

Array = npt.NDArray[Any]

MAX_CONVOLUTIONS: Final = 6
_MIN_SIDE: Final = 8
_MAX_INPUT_SIDE: Final = 256
_MAX_INPUT_CHANNELS: Final = 16
_MAX_VALUES: Final = 1 << 21
"""Numbers in all feature maps together, 8 MiB as float32."""


def network_pictures(
    context: ProbeContext,
    shape: tuple[int, ...],
    graph: NetworkGraph | None,
    weights: tuple[Array, ...],
    proof: NetworkProof | None,
) -> NetworkPictures | None:
    """Pictures of the network; None for one that reads no image.

    Args:
        context: the part.
        shape: of the network's input, batch axis left out.
        graph: what the network consists of.
        weights: the arrays its nodes refer to.
        proof: whether the inspector has rebuilt it.

    Raises:
        GraderFault: there is no inspector; the operator must act.
    """
    try:
        return _pictures(context, shape, graph, weights, proof)
    except WorkerIncident as error:
        why = clean_line(error.incident.message, 200)
        return NetworkPictures(absent=NoPictures.BROKEN, message=why)
    except GraderFault:
        raise
    except Exception as error:  # noqa: BLE001  a picture must not cost anybody the mark
        return NetworkPictures(absent=NoPictures.BROKEN, message=type(error).__name__)


def _pictures(
    context: ProbeContext,
    shape: tuple[int, ...],
    graph: NetworkGraph | None,
    weights: tuple[Array, ...],
    proof: NetworkProof | None,
) -> NetworkPictures | None:
    channels_axis = _channels_axis(shape)
    if channels_axis is None:
        return None
    if graph is None or proof is None or proof.method is not ProofMethod.REBUILT:
        return NetworkPictures(absent=NoPictures.NOT_REBUILT)
    if len(graph.input_shapes) != 1:
        return NetworkPictures(absent=NoPictures.SEVERAL_INPUTS)
    everything = received_convolutions(graph, weights)
    found = everything[:MAX_CONVOLUTIONS]
    if not found:
        return NetworkPictures(absent=NoPictures.NO_CONVOLUTION)
    if sum(int(np.prod(item.shown.output_shape)) for item in found) > _MAX_VALUES:
        return NetworkPictures(absent=NoPictures.TOO_LARGE)

    settings: NetworkSettings = context.settings
    frames = frames_of_shape(_channels_last(shape, channels_axis))
    image = _in_range(frames, settings)
    stack = expected_stack(settings, frames.shape[-1], MAX_CONVOLUTIONS)
    expected = tuple(layer for layer in stack if layer.kernel_shape is not None)
    pairs = pair_up([kernel_shape_of(item) for item in found], [e.kernel_shape for e in expected])
    drawn = _stack_weights(found, expected, pairs)
    answer = ask_inspector(
        context.source,
        PictureValues(
            graph=graph.plain(),
            weights=weights,
            inputs=np.moveaxis(image, -1, channels_axis)[None],
            nodes=tuple(item.shown.index for item in found),
            entry=found[0].node.inputs[0],
            image=image[None],
            stack=tuple({"kind": item.kind, "settings": item.settings} for item in stack),
            stack_weights=tuple(array for pair in drawn for array in pair),
        ),
        "looking at the network's feature maps",
    )
    received = [
        maps_last(item, np.asarray(value))
        for item, value in zip(found, answer["values"], strict=True)
    ]
    wanted = [np.asarray(value)[0] for value in answer["expected"]]
    shown = tuple(
        map_pair(
            None if one is None else (found[one], received[one]),
            # One that does not fit behind those before it has no maps.
            None if other is None or other >= len(wanted) else (expected[other], wanted[other]),
        )
        for one, other in pairs
        if one is not None or (other is not None and other < len(wanted))
    )
    return NetworkPictures(
        frames=ArrayRecord.of(frames),
        resized=frames.shape != (84, 84, 4),
        received_kernels=received_kernels(found[0]),
        expected_kernels=expected_kernels(expected),
        convolutions=shown,
        left_out=len(everything) - len(found),
        pixel=worked_pixel(found[0], received[0], np.asarray(answer["entry"][0])[0], shown),
    )


# --- the image ----------------------------------------------------------------------------------


def _channels_axis(shape: tuple[int, ...]) -> int | None:
    """The axis of an image's channels, −1 or 0; None for what is no image."""
    if len(shape) != 3:
        return None
    for axis in (-1, 0):
        sides = shape[:-1] if axis == -1 else shape[1:]
        small = shape[axis] <= _MAX_INPUT_CHANNELS
        if small and min(sides) >= _MIN_SIDE and max(sides) <= _MAX_INPUT_SIDE:
            return axis
    return None


def _channels_last(shape: tuple[int, ...], channels_axis: int) -> tuple[int, int, int]:
    height, width, channels = shape if channels_axis == -1 else (*shape[1:], shape[0])
    return height, width, channels


def _in_range(frames: npt.NDArray[np.uint8], settings: NetworkSettings) -> npt.NDArray[np.float32]:
    """The frames in the range of values that the assignment feeds the network with."""
    arguments = settings.builder_arguments[0]
    low, high = (
        float(evaluate(bound, arguments)) if isinstance(bound, str) else float(bound)
        for bound in settings.network_inputs[0].range
    )
    return (low + frames.astype(np.float64) * ((high - low) / 255)).astype(np.float32)


# --- pairs --------------------------------------------------------------------------------------


def pair_up(
    received: list[tuple[int, ...] | None], expected: list[tuple[int, ...] | None]
) -> list[tuple[int | None, int | None]]:
    """Which convolutions belong together, in order: equal kernels first, then those between them.

    Args:
        received: shapes of the student's kernels; None pairs with nothing in particular.
        expected: shapes of the kernels asked for.

    Returns:
        Indices into both, None where there is no counterpart.
    """
    pairs: list[tuple[int | None, int | None]] = []
    at_received = at_expected = 0
    for one, other in [*_common(received, expected), (len(received), len(expected))]:
        left, right = range(at_received, one), range(at_expected, other)
        pairs.extend(
            (
                left[step] if step < len(left) else None,
                right[step] if step < len(right) else None,
            )
            for step in range(max(len(left), len(right)))
        )
        if one < len(received):
            pairs.append((one, other))
        at_received, at_expected = one + 1, other + 1
    return pairs


def _common(
    first: list[tuple[int, ...] | None], second: list[tuple[int, ...] | None]
) -> list[tuple[int, int]]:
    """Places of a longest common subsequence."""
    longest: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for one in range(len(first) + 1):
        for other in range(len(second) + 1):
            if one == 0 or other == 0:
                longest[one, other] = []
            elif first[one - 1] is not None and first[one - 1] == second[other - 1]:
                longest[one, other] = [*longest[one - 1, other - 1], (one - 1, other - 1)]
            else:
                longest[one, other] = max(longest[one - 1, other], longest[one, other - 1], key=len)
    return longest[len(first), len(second)]


def _stack_weights(
    found: list[ReceivedConvolution],
    expected: tuple[ExpectedLayer, ...],
    pairs: list[tuple[int | None, int | None]],
) -> list[tuple[Array, Array]]:
    """Kernel and bias of each convolution asked for: the student's where they fit."""
    counterpart = {other: one for one, other in pairs if other is not None}
    drawn: list[tuple[Array, Array]] = []
    for number, layer in enumerate(expected):
        assert layer.kernel_shape is not None
        one = counterpart.get(number)
        zeros = np.zeros(layer.kernel_shape[-1], np.float32)
        kernel = None if one is None else found[one].kernel
        if one is not None and kernel is not None and kernel.shape == layer.kernel_shape:
            bias = found[one].bias
            drawn.append((kernel, zeros if bias is None else bias))
        else:
            drawn.append((seeded_kernel(layer.kernel_shape, number), zeros))
    return drawn
