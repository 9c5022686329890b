from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from grader.assignments.registry import JudgeInput, NoSettings
from grader.checks.incidents import GeneralCode
from grader.checks.network import CHECKS
from grader.checks.network_behaviour import RELATIVE_TOLERANCE
from grader.checks.network_codes import NetworkCode as Code
from grader.records.arrays import ArrayRecord
from grader.records.evidence import Symbol, Unresolved
from grader.records.incident import Incident, IncidentKind
from grader.records.network_evidence import (
    BehaviourTrial,
    BuildTrial,
    GraphNode,
    NetworkEvidence,
    NetworkGraph,
    NetworkProof,
    NodeSource,
    ProofMethod,
)
from grader.records.network_settings import NetworkSettings
from grader.records.result import Outcome, Verdict
from grader.records.spec import CheckSpec, Isolation, PartSpec

JUDGE = {kind.id: kind.judge for kind in CHECKS}["network.behaviour"]
COUNTS = (4, 6, 18)
SETTINGS = NetworkSettings.parse(
    {
        "input_shapes": [[84, 84, 4]],
        "num_actions": list(COUNTS),
        "layers": [{"layer": "Flatten"}, {"layer": "Dense", "units": "num_actions"}],
    }
)
CHECK = CheckSpec(title="behaves", points=4)
PART = PartSpec(title="Network", kind="network", file="network.py", checks={"behaviour": CHECK})
VALUES = np.random.default_rng(7).normal(size=(8, 4)).astype(np.float32)

Shapes = dict[int, tuple[int, ...] | None]


def judged(
    values: npt.ArrayLike | None = VALUES,
    shapes: Shapes | None = None,
    settings: NetworkSettings = SETTINGS,
    **more: Any,
) -> Verdict:
    shapes = {count: (2, count) for count in COUNTS} if shapes is None else shapes
    trial: dict[str, Any] = {
        "outputs": None if values is None else ArrayRecord.of(values),
        "repeat_difference": 0.0,
        "single_difference": 1e-6,
        "magnitude": 1.0,
    }
    evidence: dict[str, Any] = {"behaviour": BehaviourTrial(**{**trial, **more})}
    return judged_evidence(shapes, settings, **evidence)


def judged_evidence(shapes: Shapes, settings: NetworkSettings = SETTINGS, **more: Any) -> Verdict:
    evidence = NetworkEvidence(
        part="network",
        file="network.py",
        isolation=Isolation.FULL,
        symbols=(Symbol(role="builder", name="create_q_model", line=9, parameters=("n",)),),
        **{
            "builds": tuple(
                BuildTrial(
                    arguments={"num_actions": count},
                    is_model=True,
                    output_shapes=() if shape is None else (shape,),
                )
                for count, shape in shapes.items()
            ),
            **more,
        },
    )
    return JUDGE(
        JudgeInput(
            part_id="network",
            part=PART,
            check=CHECK,
            part_settings=settings,
            settings=NoSettings(),
            evidence=evidence,
        )
    )


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_an_action_value_function_passes_at_any_scale(scale: float) -> None:
    verdict = judged(VALUES * scale, magnitude=scale, single_difference=1e-6 * scale)
    assert (verdict.outcome, verdict.fraction, verdict.findings) == (Outcome.PASSED, 1.0, ())


def test_positive_values_that_are_not_cut_off_pass() -> None:
    assert judged(np.abs(VALUES) + 0.5).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (judged(shapes={4: (2, 4), 6: (2, 4), 18: (2, 4)}), Code.OUTPUT_SHAPE),
        (judged(shapes={4: (2, 4), 6: None, 18: (2, 18)}), Code.OUTPUT_SHAPE),
        (judged(shapes={4: (2, 4)}), Code.OUTPUT_SHAPE),
        (judged(repeat_difference=0.01), Code.NOT_REPEATABLE),
        (judged(repeat_difference=float("nan")), Code.NOT_REPEATABLE),
        (judged(repeat_difference=None), Code.NOT_REPEATABLE),
        (judged(single_difference=0.01), Code.BATCH_DEPENDENT),
        (judged(single_difference=None), Code.BATCH_DEPENDENT),
        (judged(np.exp(VALUES) / np.exp(VALUES).sum(1, keepdims=True)), Code.SUMS_TO_ONE),
        (judged(np.maximum(VALUES, 0)), Code.NEVER_NEGATIVE),
    ],
)
def test_a_property_that_does_not_hold_costs_half(verdict: Verdict, code: Code) -> None:
    assert codes(verdict) == [code]
    assert verdict.outcome is Outcome.PARTIAL
    assert verdict.fraction == 0.5
    assert verdict.findings[0].where == "network.py:9"


def test_all_wrong_shapes_are_told_together() -> None:
    (finding,) = judged(shapes={4: (2, 4), 6: (2, 4), 18: (2, 4)}).findings
    assert finding.received == "(batch, 4) for num_actions=6; (batch, 4) for num_actions=18"


def test_the_tolerance_is_relative_to_the_largest_output() -> None:
    largest = float(np.max(np.abs(VALUES * 100)))
    below, above = RELATIVE_TOLERANCE * largest * 0.99, RELATIVE_TOLERANCE * largest * 1.01
    assert judged(VALUES * 100, repeat_difference=below).outcome is Outcome.PASSED
    assert codes(judged(VALUES * 100, repeat_difference=above)) == [Code.NOT_REPEATABLE]


@pytest.mark.parametrize(
    "values",
    [np.zeros((8, 4)), np.ones((8, 4)), np.tile(VALUES[:1], (8, 1)), VALUES[:1], VALUES[:0]],
)
def test_a_constant_output_shows_nothing_else(values: npt.NDArray[np.float32]) -> None:
    verdict = judged(values)
    assert codes(verdict) == [Code.CONSTANT]
    assert verdict.fraction == 0.25


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_output_that_is_not_finite_shows_nothing_else(value: float) -> None:
    values = VALUES.copy()
    values[3, 1] = value
    verdict = judged(values)
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.NOT_FINITE])


def test_a_missing_flatten_is_judged_on_all_values() -> None:
    verdict = judged(
        np.random.default_rng(1).normal(size=(8, 7, 7, 4)),
        shapes={count: (2, 7, 7, count) for count in COUNTS},
    )
    assert codes(verdict) == [Code.OUTPUT_SHAPE]
    # No action can be taken by such values, whatever they are.
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)


def test_several_findings_are_all_told() -> None:
    verdict = judged(
        np.maximum(VALUES, 0), shapes={4: (2, 4), 6: (2, 4), 18: (2, 4)}, repeat_difference=1.0
    )
    assert codes(verdict) == [Code.OUTPUT_SHAPE, Code.NOT_REPEATABLE, Code.NEVER_NEGATIVE]
    assert verdict.fraction == 0.0


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (IncidentKind.RAISED, Outcome.FAILED),
        (IncidentKind.EXITED, Outcome.INVALID),
        (IncidentKind.FAULT, Outcome.FAULT),
    ],
)
def test_an_incident_decides_the_outcome(kind: IncidentKind, outcome: Outcome) -> None:
    verdict = judged(None, incident=Incident(kind=kind, stage="calling the model"))
    assert (verdict.outcome, verdict.fraction) == (outcome, 0.0)


def test_outputs_that_are_no_numbers_show_nothing() -> None:
    for values in (None, VALUES > 0):
        verdict = judged(values)
        assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.NO_NUMBERS])


def test_a_network_without_weights_earns_nothing_where_some_are_asked_for() -> None:
    def graph_of(parameters: int) -> NetworkGraph:
        nodes = (
            {"index": 0, "kind": "Flatten", "inputs": (-1,), "parameters": 0},
            {"index": 1, "kind": "Dense", "inputs": (0,), "parameters": parameters},
            {"index": 2, "kind": "Dense", "inputs": (0,), "parameters": 99},
        )
        return NetworkGraph(
            nodes=tuple(
                GraphNode(
                    source=NodeSource.LAYER, name="", config={}, output_shape=(4,),
                    **node,  # type: ignore[arg-type]
                )
                for node in nodes
            ),
            outputs=(1,), input_shapes=((84, 84, 4),), parameters=99,
        )  # fmt: skip

    shapes: Shapes = {count: (2, count) for count in COUNTS}
    trial = BehaviourTrial(
        outputs=ArrayRecord.of(VALUES), repeat_difference=0.0, single_difference=0.0, magnitude=1.0
    )
    found = judged_evidence(shapes, behaviour=trial, graph=graph_of(0))
    assert (found.fraction, codes(found)) == (0.0, [Code.NO_WEIGHTS])
    assert judged_evidence(shapes, behaviour=trial, graph=graph_of(8)).fraction == 1.0
    free = NetworkSettings.parse(
        {
            "input_shapes": [[84, 84, 4]],
            "num_actions": list(COUNTS),
            "layers": [{"layer": "GlobalMaxPooling2D"}],
        }
    )
    free = free.model_copy(update={"output_shape": ("num_actions",)})
    assert judged_evidence(shapes, free, behaviour=trial, graph=graph_of(0)).fraction == 1.0


def test_several_outputs_are_told_with_the_shape_of_each() -> None:
    settings = NetworkSettings.parse(
        {
            "input_shapes": [[6]],
            "num_actions": list(COUNTS),
            "layers": [
                {"layer": "Dense", "units": 1, "name": "value"},
                {
                    "layer": "Dense", "units": "num_actions", "name": "policy", "reads": ["input"],
                },
            ],
            "outputs": ["value", "policy"],
        }
    )  # fmt: skip
    (finding,) = judged(settings=settings).findings
    assert finding.expected == (
        "2 outputs of the shapes (batch, 1) and (batch, num_actions), in this order"
    )
    assert "Flatten" not in (finding.try_ or "")


def test_a_worker_that_ended_before_it_could_be_asked_is_the_students_side() -> None:
    ended = Incident(kind=IncidentKind.EXITED, stage="following a forward pass")
    verdict = judged_evidence({4: (2, 4)}, graph_incident=ended)
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, [GeneralCode.EXITED])


def test_a_network_that_takes_no_input_is_the_students_side() -> None:
    refused = Incident(kind=IncidentKind.RAISED, stage="calling the network", error_type="E")
    verdict = judged_evidence({4: None}, rejected_inputs=(refused,))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.INPUT_REFUSED])


def test_what_is_no_model_is_the_students_side() -> None:
    builds = (
        BuildTrial(arguments={"num_actions": 4}, returned="list"),
        BuildTrial(arguments={"num_actions": 6}, is_model=True),
    )
    verdict = judged_evidence({}, builds=builds, input_shapes=((84, 84, 4),))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.NOT_A_MODEL])


def test_absent_evidence_is_a_fault() -> None:
    assert judged_evidence({4: (2, 4)}).outcome is Outcome.FAULT
    assert judged(shapes={}).outcome is Outcome.FAULT


def test_a_missing_builder_fails() -> None:
    missing = Unresolved(role="builder", accepted=("create_q_model",), available=())
    verdict = judged_evidence({}, unresolved=(missing,))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [GeneralCode.NAME_NOT_FOUND])


def test_the_shape_of_the_output_can_be_asked_for_by_itself() -> None:
    free = {
        "input_shapes": [[84, 84, 4]], "num_actions": list(COUNTS),
        "layers": [{"layer": "anything"}, {"layer": "Dense", "units": {"min": 1}}],
    }  # fmt: skip
    asked = NetworkSettings.parse({**free, "output_shape": ["2 * num_actions"]})
    doubled = {count: (2, 2 * count) for count in COUNTS}
    for settings, shapes, expected in (
        (asked, doubled, []),
        (asked, {count: (2, count) for count in COUNTS}, ["NW201"]),
        (NetworkSettings.parse(free), doubled, []),
    ):
        assert codes(judged(shapes=shapes, settings=settings)) == expected


@pytest.mark.parametrize(
    ("method", "found"),
    [
        (ProofMethod.REBUILT, []),
        (ProofMethod.TRANSPLANTED, []),
        (ProofMethod.NONE, ["NW151"]),
    ],
)
def test_answers_that_may_come_from_anything_earn_nothing(
    method: ProofMethod, found: list[str]
) -> None:
    shapes: Shapes = {count: (2, count) for count in COUNTS}
    trial = BehaviourTrial(
        outputs=ArrayRecord.of(VALUES), repeat_difference=0.0, single_difference=0.0, magnitude=1.0
    )
    proof = NetworkProof(method=method)
    verdict = judged_evidence(shapes, behaviour=trial, proof=proof)
    assert (codes(verdict), verdict.fraction) == (found, 0.0 if found else 1.0)
    random = trial.model_copy(update={"repeat_difference": 0.5})
    assert codes(judged_evidence(shapes, behaviour=random, proof=proof)) == ["NW204"]
