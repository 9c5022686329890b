"""The layer families of Keras that are understood, and the attributes a teacher would mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Value = bool | int | float | str | tuple[int, ...]


class Attribute(StrEnum):
    """What is compared between two layers of one kind; named as Keras names its arguments."""

    FILTERS = "filters"
    KERNEL_SIZE = "kernel_size"
    STRIDES = "strides"
    PADDING = "padding"
    DEPTH_MULTIPLIER = "depth_multiplier"
    UNITS = "units"
    POOL_SIZE = "pool_size"
    RATE = "rate"
    STDDEV = "stddev"
    ACTIVATION = "activation"
    RECURRENT_ACTIVATION = "recurrent_activation"
    RETURN_SEQUENCES = "return_sequences"
    BIDIRECTIONAL = "bidirectional"
    """How the two directions are merged (`concat`, `sum`, …), or `no`."""
    GO_BACKWARDS = "go_backwards"
    STATEFUL = "stateful"
    DROPOUT = "dropout"
    RECURRENT_DROPOUT = "recurrent_dropout"
    INPUT_DIM = "input_dim"
    OUTPUT_DIM = "output_dim"
    MASK_ZERO = "mask_zero"
    MASK_VALUE = "mask_value"
    TARGET_SHAPE = "target_shape"
    DIMS = "dims"
    N = "n"
    NUM_HEADS = "num_heads"
    KEY_DIM = "key_dim"
    VALUE_DIM = "value_dim"
    CAUSAL = "use_causal_mask"
    USE_SCALE = "use_scale"
    SCORE_MODE = "score_mode"
    AXIS = "axis"
    AXES = "axes"
    NORMALIZE = "normalize"
    KEEPDIMS = "keepdims"
    BASELINE = "baseline"
    """What a dueling merge takes from the advantages: their `mean`, their `max`, or `nothing`."""
    DATA_FORMAT = "data_format"
    DILATION_RATE = "dilation_rate"
    GROUPS = "groups"
    USE_BIAS = "use_bias"
    PER_STEP = "time_distributed"
    WEIGHTS = "weights"
    """`own`, or `shared` with an earlier use of the same layer."""
    READS = "reads"
    """Where the input comes from."""


@dataclass(frozen=True)
class Family:
    """One kind of layer.

    Attributes:
        judged: the attributes that a description of it always names.
        options: further attributes with the value Keras gives them by default.
        rank: spatial axes its windows slide over; 0 where it has none.
    """

    judged: tuple[Attribute, ...] = ()
    options: Mapping[Attribute, Value] = field(default_factory=dict)
    rank: int = 0


A = Attribute
_OWN: Final[dict[Attribute, Value]] = {A.USE_BIAS: True, A.WEIGHTS: "own"}


def _convolution(rank: int, *, transpose: bool = False) -> Family:
    options: dict[Attribute, Value] = {A.DATA_FORMAT: "channels_last", A.DILATION_RATE: (1,) * rank}
    if not transpose:
        options[A.GROUPS] = 1
    return Family(
        (A.FILTERS, A.KERNEL_SIZE, A.STRIDES, A.PADDING, A.ACTIVATION), options | _OWN, rank
    )


def _separable(rank: int) -> Family:
    return Family(
        (A.FILTERS, A.KERNEL_SIZE, A.STRIDES, A.PADDING, A.ACTIVATION),
        {
            A.DEPTH_MULTIPLIER: 1,
            A.DATA_FORMAT: "channels_last",
            A.DILATION_RATE: (1,) * rank,
            **_OWN,
        },
        rank,
    )


def _depthwise(rank: int) -> Family:
    return Family(
        (A.KERNEL_SIZE, A.STRIDES, A.PADDING, A.DEPTH_MULTIPLIER, A.ACTIVATION),
        {A.DATA_FORMAT: "channels_last", A.DILATION_RATE: (1,) * rank, **_OWN},
        rank,
    )


def _pooling(rank: int) -> Family:
    return Family((A.POOL_SIZE, A.STRIDES, A.PADDING), {A.DATA_FORMAT: "channels_last"}, rank)


def _recurrent(*, gates: bool) -> Family:
    options: dict[Attribute, Value] = {
        A.GO_BACKWARDS: False, A.STATEFUL: False, A.DROPOUT: 0.0, A.RECURRENT_DROPOUT: 0.0,
    }  # fmt: skip
    if gates:
        options[A.RECURRENT_ACTIVATION] = "sigmoid"
    return Family((A.UNITS, A.RETURN_SEQUENCES, A.BIDIRECTIONAL, A.ACTIVATION), options | _OWN)


_RANKS: Final = (1, 2, 3)
_MERGING: Final = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")

FAMILIES: Final[Mapping[str, Family]] = {
    "Dense": Family((A.UNITS, A.ACTIVATION), _OWN),
    "Activation": Family((A.ACTIVATION,)),
    "Embedding": Family((A.INPUT_DIM, A.OUTPUT_DIM, A.MASK_ZERO), {A.WEIGHTS: "own"}),
    "Masking": Family((A.MASK_VALUE,)),
    "Flatten": Family(),
    "Reshape": Family((A.TARGET_SHAPE,)),
    "Permute": Family((A.DIMS,)),
    "RepeatVector": Family((A.N,)),
    "Dropout": Family((A.RATE,)),
    "SpatialDropout1D": Family((A.RATE,)),
    "SpatialDropout2D": Family((A.RATE,)),
    "GaussianDropout": Family((A.RATE,)),
    "GaussianNoise": Family((A.STDDEV,)),
    **{f"Conv{rank}D": _convolution(rank) for rank in _RANKS},
    **{f"Conv{rank}DTranspose": _convolution(rank, transpose=True) for rank in _RANKS},
    **{f"SeparableConv{rank}D": _separable(rank) for rank in (1, 2)},
    **{f"DepthwiseConv{rank}D": _depthwise(rank) for rank in (1, 2)},
    **{f"{kind}Pooling{rank}D": _pooling(rank) for kind in ("Max", "Average") for rank in _RANKS},
    **{
        f"Global{kind}Pooling{rank}D": Family(
            (), {A.KEEPDIMS: False, A.DATA_FORMAT: "channels_last"}
        )
        for kind in ("Max", "Average")
        for rank in _RANKS
    },
    "BatchNormalization": Family((), {A.AXIS: -1, A.WEIGHTS: "own"}),
    "LayerNormalization": Family((), {A.AXIS: -1, A.WEIGHTS: "own"}),
    "GroupNormalization": Family((A.GROUPS,), {A.AXIS: -1, A.WEIGHTS: "own"}),
    "RMSNormalization": Family((), {A.AXIS: -1, A.WEIGHTS: "own"}),
    "UnitNormalization": Family((), {A.AXIS: -1}),
    "SimpleRNN": _recurrent(gates=False),
    "LSTM": _recurrent(gates=True),
    "GRU": _recurrent(gates=True),
    "MultiHeadAttention": Family(
        (A.NUM_HEADS, A.KEY_DIM),
        {A.VALUE_DIM: 0, A.CAUSAL: False, A.DROPOUT: 0.0, **_OWN},
    ),
    "Attention": Family((A.USE_SCALE, A.SCORE_MODE), {A.CAUSAL: False, A.DROPOUT: 0.0}),
    "AdditiveAttention": Family((A.USE_SCALE,), {A.CAUSAL: False, A.DROPOUT: 0.0}),
    **{kind: Family() for kind in _MERGING},
    "Concatenate": Family((A.AXIS,)),
    "Dot": Family((A.AXES,), {A.NORMALIZE: False}),
    "Dueling": Family((A.BASELINE,)),
}
"""By Keras class name. `Dueling` is the merge of Wang et al. 2016, Dueling Network Architectures,
equations 8 and 9: `value + (advantage − mean(advantage))`; Keras has no layer for it."""

COMMUTATIVE: Final = frozenset({"Add", "Multiply", "Average", "Maximum", "Minimum"})
"""Merges whose inputs may stand in any order."""

MERGES: Final = frozenset({*_MERGING, "Concatenate", "Dot", "Dueling"})
"""Kinds that bring several layers together."""

SEVERAL_INPUTS: Final = MERGES | {"MultiHeadAttention", "Attention", "AdditiveAttention"}
"""Kinds that read more than one layer."""
