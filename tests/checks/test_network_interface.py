from __future__ import annotations

from typing import Any

import pytest

from grader.assignments.registry import JudgeInput, NoSettings
from grader.checks.advice.codes import KerasCode, RelicCode
from grader.checks.incidents import GeneralCode
from grader.checks.network import CHECKS
from grader.checks.network_codes import NetworkCode as Code
from grader.records.evidence import Symbol, Unresolved
from grader.records.incident import Frame, Incident, IncidentKind, LimitName
from grader.records.network_evidence import BuildTrial, NetworkEvidence
from grader.records.network_settings import NetworkSettings
from grader.records.result import Outcome, Verdict
from grader.records.spec import CheckSpec, Isolation, PartSpec

JUDGE = {kind.id: kind.judge for kind in CHECKS}["network.interface"]
COUNTS = (4, 6, 18)
SETTINGS = NetworkSettings.parse(
    {
        "input_shapes": [[84, 84, 4], [4, 84, 84]],
        "num_actions": list(COUNTS),
        "layers": [{"layer": "Dense", "units": "num_actions"}],
    }
)
CHECK = CheckSpec(title="builds", points=4)
PART = PartSpec(title="Network", kind="network", file="network.py", checks={"interface": CHECK})


def built(count: int, **more: Any) -> BuildTrial:
    fields = {"returned": "Sequential", "is_model": True, "output_shapes": ((2, count),)}
    return BuildTrial(arguments={"num_actions": count}, **{**fields, **more})


def judged(*builds: BuildTrial, **more: Any) -> Verdict:
    fields: dict[str, Any] = {"input_shapes": ((84, 84, 4),)}
    evidence = NetworkEvidence(
        part="network",
        file="network.py",
        isolation=Isolation.FULL,
        symbols=(Symbol(role="builder", name="create_q_model", line=9, parameters=("n",)),),
        builds=builds,
        **{**fields, **more},
    )
    return JUDGE(
        JudgeInput(
            part_id="network",
            part=PART,
            check=CHECK,
            part_settings=SETTINGS,
            settings=NoSettings(),
            evidence=evidence,
        )
    )


def raised(message: str, error_type: str = "ValueError", stage: str = "building") -> Incident:
    return Incident(
        kind=IncidentKind.RAISED,
        stage=stage,
        error_type=error_type,
        message=message,
        frames=(Frame(file="network.py", line=12, function="create_q_model"),),
    )


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


def test_a_model_for_every_number_of_actions_that_takes_the_input_passes() -> None:
    verdict = judged(*map(built, COUNTS))
    assert (verdict.outcome, verdict.fraction, verdict.findings) == (Outcome.PASSED, 1.0, ())


def test_the_second_accepted_shape_is_as_good_as_the_first() -> None:
    verdict = judged(
        *map(built, COUNTS), input_shapes=((4, 84, 84),), rejected_inputs=(raised("bad shape"),)
    )
    assert verdict.outcome is Outcome.PASSED


def test_the_number_of_outputs_is_left_to_other_checks() -> None:
    verdict = judged(*(built(count, output_shapes=((2, 4),)) for count in COUNTS))
    assert verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("returned", "code", "advice"),
    [
        ("NoneType", Code.NOTHING_RETURNED, "return model"),
        ("None", Code.NOTHING_RETURNED, "return model"),
        ("type", Code.NOT_A_MODEL, "call it"),
        ("keras.src.callbacks.history.History", Code.NOT_A_MODEL, "history of the training"),
        ("tuple", Code.NOT_A_MODEL, "alone"),
        ("list", Code.NOT_A_MODEL, "keras.Sequential(layers)"),
        ("KerasTensor", Code.NOT_A_MODEL, "keras.Model(inputs, outputs)"),
        ("function", Code.NOT_A_MODEL, "parentheses"),
        ("Dense", Code.NOT_A_MODEL, "keras.Sequential"),
        ("", Code.NOT_A_MODEL, "keras.Sequential"),
    ],
)
def test_what_is_returned_instead_of_a_model_is_told_once(
    returned: str, code: Code, advice: str
) -> None:
    verdict = judged(
        *(built(n, returned=returned, is_model=False, output_shapes=()) for n in COUNTS),
        input_shapes=(),
    )
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    (finding,) = verdict.findings
    assert finding.code == code
    assert finding.where == "network.py:9"
    assert advice in (finding.try_ or "")


def test_a_builder_that_works_for_some_numbers_only_earns_its_share() -> None:
    broken = built(18, is_model=False, output_shapes=(), incident=raised("no such game"))
    verdict = judged(built(4), built(6), broken)
    assert verdict.outcome is Outcome.PARTIAL
    assert verdict.fraction == pytest.approx(1 - 0.5 / 3)
    assert codes(verdict) == [GeneralCode.RAISED]
    assert verdict.findings[0].where == "network.py:12"


def test_one_error_in_all_builds_is_told_once() -> None:
    verdict = judged(
        *(
            built(n, is_model=False, incident=raised("shapes", stage=f"calling it with {n}"))
            for n in COUNTS
        ),
        input_shapes=(),
    )
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [GeneralCode.RAISED]


def test_a_refused_input_costs_half_and_says_why() -> None:
    verdict = judged(
        *(built(n, output_shapes=()) for n in COUNTS),
        input_shapes=(),
        rejected_inputs=(raised("expected axis -1 to be 3"), raised("negative dimension")),
    )
    assert (verdict.outcome, verdict.fraction) == (Outcome.PARTIAL, 0.5)
    (finding,) = verdict.findings
    assert finding.code == Code.INPUT_REFUSED
    assert "(84, 84, 4): expected axis -1 to be 3" in (finding.received or "")
    assert "(4, 84, 84): negative dimension" in (finding.received or "")


def test_the_reason_is_told_without_what_keras_adds() -> None:
    message = "expected axis -1 Arguments received by Functional.call(): [[[3."
    verdict = judged(*map(built, COUNTS), input_shapes=(), rejected_inputs=(raised(message),))
    assert verdict.findings[0].received == "for (84, 84, 4): expected axis -1"


def test_channels_first_is_recognised_where_it_cannot_be_computed() -> None:
    verdict = judged(
        *map(built, COUNTS),
        input_shapes=(),
        rejected_inputs=(
            raised("incompatible with the layer"),
            raised("The Conv2D op currently only supports the NHWC tensor format on the CPU."),
        ),
    )
    assert codes(verdict) == [Code.CHANNELS_FIRST]
    assert (verdict.outcome, verdict.fraction) == (Outcome.PARTIAL, 0.5)


def test_a_limit_in_every_build_leaves_it_without_judgement() -> None:
    limit = Incident(
        kind=IncidentKind.LIMIT, stage="building", limit=LimitName.MEMORY, limit_value="4096 MiB"
    )
    verdict = judged(built(4, is_model=False, incident=limit), input_shapes=())
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, [GeneralCode.MEMORY])


def test_a_limit_while_trying_the_input_is_told_by_name() -> None:
    limit = Incident(
        kind=IncidentKind.LIMIT, stage="calling", limit=LimitName.CALL_CPU, limit_value="10 s"
    )
    verdict = judged(*map(built, COUNTS), input_shapes=(), rejected_inputs=(limit,))
    assert codes(verdict) == [Code.INPUT_REFUSED, GeneralCode.CALL_CPU]


@pytest.mark.parametrize("place", ["build", "input", "nowhere", "untried input"])
def test_a_failure_of_the_grader_withholds_the_mark(place: str) -> None:
    fault = Incident(kind=IncidentKind.FAULT, stage="building")
    verdict = {
        "build": lambda: judged(built(4, is_model=False, incident=fault), built(6), built(18)),
        "input": lambda: judged(*map(built, COUNTS), input_shapes=(), rejected_inputs=(fault,)),
        "nowhere": lambda: judged(),
        "untried input": lambda: judged(*map(built, COUNTS), input_shapes=()),
    }[place]()
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAULT, 0.0)


def test_a_missing_builder_fails() -> None:
    missing = Unresolved(role="builder", accepted=("create_q_model",), available=("make",))
    verdict = judged(unresolved=(missing,))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [GeneralCode.NAME_NOT_FOUND])


@pytest.mark.parametrize("where", ["construction", "build"])
def test_arguments_of_keras_1_are_named(where: str) -> None:
    old = raised("Unrecognized keyword arguments passed to Conv2D: {'subsample': (4, 4)}")
    verdict = (
        judged(construction=old)
        if where == "construction"
        else judged(*(built(n, is_model=False, incident=old) for n in COUNTS))
    )
    assert codes(verdict) == [RelicCode.SUBSAMPLE]
    assert "subsample" in (verdict.findings[0].received or "")
    assert verdict.findings[0].where == "network.py:12"


def test_all_arguments_of_keras_1_are_named_together() -> None:
    old = raised("Unrecognized keyword arguments: {'subsample': (4, 4), 'border_mode': 'valid'}")
    verdict = judged(built(4, is_model=False, incident=old), input_shapes=())
    assert codes(verdict) == [Code.OLD_ARGUMENTS, RelicCode.SUBSAMPLE, RelicCode.BORDER_MODE]
    assert verdict.findings[0].received == "subsample, border_mode"


def test_an_error_in_call_is_told_as_what_it_is_and_not_as_an_input_that_is_refused() -> None:
    message = "Exception encountered when calling M.call(). Model M does not have a `call()` method"
    verdict = judged(
        *map(built, COUNTS),
        input_shapes=(),
        rejected_inputs=(raised(f"{message} implemented."), raised("something else")),
    )
    assert codes(verdict) == [KerasCode.NO_CALL]


def test_the_shape_a_model_is_made_for_is_told_where_keras_names_it() -> None:
    message = "Input 0 is incompatible: expected shape=(None, 84, 84, 1), found shape=(2, 4, 84)"
    verdict = judged(
        *map(built, COUNTS),
        input_shapes=(),
        rejected_inputs=(raised("expected axis -1"), raised(message)),
    )
    (finding,) = verdict.findings
    assert finding.received == "a model made for inputs of the shape (84, 84, 1)"


def test_arguments_that_do_not_fit_are_told_at_the_builder() -> None:
    misfit = Incident(
        kind=IncidentKind.RAISED, stage="calling it", error_type="SignatureMismatch",
        message="it needs `env`",
    )  # fmt: skip
    (finding,) = judged(built(4, is_model=False, incident=misfit), input_shapes=()).findings
    assert (finding.where, finding.received) == ("network.py:9", "it needs `env`")


def test_other_errors_do_not_name_arguments_of_keras_1() -> None:
    verdict = judged(construction=raised("unexpected keyword 'filtres'", "TypeError"))
    assert codes(verdict) == [GeneralCode.RAISED]
