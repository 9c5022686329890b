"""Naming layers that were not asked for."""

from __future__ import annotations

from grader.checks.architecture.layers import (
    DROPOUTS,
    NORMALIZATIONS,
    POOLINGS,
    Layer,
)
from grader.checks.architecture.preprocessing import RESHAPES, SCALINGS, TRANSPOSITIONS
from grader.checks.architecture.wording import Mistake, layer_text
from grader.checks.network_codes import NetworkCode
from grader.records.layer_families import MERGES, SEVERAL_INPUTS


def surplus_mistake(layer: Layer) -> Mistake:
    """The mistake of having this layer."""
    code, claim, advice = _told(layer)
    return Mistake(
        code=code,
        claim=claim,
        expected="no layer in this place",
        received=layer_text(layer),
        advice=advice,
    )


def _told(layer: Layer) -> tuple[NetworkCode, str, str]:
    """Code, claim and advice for a layer that was not asked for."""
    if layer.is_custom:
        return (
            NetworkCode.UNKNOWN_LAYER,
            "Code that was not recognised stands between the layers asked for: {layers}.",
            "Remove it, or use Keras' own layers.",
        )
    if layer.kind in MERGES or (len(layer.inputs) > 1 and layer.kind not in SEVERAL_INPUTS):
        return (
            NetworkCode.MERGE,
            "The network branches and merges again: {layers}.",
            "Merge branches only where the assignment asks for it.",
        )
    if layer.kind in DROPOUTS:
        return (
            NetworkCode.EXTRA_DROPOUT,
            "Dropout was not asked for: {layers}.",
            "Remove it: the noise that it adds in training was not asked for.",
        )
    if layer.kind in NORMALIZATIONS:
        return (
            NetworkCode.EXTRA_NORMALIZATION,
            "Normalisation was not asked for: {layers}.",
            "Remove it: batch normalisation makes what the network says about one input depend on "
            "the others of the batch.",
        )
    if layer.kind in POOLINGS:
        return (
            NetworkCode.EXTRA_POOLING,
            "Pooling was not asked for: {layers}.",
            "Remove it: the strides of the convolutions make the image smaller already, and "
            "pooling forgets where in the image something was.",
        )
    if layer.is_activation:
        return (
            NetworkCode.EXTRA_ACTIVATION,
            "An activation was not asked for: {layers}.",
            "Remove it, or let it replace the activation of the layer before.",
        )
    if layer.kind in SCALINGS | TRANSPOSITIONS | RESHAPES | {"Normalization"}:
        return (
            NetworkCode.PREPROCESSING,
            "Values are scaled or rearranged where that was not asked for: {layers}.",
            "Scale and transpose only where the assignment allows it, in front of the first layer.",
        )
    return (
        NetworkCode.EXTRA_LAYER,
        "A layer was not asked for: {layers}.",
        "Remove it.",
    )
