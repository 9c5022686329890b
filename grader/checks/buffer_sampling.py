"""Judge of `replay_buffer.sampling`: does it draw uniformly, and as the assignment wants it?"""

from __future__ import annotations

from typing import Final

import numpy as np

from grader.assignments.registry import JudgeInput
from grader.checks.buffer_trials import BufferCode, Ints, begun, buffer_finding, numbers_of
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
    if not sampling.form:
        return graded(0.0, (buffer_finding(
            BufferCode.UNREADABLE, "A batch cannot be read.", "five arrays", sampling.received,
            where, "Return `np.array([...])` for each of the five."),))  # fmt: skip
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
    oldest = trial.stored - capacity
    batches = numbers_of(trial)[..., 0] - oldest
    draws = batches[(batches >= 0) & (batches < capacity)]
    if draws.size == 0:
        return ()
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
    if len(trials) == 2 and np.array_equal(numbers_of(trials[0]), numbers_of(trials[1])):
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
    count = numbers.shape[1] if numbers.ndim == 2 and trial.form else 0
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
