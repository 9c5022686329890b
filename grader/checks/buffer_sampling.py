"""Judge of `replay_buffer.sampling`: does it draw uniformly, and as the assignment wants it?"""

from __future__ import annotations

from typing import Final

import numpy as np

from grader.assignments.registry import JudgeInput
from grader.checks.buffer_trials import (
    BufferCode,
    Ints,
    begun,
    buffer_finding,
    nothing_told,
    numbers_of,
)
from grader.checks.interface import graded
from grader.records.function_settings import ReplayBufferSettings, SamplingSettings
from grader.records.learning_evidence import BufferTrial, ReplayBufferEvidence
from grader.records.result import Finding, Verdict
from grader.statistics.uniformity import frequencies, level_per_test, single_value

_UNIFORMITY_TESTS: Final = 3


def judge_sampling(given: JudgeInput) -> Verdict:
    """Whether what is drawn is drawn uniformly, as the assignment wants it.

    Uniformity counts half; repeats, seeds and asking for too much share the rest where they are
    asked for.
    """
    evidence: ReplayBufferEvidence = given.evidence
    wanted: ReplayBufferSettings = given.part_settings
    settings: SamplingSettings = given.settings
    trials = (evidence.sampling, evidence.oversampling)
    found = begun(evidence, (*trials, *evidence.seeded) if settings.seeded else trials)
    if isinstance(found, Verdict):
        return found
    sampling, oversampling, *seeded = found
    where = evidence.place("sample")
    nothing = nothing_told(sampling, wanted.batch_size, where)
    if nothing is not None:
        return graded(0.0, (nothing,))
    uneven = _uneven(sampling, wanted.capacity, settings.false_alarm, where)
    further: list[tuple[Finding, ...]] = []
    if settings.without_repeats:
        further.append(_repeats(sampling, where))
    if settings.seeded:
        further.append(_seeded(seeded, where))
    if wanted.oversampling != "any":
        further.append(_oversampled(oversampling, wanted, where))
    findings = (*uneven, *(finding for each in further for finding in each))
    if not further:
        return graded(0.0 if uneven else 1.0, findings)
    rest = sum(not each for each in further) / len(further)
    return graded(0.5 * (not uneven) + 0.5 * rest, findings)


def _uneven(
    trial: BufferTrial, capacity: int, false_alarm: float, where: str
) -> tuple[Finding, ...]:
    """Whether all stored transitions come equally often, and batches do not depend on each other.

    Draws without repeats within a batch are more even than independent ones, so that the tests of
    independent draws raise fewer false alarms than stated, never more.
    """
    # A buffer that keeps more than it should is told so by `capacity`; here it is asked whether it
    # draws evenly from what it keeps.
    numbers = numbers_of(trial)[..., 0]
    oldest = min(trial.stored - capacity, int(numbers.min()))
    capacity = trial.stored - oldest
    batches = numbers - oldest
    draws = batches.reshape(-1)
    level = level_per_test(false_alarm, _UNIFORMITY_TESTS)
    even = min(frequencies(draws, capacity)[1], single_value(draws, capacity)[1])
    if even < level:
        counts = np.bincount(draws, minlength=capacity)
        odd = int(np.argmax(np.abs(counts - counts.mean())))
        return (buffer_finding(
            BufferCode.UNEVEN, "Some transitions are drawn more often than others.",
            f"each about {draws.size / capacity:.3g} times in {draws.size} draws",
            f"number {odd + 1} of {capacity}, from the oldest, {counts[odd]} times", where,
            "Draw indices uniformly from all that is stored: `rng.choice(len(self), batch_size, "
            "replace=False)`."),)  # fmt: skip
    if _overlap_p(batches, capacity) < level:
        return (buffer_finding(
            BufferCode.BATCHES_ALIKE, "One batch depends on the one before.",
            "batches drawn independently of each other",
            "batches that overlap more often or more rarely than chance explains", where,
            "Draw anew for every batch: no fixed order, no shuffled list that is cut into pieces, "
            "no generator that is seeded again."),)  # fmt: skip
    return ()


def _overlap_p(batches: Ints, capacity: int) -> float:
    """An upper bound for how likely two following batches overlap so much, or so little.

    Whatever the first of two batches is, each draw of the second lies in it with probability
    |first| / capacity. The deviations of the counts are bounded and have mean 0, so Hoeffding's
    inequality (*Journal of the American Statistical Association* 58:13, 1963, theorem 2, which
    holds for such sums of dependent terms too) bounds their sum, with and without repeats.
    """
    pairs = len(batches) // 2
    size = batches.shape[1]
    if pairs == 0 or size == 0:
        return 1.0
    deviation = 0.0
    for first, second in batches[: 2 * pairs].reshape(pairs, 2, size):
        seen = np.unique(first)
        deviation += float(np.isin(second, seen).sum()) - size * seen.size / capacity
    return float(min(1.0, 2 * np.exp(-2 * deviation**2 / (pairs * size**2))))


def _repeats(trial: BufferTrial, where: str) -> tuple[Finding, ...]:
    batches = numbers_of(trial)[..., 0]
    repeated = [b for b in batches if np.unique(b[b >= 0]).size < (b >= 0).sum()]
    if not repeated:
        return ()
    return (buffer_finding(
        BufferCode.REPEATS, "A batch holds one transition more than once.",
        "different transitions in each batch",
        f"repeats in {len(repeated)} of {len(batches)} batches", where,
        "Draw without replacement: `random.sample(self.memory, batch_size)` or `rng.choice(n, "
        "batch_size, replace=False)`."),)  # fmt: skip


def _seeded(trials: list[BufferTrial], where: str) -> tuple[Finding, ...]:
    drawn = [numbers_of(trial) for trial in trials]
    if len(drawn) == 2 and drawn[0].size and np.array_equal(drawn[0], drawn[1]):
        return ()
    return (buffer_finding(
        BufferCode.SEED_IGNORED, "Two buffers made with the same seed draw different batches.",
        "the same batches from the same seed, in every run", "other batches", where,
        "Make one generator in `__init__` with `np.random.default_rng(seed)`, and draw from it "
        "alone."),)  # fmt: skip


def _oversampled(
    trial: BufferTrial, wanted: ReplayBufferSettings, where: str
) -> tuple[Finding, ...]:
    numbers = numbers_of(trial)[..., 0]
    readable = numbers.ndim == 2 and bool(trial.form) and bool((numbers >= 0).all())
    count = numbers.shape[1] if readable else 0
    seen = {
        "error": bool(trial.raised),
        "fewer": not trial.raised and count == trial.stored,
        "repeats": not trial.raised and count == wanted.batch_size,
    }
    if seen[wanted.oversampling]:
        return ()
    asked = {
        "error": "an exception, such as ValueError", "fewer": f"the {trial.stored} that there are",
        "repeats": f"{wanted.batch_size} transitions, some of them twice",
    }  # fmt: skip
    return (buffer_finding(
        BufferCode.OVERSAMPLING, "Asking for more than is stored has the wrong effect.",
        asked[wanted.oversampling],
        trial.raised or f"{count} transitions", where,
        f"{trial.stored} are stored and {wanted.batch_size} asked for: compare `batch_size` with "
        "`len(self)` first."),)  # fmt: skip
