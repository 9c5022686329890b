"""TensorFlow operations between layers, one by one, as nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from grader.worker.tracing import tf_axes, tf_numbers
from grader.worker.tracing.by_numbers import identify
from grader.worker.tracing.record import Aside, Trace
from grader.worker.tracing.sources import aside_of, resolve
from grader.worker.tracing.tf_call import Call

_VARIABLES: Final = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd"})
_RANDOM: Final = ("Random", "Stateless", "Truncated", "Parameterized", "Multinomial", "PyFunc",
                  "EagerPyFunc")  # fmt: skip
_SHAPES: Final = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})
_SAME: Final = frozenset(
    {"Identity", "IdentityN", "Snapshot", "CheckNumerics", "EnsureShape", "DeepCopy", "Copy"}
)
_MOST_COMPARED: Final = 1 << 14
"""The most numbers of an operation that is not known by name, for it to be tried by its numbers."""


def note(
    trace: Trace, name: str, inputs: tuple[Any, ...], attributes: dict[str, Any],
    outputs: tuple[Any, ...],
) -> None:  # fmt: skip
    """Takes an operation into account that was run outside known layers.

    Args:
        trace: what has been found so far.
        name: of the operation.
        inputs: tensors it read.
        attributes: its settings.
        outputs: tensors it made.
    """
    asides = [aside_of(trace, value) for value in inputs]
    variables = frozenset[tuple[int, int]]().union(
        *(aside.variables for aside in asides if aside is not None)
    )
    if name in _VARIABLES:
        trace.keep_alive.extend(inputs)
        variables |= {(id(inputs[0]), _size(inputs[0], outputs[0]))}
    traced = [value for value, aside in zip(inputs, asides, strict=True) if aside is None]
    fixed = not variables and all(aside is None or aside.fixed for aside in asides)
    fixed = fixed and not name.startswith(_RANDOM)
    if not traced or name in _SHAPES:
        for value in outputs:
            trace.set_aside(value, Aside(value, fixed, variables))
        return
    call = Call(trace, name, inputs, attributes, outputs)
    if fixed and name in _KNOWN and _noted(call):
        return
    small = len(outputs) == 1 and int(np.prod(outputs[0].shape)) <= _MOST_COMPARED
    if fixed and small and identify(trace, outputs[0]) is not None:
        return
    sources = [resolve(trace, value) for value in traced]
    for value in outputs:
        if id(value) not in trace.by_identity:
            trace.unknown(sources, value, variables)


def _noted(call: Call) -> bool:
    try:
        return _KNOWN[call.name](call)
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError):
        return False  # an operation with settings that no network of this subject has


def _size(handle: Any, value: Any) -> int:
    data = getattr(handle, "_handle_data", None)
    if data is not None and data.shape_and_type:
        sides = [side.size for side in data.shape_and_type[0].shape.dim]
        return int(np.prod(sides)) if all(side >= 0 for side in sides) else 0
    return int(np.prod(value.shape))


_KNOWN: Final[dict[str, Callable[[Call], bool]]] = {
    **{name: Call.same for name in _SAME if name != "IdentityN"},
    **{
        name: tf_numbers.unary(kind)
        for name, kind in {
            "Relu": "relu", "Relu6": "relu6", "Elu": "elu", "Selu": "selu", "Sigmoid": "sigmoid",
            "Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign", "Softmax": "softmax",
            "LogSoftmax": "log_softmax", "Exp": "exponential", "Log": "log", "Log1p": "log1p",
            "Expm1": "expm1", "Abs": "absolute", "Square": "square", "Sqrt": "sqrt",
            "Rsqrt": "rsqrt", "Sign": "sign", "Floor": "floor", "Ceil": "ceil", "Round": "round",
            "Rint": "round", "Erf": "erf", "Erfc": "erfc",
            "Reciprocal": "reciprocal", "Inv": "reciprocal", "LogicalNot": "logical_not",
            "StopGradient": "stop_gradient", "PreventGradient": "stop_gradient",
        }.items()
    },
    **{
        name: tf_numbers.binary(kind)
        for name, kind in {
            "AddV2": "add", "Add": "add", "BiasAdd": "add", "Sub": "subtract", "Mul": "multiply",
            "RealDiv": "divide", "Div": "divide", "Maximum": "maximum", "Minimum": "minimum",
            "Pow": "power", "FloorMod": "modulo", "FloorDiv": "floor_divide",
            "SquaredDifference": "squared_difference", "Greater": "greater",
            "GreaterEqual": "greater_equal", "Less": "less", "LessEqual": "less_equal",
            "Equal": "equal", "NotEqual": "not_equal", "LogicalAnd": "logical_and",
            "LogicalOr": "logical_or",
        }.items()
    },
    **{
        name: tf_axes.reduction(kind)
        for name, kind in {
            "Mean": "reduce_mean", "Sum": "reduce_sum", "Max": "reduce_max", "Min": "reduce_min",
            "Prod": "reduce_prod", "All": "reduce_all", "Any": "reduce_any",
        }.items()
    },
    **dict.fromkeys(
        ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"), tf_numbers.matmul
    ),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), tf_axes.pad),
    **dict.fromkeys(("Select", "SelectV2"), tf_numbers.several("where")),
    **dict.fromkeys(("Split", "SplitV"), tf_axes.split),
    "AddN": tf_numbers.several("add"),
    "ArgMax": tf_axes.arg_max,
    "AvgPool": tf_axes.pool("avg_pool"),
    "BroadcastTo": tf_axes.broadcast,
    "Cast": tf_numbers.cast,
    "ClipByValue": tf_numbers.clip,
    "ConcatV2": tf_axes.concatenate,
    "Einsum": tf_numbers.einsum,
    "ExpandDims": tf_axes.expand,
    "GatherV2": tf_axes.gather,
    "LeakyRelu": tf_numbers.leaky,
    "MaxPool": tf_axes.pool("max_pool"),
    "Neg": tf_numbers.negative,
    "OneHot": tf_axes.one_hot,
    "Pack": tf_axes.stack,
    "Reshape": tf_axes.reshape,
    "ResizeBilinear": tf_axes.resize("bilinear"),
    "ResizeNearestNeighbor": tf_axes.resize("nearest"),
    "ReverseV2": tf_axes.reverse,
    "Slice": tf_axes.slice_,
    "Squeeze": tf_axes.squeeze,
    "StridedSlice": tf_axes.strided_slice,
    "Tile": tf_axes.tile,
    "Transpose": tf_axes.transpose,
    "Unpack": tf_axes.unstack,
}  # fmt: skip
"""What is made of each operation, by TensorFlow's name for it; `False` means nothing."""
