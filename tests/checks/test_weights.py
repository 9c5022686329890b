"""First weights, judged from figures and values of each array."""

import numpy as np
import pytest

from grader.assignments.registry import JudgeInput
from grader.checks.network import CHECKS
from grader.errors import GraderFault
from grader.probes.network_weights import weight_trials
from grader.records.evidence import Symbol
from grader.records.network_evidence import (
    GraphNode,
    NetworkEvidence,
    NetworkGraph,
    NetworkProof,
    NodeSource,
    ProofMethod,
)
from grader.records.result import Outcome
from grader.records.spec import CheckSpec, Isolation, PartSpec
from grader.records.weights_evidence import GradientTrial, LayerGradient
from grader.records.weights_settings import GradientsSettings, InitialisationSettings

JUDGES = {kind.id: kind.judge for kind in CHECKS}
SHAPES = ((3, 3, 4, 16), (128, 40), (40, 6))
TRUNCATED = 0.87962566103423978


def graph():
    nodes = tuple(
        GraphNode(
            index=index, source=NodeSource.LAYER, kind="Conv2D" if len(shape) == 4 else "Dense",
            name=f"layer{index}", config={}, inputs=(index - 1,), output_shape=(shape[-1],),
            parameters=int(np.prod(shape)) + shape[-1], weights=(2 * index, 2 * index + 1),
            layer=index,
        )
        for index, shape in enumerate(SHAPES)
    )  # fmt: skip
    return NetworkGraph(nodes=nodes, outputs=(2,), input_shapes=((4,),), parameters=9)


def fans(shape):
    window = int(np.prod(shape[:-2]))
    return window * shape[-2], window * shape[-1]


def draw(rng, scheme, shape, scale=0.05):
    inputs, outputs = fans(shape)
    variance = {"glorot": 2 / (inputs + outputs), "he": 2 / inputs, "lecun": 1 / inputs}
    name, _, form = scheme.partition("_")
    deviation = np.sqrt(variance[name]) if name in variance else scale
    if scheme == "random_uniform":
        return rng.uniform(-scale, scale, shape)
    if form == "uniform":
        return rng.uniform(-1, 1, shape) * deviation * np.sqrt(3)
    if scheme == "random_normal":
        return rng.normal(0, scale, shape)
    if name in variance:
        deviation = deviation / TRUNCATED
    values = rng.normal(size=(4, *shape))
    values[np.abs(values) > 2] = np.nan
    chosen = np.nanmax(np.where(np.isnan(values[:1]), values, values[:1]), axis=0)
    redrawn = np.where(np.isnan(values[0]), np.nan_to_num(chosen), values[0])
    return redrawn * deviation


def evidence(arrays, method=ProofMethod.REBUILT, **fields):
    weights = tuple(np.asarray(array, np.float32) for array in arrays)
    return NetworkEvidence(
        part="network", file="work.py", isolation=Isolation.PROCESS,
        symbols=(Symbol(role="builder", name="create", line=4, parameters=()),),
        graph=graph(), proof=NetworkProof(method=method),
        weights=weight_trials(graph(), weights), **fields,
    )  # fmt: skip


def network(rng, *schemes):
    return [
        array
        for shape, scheme in zip(SHAPES, schemes * 3, strict=False)
        for array in (draw(rng, scheme, shape), np.zeros(shape[-1]))
    ]


def judged(seen, check="initialisation", **settings):
    spec = CheckSpec(title="check", points=1)
    part = PartSpec(title="Part", kind="network", file="work.py", checks={"x": spec})
    kind = GradientsSettings if check == "gradients" else InitialisationSettings
    return JUDGES[f"network.{check}"](
        JudgeInput(part_id="network", part=part, check=spec, part_settings=None,
                   settings=kind(**settings), evidence=seen)
    )  # fmt: skip


def codes(verdict):
    return [finding.code for finding in verdict.findings]


UNIFORM = ("glorot_uniform", "he_uniform", "lecun_uniform", "random_uniform", "random_normal")


@pytest.mark.parametrize("scheme", UNIFORM)
def test_the_false_alarm_is_kept(scheme):
    alarms = 0
    for seed in range(40):
        seen = evidence(network(np.random.default_rng(seed), scheme))
        alarms += judged(seen, kernel=scheme, false_alarm=0.04).outcome is not Outcome.PASSED
    assert alarms <= 6


@pytest.mark.parametrize("drawn", ["glorot_uniform", "he_uniform", "random_normal"])
@pytest.mark.parametrize(
    "asked", ["glorot_uniform", "truncated_normal", "lecun_normal", "random_uniform"]
)
def test_other_distributions_and_scales_are_found(asked, drawn):
    verdict = judged(evidence(network(np.random.default_rng(1), drawn)), kernel=asked)
    if asked == drawn:
        assert verdict.outcome is Outcome.PASSED
    else:
        assert codes(verdict) == ["WT103"]
        assert asked in verdict.findings[0].expected


def test_what_was_drawn_instead_is_named():
    verdict = judged(evidence(network(np.random.default_rng(1), "he_uniform")),
                     kernel="glorot_uniform")  # fmt: skip
    assert "as from he_uniform" in verdict.findings[0].received


def test_the_last_layer_can_be_another():
    arrays = network(np.random.default_rng(1), "he_uniform", "he_uniform", "random_uniform")
    seen = evidence(arrays)
    settings = {"kernel": "he_uniform", "output_kernel": "random_uniform"}
    assert judged(seen, **settings).outcome is Outcome.PASSED
    verdict = judged(seen, kernel="he_uniform")
    assert codes(verdict) == ["WT103"]
    assert verdict.fraction == pytest.approx(2 / 3)


def test_biases_count_where_they_are_asked_for():
    arrays = network(np.random.default_rng(1), "he_uniform")
    arrays[1] = arrays[1] + 0.1
    assert judged(evidence(arrays)).outcome is Outcome.PASSED
    verdict = judged(evidence(arrays), bias="zeros")
    assert codes(verdict) == ["WT104"]
    assert "layer0" in verdict.findings[0].received


@pytest.mark.parametrize(
    ("change", "code"),
    [(lambda kernel: kernel * np.nan, "WT101"), (np.zeros_like, "WT102"),
     (lambda kernel: np.concatenate([kernel[:, :-1], kernel[:, 3:4]], axis=1), "WT102")],
)  # fmt: skip
def test_weights_that_cannot_learn_are_found_whatever_is_asked(change, code):
    arrays = network(np.random.default_rng(1), "he_uniform")
    arrays[2] = change(arrays[2])
    verdict = judged(evidence(arrays))
    assert codes(verdict) == [code]
    assert verdict.fraction == pytest.approx(2 / 3)


def test_points_are_given_for_what_is_proven_alone():
    seen = evidence(network(np.random.default_rng(1), "he_uniform"), ProofMethod.NONE)
    verdict = judged(seen)
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["WT105"])


def test_weights_that_were_not_recorded_are_the_assignments_fault():
    seen = evidence(network(np.random.default_rng(1), "he_uniform"))
    with pytest.raises(GraderFault, match="examine_weights"):
        judged(seen.model_copy(update={"weights": ()}))


# --- gradients ----------------------------------------------------------------------------------


def layer(number, *sizes, **fields):
    return LayerGradient(layer=f"layer{number}", kind="Dense", gradients=sizes, **fields)


def reaching(*layers, method=ProofMethod.REBUILT, **fields):
    trial = GradientTrial(layers=layers, **fields)
    arrays = network(np.random.default_rng(1), "he_uniform")
    return judged(evidence(arrays, method, gradients=trial), "gradients")


def test_gradients_that_reach_every_layer_pass():
    verdict = reaching(layer(0, 0.5, 0.1, units=8, dead=1), layer(1, 1e-9, 2.0))
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (layer(0, None, None), "WT202"),
        (layer(0, 0.0, 0.0, units=8, dead=8), "WT203"),
        (layer(0, 0.0, 0.0), "WT204"),
        (layer(0, 1.0, 0.0, finite=False), "WT205"),
    ],
)
def test_layers_that_no_gradient_reaches_are_named(first, code):
    verdict = reaching(first, layer(1, 0.5, 0.5))
    assert codes(verdict) == [code]
    assert "layer0" in verdict.findings[0].received
    assert verdict.fraction == 0.5


def test_many_dead_units_are_a_warning():
    verdict = reaching(layer(0, 0.5, 0.5, units=8, dead=5), layer(1, 0.5, 0.5))
    assert (verdict.outcome, codes(verdict)) == (Outcome.PASSED, ["WT206"])


def test_frozen_layers_need_no_gradient_but_not_all_may_be_frozen():
    assert reaching(layer(0), layer(1, 0.5)).outcome is Outcome.PASSED
    assert codes(reaching(layer(0), layer(1))) == ["WT202"]


@pytest.mark.parametrize("method", [ProofMethod.TRANSPLANTED, ProofMethod.NONE])
def test_gradients_of_a_network_that_is_only_claimed_earn_nothing(method):
    verdict = reaching(layer(0, 0.5), method=method)
    assert (verdict.fraction, codes(verdict)) == (0.0, ["WT201"])


@pytest.mark.parametrize("kernel", [
    np.zeros((5, 0)), np.zeros((0, 5)), np.full((128, 40), 1e308), np.full((3, 4), 2**64 - 1, "u8"),
    np.zeros((2, 3), "c16"), np.array([["a"]]), np.full((2, 2), np.nan),
], ids=str)  # fmt: skip
def test_any_claim_about_weights_is_judged(kernel):
    claimed = graph()
    weights = tuple(kernel if index % 2 == 0 else np.zeros(3) for index in range(6))
    seen = evidence([], ProofMethod.NONE).model_copy(
        update={"weights": weight_trials(claimed, weights)}
    )
    verdict = judged(seen, kernel="he_normal")
    assert (verdict.fraction, verdict.outcome) == (0.0, Outcome.FAILED)
    assert verdict.findings


def test_a_frozen_layer_is_told_and_not_counted_as_trained():
    layers = (LayerGradient(layer="a", kind="Dense", frozen=True),
              LayerGradient(layer="b", kind="Dense", gradients=(1.0, 2.0)))  # fmt: skip
    for kept, fraction in ((layers, 0.5), (layers[:1], 0.0)):
        seen = evidence(network(np.random.default_rng(1), "he_normal"),
                        gradients=GradientTrial(layers=kept))  # fmt: skip
        verdict = judged(seen, "gradients")
        assert codes(verdict) == ["WT207"]
        assert verdict.fraction == fraction
