"""Judges of a `replay_buffer` part: what it keeps, what it returns, and how it draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.buffer_sampling import judge_sampling
from grader.checks.buffer_trials import (
    COLUMNS,
    ROLE,
    BufferCode,
    begun,
    buffer_finding,
    nothing_told,
    numbers_of,
    unreadable,
)
from grader.checks.interface import graded, passed
from grader.records.function_settings import ReplayBufferSettings, SamplingSettings
from grader.records.learning_evidence import BufferTrial, ReplayBufferEvidence
from grader.records.result import Finding, Severity, Verdict


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether the class and its methods are there, and it can be filled and asked."""
    evidence: ReplayBufferEvidence = given.evidence
    found = begun(evidence, (evidence.filling,))
    return found if isinstance(found, Verdict) else passed()


def judge_capacity(given: JudgeInput) -> Verdict:
    """Whether it says how much it holds, keeps no more than its capacity, and forgets the oldest.

    One third each; nothing where batches do not tell what it keeps.
    """
    evidence: ReplayBufferEvidence = given.evidence
    settings: ReplayBufferSettings = given.part_settings
    found = begun(evidence, (evidence.filling, evidence.overflowing))
    if isinstance(found, Verdict):
        return found
    filling, full = found
    nothing = nothing_told(full, settings.batch_size, evidence.place("sample"))
    if nothing is not None:
        return graded(0.0, (nothing,))
    where, findings = evidence.place(ROLE), []
    capacity = settings.capacity
    too_many = (full.length or 0) > capacity
    if filling.length != filling.stored or (full.length != capacity and not too_many):
        bad = filling if filling.length != filling.stored else full
        findings.append(buffer_finding(
            BufferCode.WRONG_LENGTH, "`len(buffer)` is not the number of transitions it holds.",
            f"{min(bad.stored, capacity)} after {bad.stored} of at most {capacity} were stored",
            _length_of(bad), where,
            "Return the number of transitions that are stored: at most the capacity."))  # fmt: skip
    if too_many:
        findings.append(buffer_finding(
            BufferCode.TOO_MANY, "The buffer grows beyond its capacity.",
            f"at most {capacity} transitions", f"{full.length} after {full.stored} were stored",
            evidence.place("add"),
            "Keep them in a `collections.deque(maxlen=capacity)`, or write to place "
            "`self.position`, and go round with `% capacity`."))  # fmt: skip
    oldest = full.stored - capacity
    drawn = numbers_of(full)[..., 0]
    old = np.unique(drawn[drawn < oldest])
    if old.size and not too_many:
        findings.append(buffer_finding(
            BufferCode.WRONG_ONES_FORGOTTEN,
            "The buffer forgets other transitions than the oldest ones.",
            f"transitions {oldest} to {full.stored - 1} of {full.stored}, the newest {capacity}",
            f"transition {int(old[0])}"
            + (f" and {old.size - 1} more that are older" if old.size > 1 else ""),
            evidence.place("add"),
            "When it is full, put the new transition in the place of the oldest one."))  # fmt: skip
    lost = [any(f.code == BufferCode.WRONG_LENGTH for f in findings), too_many, bool(old.size)]
    return graded(1 - sum(lost) / len(lost), tuple(findings))


def _length_of(trial: BufferTrial) -> str:
    if trial.length is not None:
        return str(trial.length)
    return f"no whole number: {trial.length_received or 'nothing'}"


def judge_batches(given: JudgeInput) -> Verdict:
    """Whether batches are arrays of the right form, hold what was stored, and keep it together.

    Form and transitions that stay together count alike, and so does keeping them when the arrays
    are used again where the part's `copies` asks for it; where not, that is a warning.
    """
    evidence: ReplayBufferEvidence = given.evidence
    settings: ReplayBufferSettings = given.part_settings
    found = begun(evidence, (evidence.filling, evidence.sampling, evidence.aliasing))
    if isinstance(found, Verdict):
        return found
    filling, sampling, aliasing = found
    where = evidence.place("sample")
    for trial in found:
        if not trial.form or not numbers_of(trial).size:
            return graded(0.0, (unreadable(trial, settings.batch_size, where),))
    form = _form_findings(filling, settings, where)
    together = _together_findings(sampling, where)
    kept = () if together else _alias_findings(aliasing, settings, evidence.place("add"))
    findings = (*form, *together, *kept)
    if (numbers_of(sampling)[..., 0] < 0).all():
        return graded(0.0, findings)  # nothing of what was stored comes back
    lost = [bool(form), bool(together)]
    if settings.copies:
        lost.append(bool(kept) or bool(together))
    return graded(1 - sum(lost) / len(lost), findings)


def _form_findings(
    trial: BufferTrial, settings: ReplayBufferSettings, where: str
) -> tuple[Finding, ...]:
    size = settings.batch_size
    if trial.form == "rows":
        return (buffer_finding(
            BufferCode.ROWS, "A batch is a list of transitions, not one array for each quantity.",
            f"{len(COLUMNS)} arrays: {', '.join(settings.columns)}", trial.received, where,
            "Turn the rows into columns: `states, actions, rewards, next_states, dones = "
            "map(np.array, zip(*batch))`."),)  # fmt: skip
    findings = []
    wanted = dict.fromkeys(("action", "reward", "done"), (size,)) | dict.fromkeys(
        ("state", "next_state"), (size, *settings.observation_shape)
    )
    counts = {shape[0] for shape in trial.shapes.values() if shape}
    if counts != {size}:
        findings.append(buffer_finding(
            BufferCode.WRONG_SIZE, "A batch has another size than asked for.",
            f"{size} transitions", f"{min(counts, default=0)}", where,
            "Draw as many as `batch_size` says."))  # fmt: skip
    else:
        wrong = [name for name in COLUMNS if trial.shapes.get(name) != wanted[name]]
        if wrong:
            findings.append(buffer_finding(
                BufferCode.WRONG_SHAPE, f"The {_words(wrong)} of a batch have the wrong shape.",
                str(wanted[wrong[0]]), str(trial.shapes.get(wrong[0])), where,
                "The first axis is the batch; an action, a reward or a flag is one number, without "
                "an axis of its own."))  # fmt: skip
    bad = [name for name in COLUMNS if not _dtype_fits(name, trial.dtypes.get(name, ""))]
    if bad:
        expected = {"action": "whole numbers, such as int64", "done": "bool or numbers"}
        findings.append(buffer_finding(
            BufferCode.WRONG_DTYPE, f"The {_words(bad)} of a batch have the wrong type.",
            f"an array of {expected.get(bad[0], 'float32')}", trial.dtypes.get(bad[0], "nothing"),
            where,
            "Give `np.array` a dtype: float32 for states and rewards, int64 for actions.",
        ))  # fmt: skip
    return tuple(findings)


def _dtype_fits(name: str, dtype: str) -> bool:
    kind = dtype.rstrip("0123456789")
    if name == "action":
        return kind in {"int", "uint"} and dtype not in {"int", "uint"}
    if name == "done":
        return kind in {"bool", "int", "uint", "float"} and dtype not in {"int", "float"}
    if name == "reward":
        return kind == "float" and dtype != "float"
    return kind in {"float", "uint", "int"} and dtype not in {"float", "int", "uint"}


def _words(names: list[str]) -> str:
    plural = [f"{name.replace('_', ' ')}s" for name in names]
    return plural[0] if len(plural) == 1 else f"{', '.join(plural[:-1])} and {plural[-1]}"


def _together_findings(trial: BufferTrial, where: str) -> tuple[Finding, ...]:
    numbers = numbers_of(trial).reshape(-1, len(COLUMNS))
    unknown = (numbers[:, (0, 2, 3)] < 0).any(axis=1)
    mixed = ~unknown & (numbers != numbers[:, :1]).any(axis=1)
    if mixed.any():
        row = numbers[int(np.argmax(mixed))]
        other = next(name for name, n in zip(COLUMNS, row, strict=True) if n != row[0])
        share = 100 * float(mixed.mean())
        return (buffer_finding(
            BufferCode.MIXED, "Values of different transitions are mixed.",
            f"the {other.replace('_', ' ')} that was stored with state {row[0]}",
            f"that of another transition (in {share:.3g} % of what is drawn)", where,
            "Draw the indices once, and take all five arrays at the same indices."),)  # fmt: skip
    if unknown.any():
        row = numbers[int(np.argmax(unknown))]
        other = next(name for name, n in zip(COLUMNS, row, strict=True) if n < 0)
        return (buffer_finding(
            BufferCode.OTHER_VALUES, f"A {other.replace('_', ' ')} comes back that was never "
            "stored.", "the values that were stored",
            f"others, in {100 * float(unknown.mean()):.3g} % of what is drawn", where,
            "Draw from the places that are filled, and store with a dtype that keeps decimals.",
        ),)  # fmt: skip
    return ()


def _alias_findings(
    trial: BufferTrial, settings: ReplayBufferSettings, where: str
) -> tuple[Finding, ...]:
    numbers = numbers_of(trial)
    changed = (numbers[..., 0] < 0) | (numbers[..., 3] < 0)
    if not changed.any():
        return ()
    found = buffer_finding(
        BufferCode.ALIASED, "What is stored changes when the caller uses the array again.",
        "the state as it was when it was stored", "what was written to the array afterwards", where,
        "Store a copy: `np.array(state, copy=True)`. Environments may reuse one array for all "
        "observations.")  # fmt: skip
    return (found if settings.copies else found.model_copy(update={"severity": Severity.WARNING}),)


_Judge = Callable[[JudgeInput], Verdict]
_DESCRIBED: Final[tuple[tuple[str, _Judge, str], ...]] = (
    ("interface", judge_interface,
     "The class and its methods are there; it can be filled and asked for a batch."),
    ("capacity", judge_capacity,
     "Its length is right, it keeps at most its capacity, and forgets the oldest; a third each."),
    ("batches", judge_batches,
     "Arrays of the right shapes and types, transitions that stay together, and, with `copies`, "
     "copies of what is stored; all alike."),
)  # fmt: skip
CHECKS: Final = (
    *(
        CheckKind(
            id=f"replay_buffer.{name}", settings=NoSettings, judge=judge, description=description
        )
        for name, judge, description in _DESCRIBED
    ),
    CheckKind(
        id="replay_buffer.sampling", settings=SamplingSettings, judge=judge_sampling,
        description="Transitions are drawn uniformly (half), and as the assignment wants it: "
        "without repeats, reproducibly under a seed, with its rule for too large batches.",
    ),
)  # fmt: skip
