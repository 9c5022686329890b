"""Target updates, judged from weights before and after."""

import numpy as np
import pytest

from grader.assignments.registry import JudgeInput
from grader.checks.target_update import CHECKS
from grader.records.arrays import ArrayRecord
from grader.records.evidence import Symbol
from grader.records.function_settings import TargetUpdateSettings
from grader.records.incident import Incident, IncidentKind
from grader.records.learning_evidence import TargetUpdateEvidence, UpdateTrial
from grader.records.result import Outcome, Severity
from grader.records.spec import CheckSpec, Isolation, PartSpec

WEIGHTS = next(kind.judge for kind in CHECKS if kind.id == "target_update.weights")
RNG = np.random.default_rng(1)
ONLINE, TARGET, LATER = (
    [RNG.uniform(0.5, 2, shape).astype(np.float32) for shape in ((3, 4), (4,), (4,))]
    for _ in range(3)
)
TRAINABLE = (True, True, False)


def recorded(arrays):
    return tuple(ArrayRecord.of(np.asarray(array, np.float32)) for array in arrays)


def trial(tau, after, online_after=ONLINE, later=None, label="case"):
    return UpdateTrial(
        label=label, tau=tau, trainable=TRAINABLE, online=recorded(ONLINE),
        target=recorded(TARGET), online_after=recorded(online_after),
        target_after=recorded(after), target_later=recorded(after if later is None else later),
    )  # fmt: skip


def judged(*trials):
    check = CheckSpec(title="weights", points=1)
    part = PartSpec(title="Part", kind="target_update", file="work.py", checks={"x": check})
    evidence = TargetUpdateEvidence(
        part="update", file="work.py", isolation=Isolation.PROCESS, trials=trials,
        symbols=(Symbol(role="update", name="update_target", line=2, parameters=()),),
    )  # fmt: skip
    return WEIGHTS(
        JudgeInput(part_id="update", part=part, check=check, settings=None, evidence=evidence,
                   part_settings=TargetUpdateSettings())
    )  # fmt: skip


def mixed(tau):
    return [tau * w + (1 - tau) * t for w, t in zip(ONLINE, TARGET, strict=True)]


def codes(verdict):
    return [finding.code for finding in verdict.findings]


@pytest.mark.parametrize("tau", [0.01, 0.25, 1.0, None])
def test_the_rule_itself_passes(tau):
    verdict = judged(trial(tau, mixed(1.0 if tau is None else tau)))
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


@pytest.mark.parametrize(
    ("after", "code", "share"),
    [
        (TARGET, "TU101", 0.0),
        (mixed(0.75), "TU103", 0.5),
        (ONLINE, "TU106", 0.5),
        ([0.25 * w + t for w, t in zip(ONLINE, TARGET, strict=True)], "TU109", 0.5),
        (mixed(0.005), "TU110", 0.5),
        ([3 * w for w in ONLINE], "TU108", 0.0),
        ([np.full_like(w, np.nan) for w in ONLINE], "TU108", 0.0),
        ([np.full_like(w, np.inf) for w in ONLINE], "TU108", 0.0),
        ([*ONLINE[:2], TARGET[2]], "TU106", 0.5),
    ],
)
def test_wrong_weights_are_named(after, code, share):
    verdict = judged(trial(0.25, after))
    assert (codes(verdict), verdict.fraction) == ([code], share)
    (finding,) = verdict.findings
    assert finding.where == "work.py:2"
    assert "case" in finding.received


def test_statistics_that_are_left_behind_are_a_warning():
    verdict = judged(trial(0.25, [*mixed(0.25)[:2], TARGET[2]]))
    assert (verdict.outcome, codes(verdict)) == (Outcome.PASSED, ["TU105"])
    assert verdict.findings[0].severity is Severity.WARNING


def test_a_target_that_follows_later_is_not_one_of_its_own():
    assert codes(judged(trial(1.0, ONLINE, later=LATER))) == ["TU104"]


def test_the_online_network_must_stay_as_it_was():
    back = [0.25 * t + 0.75 * w for w, t in zip(ONLINE, TARGET, strict=True)]
    assert codes(judged(trial(0.25, TARGET, online_after=back))) == ["TU102"]
    assert codes(judged(trial(0.25, mixed(0.25), online_after=LATER))) == ["TU107"]


def test_exchanged_shares_are_told_once_also_where_nothing_moves():
    verdict = judged(trial(0.25, mixed(0.75)), trial(1.0, TARGET))
    assert (codes(verdict), verdict.fraction) == (["TU103"], 0.5)


def test_a_call_that_raised_is_told_beside_the_others():
    end = Incident(kind=IncidentKind.RAISED, stage="calling the update", error_type="ValueError",
                   message="no")  # fmt: skip
    verdict = judged(trial(0.25, mixed(0.25)), UpdateTrial(label="more", tau=None, incident=end))
    assert verdict.outcome is Outcome.PARTIAL
    assert len(verdict.findings) == 1


def test_shares_near_a_half_are_refused():
    with pytest.raises(ValueError, match=r"0\.5"):
        TargetUpdateSettings(tau=0.5)
