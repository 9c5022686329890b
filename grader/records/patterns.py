"""The pattern language for networks: what an assignment asks of each layer.

An attribute holds a value that must be met exactly, a range (`{min = 64}`), alternatives
(`{one_of = [...]}`), or `"any"`. A number may be an expression of the builder's arguments, such as
`"num_actions"` or `"2 * units"`. Entries whose `layer` is written in small letters are no layers:
`any_of` (alternatives), `repeat` (a block several times), `preprocessing` and `anything` (layers
that cost nothing in this place).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from grader.records.base import Record
from grader.records.spec import Identifier

Size = Annotated[int, Field(ge=1, le=1 << 20)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Expression = Annotated[str, StringConstraints(pattern=r"^[a-z_0-9][A-Za-z_0-9 +*/()-]{0,79}$")]
"""Whole-number arithmetic with the builder's arguments; `//` divides and rounds down."""
Sides = Annotated[tuple[Size, ...], Field(min_length=1, max_length=3)]
"""One whole number for each side of a window."""
ActivationName = Literal[
    "linear", "relu", "sigmoid", "tanh", "softmax", "softplus", "elu", "selu", "gelu", "silu",
    "leaky_relu", "relu6", "mish", "softsign", "hard_sigmoid", "hard_silu", "exponential",
    "log_softmax",
]  # fmt: skip


class Between(Record):
    """A range, both ends included."""

    min: Finite | None = None
    max: Finite | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a range needs `min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"nothing is at least {self.min:g} and at most {self.max:g}")
        return self


class OneSize(Record):
    """One of several whole numbers."""

    one_of: Annotated[tuple[Size | Expression, ...], Field(min_length=1)]


class OneWindow(Record):
    """One of several windows."""

    one_of: Annotated[tuple[Size | Sides, ...], Field(min_length=1)]


class OneActivation(Record):
    """One of several activations."""

    one_of: Annotated[tuple[ActivationName, ...], Field(min_length=1)]


class OneWord(Record):
    """One of several words."""

    one_of: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(min_length=1)]


Whole = Size | Expression | Between | OneSize
Window = Size | Sides | Between | OneWindow | Literal["any"]
Share = Annotated[float, Field(ge=0, lt=1)] | Between | Literal["any"]
Activation = ActivationName | OneActivation | Literal["any"]
Flag = bool | Literal["any"]
Padding = Literal["valid", "same", "any"]
DataFormat = Literal["channels_last", "channels_first", "any"]
MergeMode = Literal["no", "concat", "sum", "ave", "mul", "any"]


class Entry(Record):
    """One entry of the list of layers."""

    weight: float = Field(default=1.0, gt=0)
    """Share of the check's points relative to the other layers."""
    name: Identifier | None = None
    """What other entries call it in `reads`."""
    reads: tuple[Identifier, ...] = ()
    """Names of the entries or inputs it reads; when left out, the entry before."""
    optional: bool = False
    """Whether it may be left out; it then earns nothing and costs nothing."""


class DensePattern(Entry):
    """A fully connected layer."""

    layer: Literal["Dense"]
    units: Whole
    activation: Activation = "linear"
    use_bias: Flag = True


class ActivationPattern(Entry):
    """An activation that does not belong to the layer before it."""

    layer: Literal["Activation"]
    activation: Activation


class EmbeddingPattern(Entry):
    """A table of vectors for numbered words."""

    layer: Literal["Embedding"]
    input_dim: Whole | Literal["any"] = "any"
    output_dim: Whole
    mask_zero: Flag = "any"


class MaskingPattern(Entry):
    """Marks the steps of a sequence that are padding."""

    layer: Literal["Masking"]
    mask_value: Finite = 0.0


class PlainPattern(Entry):
    """A layer that has nothing to set."""

    layer: Literal[
        "BatchNormalization", "LayerNormalization", "RMSNormalization",
        "UnitNormalization", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
        "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
        "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    ]  # fmt: skip


class FlattenPattern(Entry):
    """All numbers in one row."""

    layer: Literal["Flatten"]
    weight: float = Field(default=0.5, gt=0)


class ReshapePattern(Entry):
    """Another shape for the same numbers, batch axis left out."""

    layer: Literal["Reshape"]
    target_shape: Annotated[tuple[int, ...], Field(min_length=1, max_length=5)]


class PermutePattern(Entry):
    """Another order of the axes, counted from 1."""

    layer: Literal["Permute"]
    dims: Annotated[tuple[Size, ...], Field(min_length=1, max_length=5)]


class RepeatVectorPattern(Entry):
    """A vector n times, as a sequence."""

    layer: Literal["RepeatVector"]
    n: Whole


class DropoutPattern(Entry):
    """Dropout of values or of whole maps."""

    layer: Literal["Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout"]
    rate: Share
    weight: float = Field(default=0.5, gt=0)


class NoisePattern(Entry):
    """Noise that is added in training."""

    layer: Literal["GaussianNoise"]
    stddev: Annotated[float, Field(ge=0, allow_inf_nan=False)] | Between | Literal["any"]


class ConvolutionPattern(Entry):
    """A convolution, transposed or not."""

    layer: Literal[
        "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"
    ]
    filters: Whole
    kernel_size: Window
    """Height and width of the kernel; one number stands for all sides."""
    strides: Window = 1
    """Step of the kernel, down and across."""
    padding: Padding = "valid"
    activation: Activation = "linear"
    dilation_rate: Window = 1
    groups: Whole = 1
    use_bias: Flag = True
    data_format: DataFormat = "channels_last"


class SeparablePattern(Entry):
    """A convolution of each channel, followed by one across channels."""

    layer: Literal["SeparableConv1D", "SeparableConv2D"]
    filters: Whole
    kernel_size: Window
    strides: Window = 1
    padding: Padding = "valid"
    activation: Activation = "linear"
    depth_multiplier: Whole = 1
    dilation_rate: Window = 1
    use_bias: Flag = True
    data_format: DataFormat = "channels_last"


class DepthwisePattern(Entry):
    """A convolution of each channel by itself."""

    layer: Literal["DepthwiseConv1D", "DepthwiseConv2D"]
    kernel_size: Window
    strides: Window = 1
    padding: Padding = "valid"
    activation: Activation = "linear"
    depth_multiplier: Whole = 1
    dilation_rate: Window = 1
    use_bias: Flag = True
    data_format: DataFormat = "channels_last"


class PoolPattern(Entry):
    """Pooling."""

    layer: Literal[
        "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D",
        "AveragePooling3D",
    ]  # fmt: skip
    pool_size: Window = 2
    strides: Window | None = None
    """Equal to `pool_size` when left out."""
    padding: Padding = "valid"


class GroupNormalizationPattern(Entry):
    """Normalisation over groups of channels."""

    layer: Literal["GroupNormalization"]
    groups: Whole


class RecurrentPattern(Entry):
    """A recurrent layer."""

    layer: Literal["SimpleRNN", "LSTM", "GRU"]
    units: Whole
    return_sequences: Flag = False
    """Whether it hands on every step instead of the last."""
    bidirectional: MergeMode = "no"
    """How the two directions of a `Bidirectional` are merged; `no` for one direction."""
    activation: Activation = "tanh"
    recurrent_activation: Activation = "sigmoid"
    """Of the gates; a SimpleRNN has none."""
    dropout: Share = 0.0
    recurrent_dropout: Share = 0.0
    go_backwards: Flag = False
    stateful: Flag = "any"
    use_bias: Flag = True


class MultiHeadAttentionPattern(Entry):
    """Multi-head attention (Vaswani et al. 2017, Attention is all you need, 3.2.2).

    Reads query and value, and the key where it is not the value.
    """

    layer: Literal["MultiHeadAttention"]
    num_heads: Whole
    key_dim: Whole
    value_dim: Whole | None = None
    """Equal to `key_dim` when left out."""
    use_causal_mask: Flag = False
    dropout: Share = "any"
    use_bias: Flag = True


class AttentionPattern(Entry):
    """Dot-product attention (Luong et al. 2015). Reads query and value, and the key if another."""

    layer: Literal["Attention"]
    use_scale: Flag = False
    score_mode: Literal["dot", "concat", "any"] = "dot"
    use_causal_mask: Flag = False
    dropout: Share = "any"


class AdditiveAttentionPattern(Entry):
    """Additive attention (Bahdanau et al. 2015). Reads query and value, and the key if another."""

    layer: Literal["AdditiveAttention"]
    use_scale: Flag = True
    use_causal_mask: Flag = False
    dropout: Share = "any"


class ConcatenatePattern(Entry):
    """Several layers side by side."""

    layer: Literal["Concatenate"]
    axis: Annotated[int, Field(ge=-5, le=5)] = -1


class DotPattern(Entry):
    """Products of two layers."""

    layer: Literal["Dot"]
    axes: int | Annotated[tuple[int, ...], Field(min_length=2, max_length=2)]
    normalize: Flag = False


class DuelingPattern(Entry):
    """The merge of value and advantage (Wang et al. 2016, Dueling Network Architectures).

    Reads the value and the advantages, in this order. Equation 9 takes the mean of the advantages
    away, equation 8 their maximum.
    """

    layer: Literal["Dueling"]
    baseline: Literal["mean", "max", "any"] = "mean"


class PreprocessingPattern(Record):
    """Scaling, casting and transposing are free in this place."""

    layer: Literal["preprocessing"]
    name: Identifier | None = None
    reads: tuple[Identifier, ...] = ()


class AnythingPattern(Record):
    """Layers of any kind are free in this place."""

    layer: Literal["anything"]
    name: Identifier | None = None
    reads: tuple[Identifier, ...] = ()


class AnyOfPattern(Record):
    """Alternatives: one of these lists of layers."""

    layer: Literal["any_of"]
    choices: Annotated[
        tuple[Annotated[tuple[LayerPattern, ...], Field(min_length=1)], ...], Field(min_length=2)
    ]


class RepeatPattern(Record):
    """A block of layers, several times in a row."""

    layer: Literal["repeat"]
    min: int = Field(default=1, ge=0, le=16)
    max: int = Field(ge=1, le=16)
    layers: Annotated[tuple[LayerPattern, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.min > self.max:
            raise ValueError("`min` must not be above `max`")
        return self


LayerEntry = (
    DensePattern | ActivationPattern | EmbeddingPattern | MaskingPattern | PlainPattern
    | FlattenPattern | ReshapePattern | PermutePattern | RepeatVectorPattern | DropoutPattern
    | NoisePattern | ConvolutionPattern | SeparablePattern | DepthwisePattern
    | PoolPattern | GroupNormalizationPattern | RecurrentPattern | MultiHeadAttentionPattern
    | AttentionPattern | AdditiveAttentionPattern | ConcatenatePattern | DotPattern | DuelingPattern
)  # fmt: skip
"""Entries that are layers."""

FreeEntry = PreprocessingPattern | AnythingPattern
"""Entries that say where layers cost nothing."""

LayerPattern = Annotated[
    LayerEntry | FreeEntry | AnyOfPattern | RepeatPattern, Field(discriminator="layer")
]

AnyOfPattern.model_rebuild()
RepeatPattern.model_rebuild()
