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


def nothing_told(trial: BufferTrial, size: int, where: str) -> Finding | None:
    """Why the batches of a trial tell nothing about what is kept and drawn; None when they do.

    Args:
        trial: that came to its end.
        size: transitions asked for in each batch.
        where: place of `sample`.
    """
    numbers = numbers_of(trial)
    if not trial.form or not len(numbers):
        return unreadable(trial, size, where)
    if numbers.shape[1] != size:
        return buffer_finding(
            BufferCode.WRONG_SIZE, "A batch has another size than asked for.",
            f"{size} transitions", str(numbers.shape[1]), where,
            "Draw as many as `batch_size` says.")  # fmt: skip
    unknown = numbers[..., 0] < 0
    if unknown.any():
        return buffer_finding(
            BufferCode.OTHER_VALUES, "A state comes back that was never stored.",
            "the values that were stored",
            f"others, in {100 * float(unknown.mean()):.3g} % of what is drawn", where,
            "Store states as they are given, and draw from the places that are filled.",
        )  # fmt: skip
    return None


def unreadable(trial: BufferTrial, size: int, where: str) -> Finding:
    """That a batch is not what a batch should be."""
    return buffer_finding(
        BufferCode.UNREADABLE, "A batch cannot be read.",
        f"{len(COLUMNS)} arrays of {size}: states, actions, rewards, next states, flags",
        trial.received or "nothing", where,
        "Return `np.array([...])` for each of the five, in this order.")  # fmt: skip


def buffer_finding(
    code: BufferCode, claim: str, expected: str, received: str, where: str, advice: str
) -> Finding:
    """An error, in the words that are given."""
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where, expected=expected,
        received=received, try_=advice,
    )  # fmt: skip
