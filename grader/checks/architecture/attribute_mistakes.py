"""Mistakes in single attributes of a layer, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from grader.checks.architecture.layers import ExpectedLayer, Layer
from grader.checks.architecture.values import UNKNOWN, value_text
from grader.checks.architecture.wording import Mistake, layer_follows
from grader.checks.network_codes import NetworkCode
from grader.records.layer_families import MERGES, Attribute, Value

_PLAIN: Final[Mapping[Attribute, tuple[NetworkCode, str]]] = {
    Attribute.FILTERS: (NetworkCode.FILTERS, "The number of filters is wrong in {layers}."),
    Attribute.KERNEL_SIZE: (NetworkCode.KERNEL_SIZE, "The kernel size is wrong in {layers}."),
    Attribute.STRIDES: (NetworkCode.STRIDES, "The strides are wrong in {layers}."),
    Attribute.PADDING: (NetworkCode.PADDING, "The padding is wrong in {layers}."),
    Attribute.UNITS: (NetworkCode.UNITS, "The number of units is wrong in {layers}."),
    Attribute.POOL_SIZE: (NetworkCode.POOL_SIZE, "The pool size is wrong in {layers}."),
    Attribute.RATE: (NetworkCode.DROPOUT_RATE, "The dropout rate is wrong in {layers}."),
    Attribute.DILATION_RATE: (NetworkCode.OPTION, "The kernel has gaps in {layers}."),
    Attribute.GROUPS: (NetworkCode.OPTION, "The channels are split into groups in {layers}."),
    Attribute.USE_BIAS: (NetworkCode.OPTION, "The bias is left out in {layers}."),
    Attribute.DATA_FORMAT: (
        NetworkCode.CHANNELS_FIRST,
        "Channels are taken to be the first axis in {layers}.",
    ),
    Attribute.WEIGHTS: (NetworkCode.SHARED_WEIGHTS, "One layer object is used again as {layers}."),
    Attribute.RETURN_SEQUENCES: (
        NetworkCode.RETURN_SEQUENCES,
        "Every step is handed on where only the last one should be, in {layers}.",
    ),
    Attribute.BIDIRECTIONAL: (
        NetworkCode.BIDIRECTIONAL,
        "The sequence is read in other directions in {layers}.",
    ),
    Attribute.GO_BACKWARDS: (
        NetworkCode.BIDIRECTIONAL,
        "The sequence is read in the other direction in {layers}.",
    ),
    Attribute.STATEFUL: (
        NetworkCode.STATEFUL,
        "The state is kept from one batch to the next in {layers}.",
    ),
    Attribute.DROPOUT: (NetworkCode.RECURRENT_DROPOUT, "The dropout is wrong in {layers}."),
    Attribute.RECURRENT_DROPOUT: (
        NetworkCode.RECURRENT_DROPOUT,
        "The recurrent dropout is wrong in {layers}.",
    ),
    Attribute.RECURRENT_ACTIVATION: (
        NetworkCode.OPTION,
        "The gates have another activation in {layers}.",
    ),
    Attribute.MASK_ZERO: (
        NetworkCode.MASKING,
        "Zeros are taken for padding in {layers}, where they are data.",
    ),
    Attribute.MASK_VALUE: (NetworkCode.MASKING, "Another value marks the padding in {layers}."),
    Attribute.OUTPUT_DIM: (
        NetworkCode.EMBEDDING_SIZE,
        "The vectors have the wrong length in {layers}.",
    ),
    Attribute.INPUT_DIM: (NetworkCode.VOCABULARY, "The number of words is wrong in {layers}."),
    Attribute.NUM_HEADS: (NetworkCode.HEADS, "The number of heads is wrong in {layers}."),
    Attribute.KEY_DIM: (NetworkCode.HEADS, "The size of the keys is wrong in {layers}."),
    Attribute.VALUE_DIM: (NetworkCode.HEADS, "The size of the values is wrong in {layers}."),
    Attribute.CAUSAL: (
        NetworkCode.CAUSAL_MASK,
        "Steps see, or do not see, what comes after them in {layers}.",
    ),
    Attribute.AXIS: (NetworkCode.CONCATENATE_AXIS, "Another axis is used in {layers}."),
    Attribute.AXES: (NetworkCode.CONCATENATE_AXIS, "Other axes are used in {layers}."),
    Attribute.BASELINE: (
        NetworkCode.DUELING_BASELINE,
        "Something else than asked is taken from the advantages in {layers}.",
    ),
    Attribute.TARGET_SHAPE: (NetworkCode.SHAPE, "The new shape is wrong in {layers}."),
    Attribute.DIMS: (NetworkCode.SHAPE, "The axes stand in another order in {layers}."),
    Attribute.N: (NetworkCode.SHAPE, "The number of repetitions is wrong in {layers}."),
}

_WHERE_ASKED: Final[Mapping[Attribute, tuple[str, str]]] = {
    Attribute.RETURN_SEQUENCES: (
        "Only the last step is handed on where every step should be, in {layers}.",
        "Pass `return_sequences=True`: a recurrent layer or attention behind it reads every step.",
    ),
    Attribute.MASK_ZERO: (
        "The zeros that fill up short sequences are not marked as padding in {layers}.",
        "Pass `mask_zero=True`: it tells the layers behind which steps are padding.",
    ),
}
"""Claim and advice where a flag is asked for and is not set."""

_OPTION: Final = NetworkCode.OPTION, "An option is other than asked in {layers}."

_ADVICE: Final = {
    NetworkCode.RETURN_SEQUENCES: "Leave `return_sequences` out: the layer behind it needs the "
    "last step, which stands for the whole sequence.",
    NetworkCode.BIDIRECTIONAL: "`layers.Bidirectional(layer)` reads a sequence in both directions "
    "and puts the two results side by side; a layer without it reads it from the start.",
    NetworkCode.STATEFUL: "Leave `stateful` out: the sequences of a batch have nothing to do with "
    "those of the batch before.",
    NetworkCode.MASKING: "Leave `mask_zero` out: the layers behind it should read the zeros too.",
    NetworkCode.CAUSAL_MASK: "Pass `use_causal_mask=True` when calling the layer if a step must "
    "not see what comes after it, and leave it out otherwise.",
    NetworkCode.DUELING_BASELINE: "Subtract what the assignment asks for from the advantages, "
    "over the actions, with `keepdims=True`.",
}

_READS: Final = Mistake(
    NetworkCode.READS,
    "Data comes from another place than asked in {layers}.",
    "the input named in the table", "the output of another layer",
    "Follow the arrows of the drawing: pass each layer the output of the one it should read.",
)  # fmt: skip


def attribute_mistake(
    attribute: Attribute, asked: ExpectedLayer, found: Layer, *, fixed: bool
) -> Mistake:
    """The mistake of having another value in one attribute.

    Args:
        attribute: what differs.
        asked: the layer asked for.
        found: the layer that is there, of the same kind.
        fixed: whether its size is a number where it should follow an argument of the builder.
    """
    if attribute is Attribute.READS:
        return _READS
    expected, received = asked.values[attribute], found.values.get(attribute, UNKNOWN)
    if attribute is Attribute.ACTIVATION:
        return _activation(asked, str(expected), str(received))
    if layer_follows(asked, attribute) and (fixed or asked.is_output):
        return _output_units(asked.per_argument, attribute, expected, received, fixed=fixed)
    code, claim = _PLAIN.get(attribute, _OPTION)
    if attribute is Attribute.AXIS and asked.kind not in MERGES:
        code, claim = _OPTION
    example = asked.rules[attribute].example
    advice = {**_ADVICE}
    if attribute in _WHERE_ASKED and example is True:
        claim, advice[code] = _WHERE_ASKED[attribute]
    if attribute is Attribute.MASK_VALUE:
        advice[code] = f"Pass `mask_value={example!r}`."
    return Mistake(
        code=code,
        claim=claim,
        expected=f"{attribute} {value_text(expected)}",
        received=f"{attribute} {value_text(received)}",
        advice={
            NetworkCode.OPTION: f"Leave `{attribute}` out: Keras' own value is the right one.",
            NetworkCode.CHANNELS_FIRST: "Leave `data_format` out. If the frames come as "
            "(4, 84, 84), put `Permute((2, 3, 1))` in front of the first layer.",
            NetworkCode.SHARED_WEIGHTS: "Make a new layer object for each layer; one that is used "
            "twice has only one set of weights.",
            NetworkCode.PADDING: f"Pass `padding={expected!r}`; Keras' own value is 'valid'.",
            **advice,
        }.get(code, f"Pass `{attribute}={example!r}`."),
    )


def _activation(asked: ExpectedLayer, expected: str, received: str) -> Mistake:
    expected_text, received_text = f"activation {expected}", f"activation {received}"
    example = asked.rules[Attribute.ACTIVATION].example
    q_values = asked.is_output and asked.per_argument == "num_actions"
    if q_values and expected == "linear" and received not in {UNKNOWN, "log_softmax"}:
        return _output_activation(received)
    if received == UNKNOWN:
        return Mistake(
            NetworkCode.ACTIVATION_UNKNOWN,
            "The activation was not recognised in {layers}.",
            expected_text, "none of the usual activations",
            f"Pass the name: `activation={example!r}`.",
        )  # fmt: skip
    if received == "linear":
        return Mistake(
            NetworkCode.ACTIVATION_MISSING,
            "The activation is missing in {layers}.",
            expected_text, "no activation (linear)",
            f"Pass `activation={example!r}`: without it, two layers in a row compute no more than "
            "one.",
        )  # fmt: skip
    advice = (
        "Leave `activation` out." if expected == "linear" else f"Pass `activation={example!r}`."
    )
    return Mistake(
        NetworkCode.ACTIVATION_WRONG,
        "The activation is wrong in {layers}.",
        expected_text, received_text, advice,
    )  # fmt: skip


def _output_activation(received: str) -> Mistake:
    if received == "softmax":
        code, claim, advice = (
            NetworkCode.OUTPUT_SOFTMAX,
            "The Q-values pass through a softmax in {layers}.",
            "Leave `activation` out: softmax is for probabilities, which add up to 1; a Q-value is "
            "an expected return and may be any number.",
        )
    elif received in {"sigmoid", "tanh"}:
        code, claim, advice = (
            NetworkCode.OUTPUT_SQUASHED,
            "The Q-values are squeezed into a narrow range in {layers}.",
            "Leave `activation` out: a return can be larger than 1.",
        )
    else:
        code, claim, advice = (
            NetworkCode.OUTPUT_RELU,
            "The Q-values are cut off or bent by an activation in {layers}.",
            "Leave `activation` out: a return can be negative, and a ReLU that is stuck at 0 does "
            "not learn.",
        )
    return Mistake(code, claim, "activation linear", f"activation {received}", advice)


def _output_units(
    argument: str, attribute: Attribute, expected: Value, received: Value, *, fixed: bool
) -> Mistake:
    actions = argument == "num_actions"
    advice = f"Use the argument: `Dense({argument})`."
    if fixed:
        return Mistake(
            NetworkCode.OUTPUT_UNITS,
            f"The number of outputs does not follow `{argument}` in {{layers}}.",
            f"{attribute} {argument}, whatever its value",
            f"{attribute} {value_text(received)}, the wrong number for other "
            + ("numbers of actions" if actions else "arguments"),
            advice,
        )
    return Mistake(
        NetworkCode.OUTPUT_UNITS,
        "The number of outputs is not the number of actions in {layers}."
        if actions
        else "The number of outputs is wrong in {layers}.",
        f"{attribute} {argument} ({value_text(expected)} here)",
        f"{attribute} {value_text(received)}",
        advice,
    )
