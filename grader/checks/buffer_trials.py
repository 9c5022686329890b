"""What the judges of a replay buffer share: its trials, and how findings are told."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from grader.checks.interface import graded, interface_verdict
from grader.checks.trials import Named, fault_verdict, incident_findings, worst
from grader.records.learning_evidence import BufferTrial, ReplayBufferEvidence
from grader.records.result import Finding, Severity, Verdict

Ints = npt.NDArray[np.int64]

ROLE: Final = "buffer_class"
COLUMNS: Final = ("state", "action", "reward", "next_state", "done")


class BufferCode(StrEnum):
    """Codes of findings about a replay buffer."""

    TOO_MANY = "RB101"
    WRONG_ONES_FORGOTTEN = "RB102"
    WRONG_LENGTH = "RB103"
    UNREADABLE = "RB104"
    ROWS = "RB105"
    WRONG_SHAPE = "RB106"
    WRONG_DTYPE = "RB107"
    MIXED = "RB108"
    ALIASED = "RB109"
    OTHER_VALUES = "RB110"
    UNEVEN = "RB111"
    BATCHES_ALIKE = "RB112"
    REPEATS = "RB113"
    SEED_IGNORED = "RB114"
    OVERSAMPLING = "RB115"
    WRONG_SIZE = "RB116"


def begun(
    evidence: ReplayBufferEvidence, trials: tuple[BufferTrial | None, ...]
) -> Verdict | tuple[BufferTrial, ...]:
    """The trials that a check needs, or the verdict when one of them did not come to its end."""
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    found = tuple(trial for trial in trials if trial is not None)
    outcomes: list[Named] = [(trial.label, trial.incident) for trial in found]
    fault = fault_verdict(outcomes, "the buffer")
    if fault is not None:
        return fault
    findings = incident_findings(outcomes, evidence.place(ROLE))
    if findings:
        verdict = graded(0.0, findings)
        return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})
    return found


def numbers_of(trial: BufferTrial) -> Ints:
    """Numbers of the transitions that came back, shape (batches, batch, 5)."""
    if trial.batches is None:
        return np.empty((0, 0, len(COLUMNS)), np.int64)
    return trial.batches.array().astype(np.int64)


def buffer_finding(
    code: BufferCode, claim: str, expected: str, received: str, where: str, advice: str
) -> Finding:
    """An error, in the words that are given."""
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where, expected=expected,
        received=received, try_=advice,
    )  # fmt: skip
