"""Judges of a `target_update` part: the target network's weights after the call.

The update is that of Lillicrap et al., *Continuous control with deep reinforcement learning*
(arXiv:1509.02971), section 3: target ← τ · online + (1 − τ) · target; with τ = 1 a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.interface import graded, interface_verdict, passed
from grader.checks.trials import (
    Named,
    cases_text,
    fault_verdict,
    incident_findings,
    number,
    uncalled_verdict,
    worst,
)
from grader.records.arrays import ArrayRecord
from grader.records.function_settings import TargetUpdateSettings
from grader.records.learning_evidence import TargetUpdateEvidence, UpdateTrial
from grader.records.result import Finding, Severity, Verdict

Array = npt.NDArray[Any]
Weights = tuple[Array, ...]

ROLE: Final = "update"
TOLERANCE: Final = 1e-5
"""Difference allowed for weights of size 2: single precision keeps seven digits."""
SLIP_CREDIT: Final = 0.5


class UpdateCode(StrEnum):
    """Codes of findings about a target update."""

    UNCHANGED = "TU101"
    DIRECTION = "TU102"
    SHARES_EXCHANGED = "TU103"
    ALIASED = "TU104"
    TRAINED_ONLY = "TU105"
    COPIED = "TU106"
    ONLINE_CHANGED = "TU107"
    WRONG_WEIGHTS = "TU108"
    SUMMED = "TU109"
    OTHER_TAU = "TU110"


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether the function is there and takes two networks."""
    evidence: TargetUpdateEvidence = given.evidence
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    outcomes: list[Named] = [(trial.label, trial.incident) for trial in evidence.trials]
    return uncalled_verdict(outcomes, "the update", evidence.place(ROLE)) or passed()


def judge_weights(given: JudgeInput) -> Verdict:
    """Whether the target has the weights asked for; the share of the cases.

    Moving statistics that are left behind cost nothing here, and are told. One slip that explains
    all costs at most half; a target that is changed along with the online network afterwards is
    wrong however its weights look.
    """
    evidence: TargetUpdateEvidence = given.evidence
    settings: TargetUpdateSettings = given.part_settings
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    outcomes: list[Named] = [(trial.label, trial.incident) for trial in evidence.trials]
    fault = fault_verdict(outcomes, "the update")
    if fault is not None:
        return fault
    where = evidence.place(ROLE)
    seen: dict[UpdateCode, list[UpdateTrial]] = {}
    right = 0
    for trial in evidence.trials:
        if trial.incident is not None:
            continue
        code = _mistake(trial, settings)
        right += code is None or code is UpdateCode.TRAINED_ONLY
        if code is not None:
            seen.setdefault(code, []).append(trial)
    exchanged, unchanged = UpdateCode.SHARES_EXCHANGED, UpdateCode.UNCHANGED
    if exchanged in seen and all(t.tau in (None, 1.0) for t in seen.get(unchanged, ())):
        # A copy with exchanged shares leaves everything as it was: one cause is told once.
        seen[exchanged] += seen.pop(unchanged, [])
    findings = (
        *(_finding(code, group, where) for code, group in sorted(seen.items())),
        *incident_findings(outcomes, where),
    )
    share = right / len(evidence.trials)
    errors = {finding.code for finding in findings if finding.severity is Severity.ERROR}
    if len(errors) == 1 and errors <= _SLIPS:
        share = max(share, SLIP_CREDIT)
    verdict = graded(share, findings)
    return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})


def _arrays(records: tuple[ArrayRecord, ...]) -> Weights:
    return tuple(record.array().astype(np.float64) for record in records)


def _same(first: tuple[ArrayRecord, ...], second: tuple[ArrayRecord, ...]) -> bool:
    """Whether nothing changed, values that are not finite included."""
    return all(
        np.array_equal(a.array(), b.array(), equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def _near(first: Weights, second: Weights) -> bool:
    return all(bool(np.all(np.abs(a - b) <= TOLERANCE)) for a, b in zip(first, second, strict=True))


def _mixed(online: Weights, target: Weights, tau: float) -> Weights:
    return tuple(tau * a + (1 - tau) * b for a, b in zip(online, target, strict=True))


def _mistake(trial: UpdateTrial, settings: TargetUpdateSettings) -> UpdateCode | None:
    online, target = _arrays(trial.online), _arrays(trial.target)
    after = _arrays(trial.target_after)
    tau = 1.0 if trial.tau is None else trial.tau
    expected = _mixed(online, target, tau)
    if not _same(trial.target_after, trial.target_later):
        return UpdateCode.ALIASED
    if not _same(trial.online_after, trial.online):
        moved_back = _near(_arrays(trial.online_after), _mixed(target, online, tau))
        return UpdateCode.DIRECTION if moved_back else UpdateCode.ONLINE_CHANGED
    if _near(after, expected):
        return None
    trained_only = tuple(
        right if trained else before
        for right, before, trained in zip(expected, target, trial.trainable, strict=True)
    )
    if _near(after, trained_only):
        return UpdateCode.TRAINED_ONLY
    known: tuple[tuple[UpdateCode, Callable[[], Weights]], ...] = (
        (UpdateCode.UNCHANGED, lambda: target),
        (UpdateCode.SHARES_EXCHANGED, lambda: _mixed(online, target, 1 - tau)),
        (UpdateCode.COPIED, lambda: online),
        (UpdateCode.SUMMED,
         lambda: tuple(tau * a + b for a, b in zip(online, target, strict=True))),
        (UpdateCode.OTHER_TAU, lambda: _mixed(online, target, settings.tau)),
        *((UpdateCode.OTHER_TAU, lambda t=t: _mixed(online, target, t))
          for t in (0.001, 0.005, 0.01, 0.05, 0.1, 0.125, 0.5, 0.9, 0.95, 0.99, 0.995, 0.999)),
    )  # fmt: skip
    for code, weights in known:
        wrong = weights()
        # Known mistakes may leave moving statistics behind, too.
        kept = tuple(
            new if trained else before
            for new, before, trained in zip(wrong, target, trial.trainable, strict=True)
        )
        if _near(after, wrong) or _near(after, kept):
            return code
    return UpdateCode.WRONG_WEIGHTS


_TOLD: Final[dict[UpdateCode, tuple[str, str]]] = {
    UpdateCode.UNCHANGED: (
        "The target network keeps its old weights.",
        "Write to the network itself: `target.set_weights(...)`. `target = clone_model(online)` "
        "only gives another network the name, and `get_weights()` returns copies."),
    UpdateCode.DIRECTION: (
        "The weights go the wrong way: the online network is changed.",
        "Set the weights of the target network, from those of the online network."),
    UpdateCode.SHARES_EXCHANGED: (
        "The shares tau and 1 − tau are exchanged.",
        "`tau * online + (1 - tau) * target`: with a small tau the target moves slowly."),
    UpdateCode.ALIASED: (
        "The two networks share their weights: changing one changes the other.",
        "Copy values (`target.set_weights(online.get_weights())`), not layers or variables."),
    UpdateCode.TRAINED_ONLY: (
        "The moving statistics of batch normalisation are left behind.",
        "Use `weights` or `get_weights()`, which hold them too, not `trainable_weights`."),
    UpdateCode.COPIED: (
        "The target becomes a copy of the online network, whatever tau is.",
        "Mix the two: `tau * online + (1 - tau) * target`."),
    UpdateCode.ONLINE_CHANGED: (
        "The online network is changed.",
        "Read the online network's weights only; nothing but the target changes."),
    UpdateCode.WRONG_WEIGHTS: (
        "The target network has other weights than asked for.",
        "Compute one weight by hand: `tau * online + (1 - tau) * target`."),
    UpdateCode.SUMMED: (
        "The old weights of the target are kept in full.",
        "Give them the share `1 - tau`; otherwise the weights grow with every call."),
    UpdateCode.OTHER_TAU: (
        "Another tau is used than the one that is given.",
        "Use the argument `tau`, not a number of your own."),
}  # fmt: skip
_SLIPS: Final = frozenset({
    UpdateCode.SHARES_EXCHANGED, UpdateCode.COPIED, UpdateCode.SUMMED, UpdateCode.OTHER_TAU,
})  # fmt: skip


def _finding(code: UpdateCode, group: list[UpdateTrial], where: str) -> Finding:
    claim, advice = _TOLD[code]
    first = group[0]
    tau = 1.0 if first.tau is None else first.tau
    online, target, after = (_arrays(w) for w in (first.online, first.target, first.target_after))
    if code in {UpdateCode.ALIASED, UpdateCode.ONLINE_CHANGED, UpdateCode.DIRECTION}:
        expected = "a target network of its own, and the online network as it was"
        received = {
            UpdateCode.ALIASED: "a target that follows when the online network is trained on",
        }.get(code, "other weights in the online network")
    else:
        right = _mixed(online, target, tau)
        index = next(
            (i for i, (a, b) in enumerate(zip(after, right, strict=True)) if not _near((a,), (b,))),
            0,
        )
        spot = tuple(
            int(axis)
            for axis in np.argwhere(~(np.abs(after[index] - right[index]) <= TOLERANCE))[0]
        )
        begun = f"online {number(online[index][spot])}, target {number(target[index][spot])}"
        expected = f"{number(right[index][spot])} for a weight with {begun}"
        received = number(after[index][spot])
    warning = code is UpdateCode.TRAINED_ONLY
    return Finding(
        code=code, severity=Severity.WARNING if warning else Severity.ERROR, claim=claim,
        where=where, expected=expected,
        received=f"{received} ({cases_text([trial.label for trial in group])})", try_=advice,
    )  # fmt: skip


CHECKS: Final = (
    CheckKind(
        id="target_update.interface", settings=NoSettings, judge=judge_interface,
        description="The function is defined and takes two networks.",
    ),
    CheckKind(
        id="target_update.weights", settings=NoSettings, judge=judge_weights,
        description="The share of cases after which the target has the weights asked for and is "
        "still a network of its own; one known slip alone costs at most half.",
    ),
)  # fmt: skip
