"""Grades many submissions: slots that work side by side, results written as they come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.assignments.loader import LoadedAssignment
from grader.errors import GraderFault
from grader.intake.discovery import Source, take_in
from grader.pipeline.collecting import Collected, collect, nothing_collected
from grader.pipeline.files import write_class, write_submission
from grader.pipeline.judging import judge
from grader.records.report import GradeReport, SeedSet
from grader.records.submission import Submission
from grader.sandbox.server import WorkerSource, best_source
from grader.scoring.results import selected_checks


@dataclass(frozen=True)
class Batch:
    """What to grade and how."""

    sources: tuple[Source, ...]
    loaded: LoadedAssignment
    seed_set: SeedSet
    public_only: bool = False
    out: Path | None = None
    """Where to write; None writes nothing."""


@dataclass
class Observer:
    """Called while a batch runs, from any thread, one call at a time."""

    started: Callable[[], None] = lambda: None
    """The first worker source is ready."""
    part: Callable[[str, str], None] = lambda _submission, _part: None
    """A part of a submission is about to run."""
    finished: Callable[[GradeReport], None] = lambda _: None
    """A submission is done and written."""


@dataclass
class Outcome:
    """What came of a batch."""

    reports: list[GradeReport] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Faults that kept a submission from having a report at all."""
    interrupted: bool = False


def grade_one(
    source: Source,
    batch: Batch,
    workers: WorkerSource,
    on_part: Callable[[str], None] = lambda _: None,
) -> tuple[GradeReport, Collected]:
    """Takes in, runs and judges one submission."""
    selected = selected_checks(batch.loaded.assignment, public_only=batch.public_only)
    try:
        submission = take_in(source, batch.loaded.assignment)
    except GraderFault as fault:
        return _unreadable(source, batch, str(fault))
    collected = collect(
        submission,
        batch.loaded,
        workers,
        seed_set=batch.seed_set,
        parts=frozenset(check.partition(".")[0] for check in selected),
        on_part=on_part,
    )
    report = judge(collected.evidence, batch.loaded, public_only=batch.public_only)
    return report, collected


def _unreadable(source: Source, batch: Batch, message: str) -> tuple[GradeReport, Collected]:
    """A withheld report for a submission that this machine could not read."""
    submission = Submission(id=source.id)
    collected = nothing_collected(
        submission, batch.loaded, seed_set=batch.seed_set, message=message
    )
    report = judge(collected.evidence, batch.loaded, public_only=batch.public_only)
    return report, collected


class _Slot(threading.Thread):
    """Grades one submission after the other with a worker source of its own."""

    def __init__(self, run: _Run) -> None:
        super().__init__(daemon=True)
        self._run = run
        self.workers: WorkerSource | None = None

    def run(self) -> None:
        try:
            while not self._run.stopped.is_set():
                try:
                    source = self._run.waiting.get_nowait()
                except queue.Empty:
                    return
                self._grade(source)
        finally:
            self.close()

    def _grade(self, source: Source) -> None:
        run = self._run
        try:
            workers = self.workers or self._start()
            report, collected = grade_one(
                source,
                run.batch,
                workers,
                lambda part: run.notify(run.observer.part, source.id, part),
            )
            if run.stopped.is_set():
                return  # the workers may have been ended under it
            if run.batch.out is not None:
                write_submission(run.batch.out, report, collected)
        except Exception as error:  # noqa: BLE001  one submission must not take the others along
            run.fault(f"{source.id}: {error}")
            self.close()
            return
        run.finish(report)
        if not workers.alive():
            self.close()  # the next submission starts with a fresh one

    def _start(self) -> WorkerSource:
        self.workers = workers = best_source()
        try:
            workers.wait_ready()
        except GraderFault as error:
            # Every part will fault and the marks be withheld; here the operator is told why.
            self._run.fault(str(error))
        self._run.notify(self._run.observer.started)
        return workers

    def close(self) -> None:
        """Ends the slot's processes."""
        if self.workers is not None:
            self.workers.close()
            self.workers = None


class _Run:
    """State that the slots of a batch share."""

    def __init__(self, batch: Batch, observer: Observer) -> None:
        self.batch = batch
        self.observer = observer
        self.waiting: queue.SimpleQueue[Source] = queue.SimpleQueue()
        for source in batch.sources:
            self.waiting.put(source)
        self.stopped = threading.Event()
        self.outcome = Outcome()
        self._lock = threading.Lock()

    def notify(self, callback: Callable[..., None], *args: str) -> None:
        with self._lock:
            callback(*args)

    def finish(self, report: GradeReport) -> None:
        with self._lock:
            self.outcome.reports.append(report)
            self.observer.finished(report)

    def fault(self, message: str) -> None:
        with self._lock:
            if not self.stopped.is_set():
                self.outcome.faults.append(message)


def grade_batch(batch: Batch, jobs: int, observer: Observer) -> Outcome:
    """Grades all submissions of a batch and writes the class page.

    Ctrl-C ends the running submissions, keeps the finished ones, and still writes the class page.

    Args:
        batch: what to grade.
        jobs: slots that work side by side.
        observer: told of progress.

    Returns:
        Reports in the order of the submissions' ids, whatever the number of jobs.
    """
    run = _Run(batch, observer)
    slots = [_Slot(run) for _ in range(max(1, min(jobs, len(batch.sources))))]
    for slot in slots:
        slot.start()
    try:
        for slot in slots:
            while slot.is_alive():
                slot.join(0.2)
    except KeyboardInterrupt:
        run.stopped.set()
        run.outcome.interrupted = True
        for slot in slots:
            slot.close()
        for slot in slots:
            slot.join(10)
    outcome = run.outcome
    outcome.reports.sort(key=lambda report: report.submission.id)
    if batch.out is not None and outcome.reports:
        try:
            write_class(batch.out, outcome.reports, batch.loaded)
        except GraderFault as error:
            outcome.faults.append(str(error))
    return outcome


def exit_code(outcome: Outcome, reports: Sequence[GradeReport]) -> int:
    """The command's exit code, as documented for the command line."""
    if outcome.interrupted:
        return 130
    if outcome.faults or any(report.score is None for report in reports):
        return 3
    return 0 if all(report.complete() for report in reports) else 1
