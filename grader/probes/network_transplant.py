"""The proof by transplanting: the student's network gets random weights and must answer alike.

It needs no description of the student's network, and a list of layers of the expected one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.errors import GraderFault
from grader.probes.context import ProbeContext
from grader.probes.inspection import ask_inspector
from grader.probes.network_agreement import RELATIVE_TOLERANCE
from grader.probes.network_claim import forward, write_weights
from grader.probes.network_inputs import Batch, DrawnInputs, accepted_shapes
from grader.probes.network_observations import Observation, Outputs, furthest, to_ask
from grader.records.arithmetic import evaluate
from grader.records.messages import Reference
from grader.records.network_evidence import NetworkProof, ProofMethod
from grader.records.network_settings import NetworkSettings
from grader.records.variants import Variant
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]

_SEED: Final = 61
_BATCH: Final = 8
_OTHER_BATCH: Final = 5
_MOST_VARIANTS: Final = 4
_FREE: Final = "preprocessing"
_NOT_SETTINGS: Final = frozenset({"layer", "weight", "name", "reads", "optional", "bidirectional"})
_NO_LAYER: Final = frozenset(
    {"anything", "Dueling", "MultiHeadAttention", "Attention", "AdditiveAttention"}
)  # fmt: skip
"""Entries that stand for no layer with one input."""
_NEEDED: Final = frozenset(
    {"units", "filters", "kernel_size", "input_dim", "output_dim", "rate", "stddev", "n", "groups",
     "activation", "recurrent_activation"}
)  # fmt: skip
"""Settings without which a layer is not known; where anything goes, there is nothing to build."""
_NOT_TAKEN: Final = frozenset(
    {("SimpleRNN", "recurrent_activation"),
     *((f"Conv{axes}DTranspose", "groups") for axes in (1, 2, 3))}
)  # fmt: skip
"""Settings that entries for several layers have and that one of these has not."""
_WORDS: Final = frozenset({"activation", "recurrent_activation", "padding", "data_format",
                           "score_mode"})  # fmt: skip

_OTHER_IN_TRAINING: Final = frozenset(
    {"BatchNormalization", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout",
     "GaussianNoise", "SimpleRNN", "LSTM", "GRU", "MultiHeadAttention", "Attention",
     "AdditiveAttention"}
)  # fmt: skip
"""Layers that may do something else in training."""
_SCALINGS: Final[tuple[Callable[[Array], Array], ...]] = (
    lambda pixels: pixels,
    lambda pixels: pixels / 255,
    lambda pixels: pixels / 256,
    lambda pixels: pixels / 127.5 - 1,
    lambda pixels: (pixels - 128) / 128,
)
"""What is done with pixels before the first layer."""


def transplanted(
    context: ProbeContext,
    worker: Worker,
    inputs: DrawnInputs,
    own: Outputs,
    seen: Sequence[Observation],
) -> NetworkProof | None:
    """The proof by random weights, or None where it does not come about.

    Args:
        context: the part.
        worker: holds the network as `model0`; its weights are changed.
        inputs: of the network.
        own: its weights, read before it was asked anything.
        seen: what it answered with them; the expected network must answer the same.

    Raises:
        WorkerIncident: the student's network did not answer.
        GraderFault: the expected network is too large to be built; the assignment's author must
            act.
    """
    settings: NetworkSettings = context.settings
    if len(settings.network_inputs) != 1 or inputs.extra:
        return None
    sides = [list(array.shape) for array in own]
    arguments = settings.builder_arguments[0]
    wanted = accepted_shapes(settings, arguments)[0][0]
    for layers in _expected_lists(settings, arguments):
        found = _asked(context, Reference(layers=layers, input_shape=wanted))
        if found == sides:
            expected = _Expected(context, layers, wanted, inputs.shapes[0])
            return _compared(worker, inputs, expected, own, seen)
    return None


def _asked(context: ProbeContext, request: Reference) -> Any:
    """What the expected network answers; None where it is no list of layers that can be built."""
    try:
        return ask_inspector(context.source, request, "asking the expected network")
    except WorkerIncident as error:
        if error.final:
            raise GraderFault(f"the expected network cannot be built: {error}") from error
        return None


@dataclass(frozen=True)
class _Expected:
    """The network asked for.

    Attributes:
        context: whose inspector builds it.
        layers: it consists of.
        wanted: shape of its input.
        shape: of the input of the student's network.
    """

    context: ProbeContext
    layers: tuple[dict[str, Any], ...]
    wanted: tuple[int, ...]
    shape: tuple[int, ...]

    def differences(self, weights: Outputs, seen: Sequence[Observation]) -> list[float]:
        """How far what was seen is from its answers; one for each scaling of the pixels."""
        arrays = [_channels_last(self.shape, self.wanted, batch[0]) for batch in to_ask(seen)]
        scalings = _SCALINGS if arrays[0].dtype.kind == "f" else _SCALINGS[:1]
        request = Reference(
            layers=self.layers,
            input_shape=self.wanted,
            weights=weights,
            batches=tuple(
                scaling(array).astype(array.dtype) for scaling in scalings for array in arrays
            ),
        )
        answers = _asked(self.context, request) or []
        return [
            _furthest(seen, answers[start : start + len(arrays)])
            for start in range(0, len(answers), len(arrays))
        ]


def _compared(
    worker: Worker,
    inputs: DrawnInputs,
    expected: _Expected,
    own: Outputs,
    seen: Sequence[Observation],
) -> NetworkProof | None:
    """The proof, if the answers are those expected with its own weights, with others, and again."""
    first = expected.differences(own, seen)
    if min(first, default=np.inf) > RELATIVE_TOLERANCE:
        return None
    generator = np.random.default_rng(_SEED)
    weights = tuple(he_normal(array.shape, generator).astype(np.float32) for array in own)
    batch, other = inputs.draw(_SEED, _BATCH), inputs.draw(_SEED + 1, _OTHER_BATCH)
    stage = "calling the network with other weights"
    write_weights(worker, "model0", weights)
    answered = _answers(worker, [batch, batch, (batch[0][:1],), other], stage, expected)
    changed = expected.differences(weights, answered)
    write_weights(worker, "model0", own)
    batch, other = inputs.draw(_SEED + 2, _BATCH), inputs.draw(_SEED + 3, _OTHER_BATCH)
    answered = _answers(worker, [batch, other], "calling the network again", expected)
    last = expected.differences(own, answered)
    # One scaling of the pixels must do for all three.
    best = min(map(max, zip(first, changed, last, strict=False)), default=np.inf)
    if best > RELATIVE_TOLERANCE:
        return None
    return NetworkProof(
        method=ProofMethod.TRANSPLANTED, difference=best, tolerance=RELATIVE_TOLERANCE
    )


def _answers(
    worker: Worker, batches: list[Batch], stage: str, expected: _Expected
) -> list[Observation]:
    """What the network answers; the last batch also in training, if that changes nothing."""
    # Each by itself, so that none of the answers can be made with the next question known.
    seen = [
        Observation(single, forward(worker, "model0", [single], stage)[0]) for single in batches
    ]
    if not any(layer["layer"] in _OTHER_IN_TRAINING for layer in expected.layers):
        (outputs,) = forward(worker, "model0", batches[-1:], stage, training=True)
        seen.append(Observation(batches[-1], outputs))
    return seen


def _furthest(seen: Sequence[Observation], answers: list[Array]) -> float:
    """The largest difference; infinite where something cannot be compared."""
    found = furthest(seen, [[answer] for answer in answers], RELATIVE_TOLERANCE)
    return np.inf if found is None else found


def he_normal(side: tuple[int, ...], generator: np.random.Generator, gain: float = 1.0) -> Array:
    """Weights as He et al. 2015 (Delving Deep into Rectifiers, equation 10) draw them.

    Args:
        side: shape; the last axis counts outputs.
        generator: draws them.
        gain: factor on the standard deviation.
    """
    fan_in = max(1, int(np.prod(side[:-1])))
    return generator.normal(0, gain * np.sqrt(2 / fan_in), side)


def _channels_last(shape: tuple[int, ...], wanted: tuple[int, ...], batch: Array) -> Array:
    """Inputs in the axis order of the first accepted shape, which the expected layers take."""
    if shape == wanted or len(shape) != len(wanted):
        return batch
    return np.moveaxis(batch, 1, -1)


def _expected_lists(
    settings: NetworkSettings, arguments: Mapping[str, Any]
) -> Iterator[tuple[dict[str, Any], ...]]:
    """Lists of layers that the assignment asks for, as far as they are chains of exact layers."""
    for variant in settings.variants[:_MOST_VARIANTS]:
        layers = _chain(variant, arguments)
        if layers is not None:
            yield layers


def _chain(variant: Variant, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], ...] | None:
    layers = []
    for position, slot in enumerate(variant.slots):
        plain = slot.entry.plain()
        if slot.reads != (position - 1,) or plain["layer"] in _NO_LAYER:
            return None
        if plain["layer"] == _FREE:
            continue
        if plain.get("bidirectional", "no") != "no":
            return None
        layer = {"layer": plain["layer"]}
        for name, value in plain.items():
            if isinstance(value, dict) or (value == "any" and name in _NEEDED):
                return None
            if name in _NOT_SETTINGS or value is None or value == "any":
                continue
            if (layer["layer"], name) in _NOT_TAKEN:
                continue
            if isinstance(value, str) and name not in _WORDS:
                value = evaluate(value, arguments)
            layer[name] = value
        layers.append(layer)
    return tuple(layers)
