"""Grades many submissions: slots that work side by side, results written as they come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grader.assignments.loader import LoadedAssignment
from grader.episodes.lanes import SpareJobs
from grader.errors import GraderFault
from grader.intake.discovery import Source
from grader.pipeline.durable import locked
from grader.pipeline.files import clear_leftovers, write_class, write_submission
from grader.pipeline.grading import Graded, grade_one, unchanged_report, withheld
from grader.pipeline.journal import Terms
from grader.records.report import GradeReport, ReportStatus, SeedSet
from grader.records.spec import Isolation
from grader.sandbox.server import WorkerSource, best_source

_VAIN_RETRIES: Final = 3
"""After so many submissions in a row that lost their workers twice, none is tried again."""
_VAIN_STARTS: Final = 6
"""After so many starts in a row that failed, nothing is started any more."""


@dataclass(frozen=True)
class Batch:
    """What to grade and how."""

    sources: tuple[Source, ...]
    loaded: LoadedAssignment
    seed_set: SeedSet
    public_only: bool = False
    out: Path | None = None
    """Where to write; None writes nothing."""
    isolation: Isolation | None = None
    """How workers are kept in; None for the strongest level that this machine has."""
    fresh: bool = False
    """Grade everything, whatever earlier runs have left in `out`."""

    def terms(self) -> Terms:
        """What is asked of every submission."""
        return Terms(self.loaded, self.seed_set, self.public_only, self.isolation)


@dataclass
class Observer:
    """Called while a batch runs, from any thread, one call at a time."""

    kept: Callable[[int], None] = lambda _: None
    """So many submissions were graded before and need nothing; called once, first of all."""
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
    """Whole where nothing is written; else their outlines, so that a class of hundreds takes no
    more memory than one."""
    faults: list[str] = field(default_factory=list)
    """What was lost to a fault of the grader's or the machine's, and to which."""
    interrupted: bool = False
    kept: int = 0
    """Reports of an earlier run that were taken as they are."""
    judged_again: int = 0
    """Reports made anew from evidence of an earlier run, without running anything."""
    left_out: tuple[str, ...] = ()
    """Submissions of earlier runs that the class page leaves out, because their files were changed
    or never finished."""


class _Slot(threading.Thread):
    """Grades one submission after the other with a worker source of its own."""

    def __init__(self, run: _Run) -> None:
        super().__init__(daemon=True)
        self._run = run
        self.workers: WorkerSource | None = None
        self._ending = threading.Lock()

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
            self._run.spare.give()

    def _grade(self, source: Source) -> None:
        run = self._run
        try:
            graded, lost = self._attempt(source)
            if lost is not None and run.may_retry():
                retries = [lost]
                graded, lost = self._attempt(source)
                graded.collected.retries.extend(retries)
            if run.stopped.is_set():
                return  # the workers may have been ended under it
            run.attempted(lost=lost is not None)
            if lost is not None and graded.report.status is ReportStatus.WITHHELD:
                run.fault(f"{source.id}: {lost}")
            if run.batch.out is not None:
                write_submission(run.batch.out, graded.report, graded.collected, graded.entry)
        except Exception as error:  # noqa: BLE001  one submission must not take the others along
            run.fault(f"{source.id}: {error}")
            return
        run.finish(graded)

    def _attempt(self, source: Source) -> tuple[Graded, str | None]:
        """Grades a submission; answers also what failed on the grader's side, if anything did."""
        run = self._run
        try:
            graded = grade_one(
                source,
                run.terms,
                self._ready,
                folder=None if run.batch.fresh else run.folder(source),
                on_part=lambda part: run.notify(run.observer.part, source.id, part),
                films=run.batch.out is not None,
                spare=run.spare,
            )
        except GraderFault as fault:
            self.close()
            return withheld(source, run.terms, str(fault), stage="starting a worker"), str(fault)
        failed, workers = graded.collected.fault(), self.workers
        if failed is None and (workers is None or workers.alive()):
            return graded, None
        self.close()  # the next attempt starts with a fresh one
        return graded, failed or "the fork server ended"

    def _ready(self) -> WorkerSource:
        """The slot's worker source, started when first asked for.

        Raises:
            GraderFault: it does not start; the operator must act.
        """
        workers = self.workers
        if workers is None:
            self._run.refuse_in_vain()
            try:
                self.workers = workers = best_source(self._run.batch.isolation)
                workers.wait_ready()
            except (GraderFault, OSError) as error:
                self._run.started(error)
                raise GraderFault(f"no worker can be started: {error}") from error
            self._run.started()
        return workers

    def close(self) -> None:
        """Ends the slot's processes; an interruption calls it while the slot may do so itself."""
        with self._ending:
            workers, self.workers = self.workers, None
        if workers is not None:
            workers.close()


class _Run:
    """State that the slots of a batch share."""

    def __init__(self, batch: Batch, observer: Observer) -> None:
        self.batch = batch
        self.terms = batch.terms()
        self.observer = observer
        self.waiting: queue.SimpleQueue[Source] = queue.SimpleQueue()
        self.stopped = threading.Event()
        self.outcome = Outcome()
        self.spare = SpareJobs()
        """Jobs of slots that do not exist, or have nothing more to grade."""
        self._lost_in_a_row = 0
        self._failed_starts = 0
        self._last_failure = ""
        self._lock = threading.Lock()

    def folder(self, source: Source) -> Path | None:
        """Where a submission's report is written."""
        return None if self.batch.out is None else self.batch.out / source.id

    def sort_out(self) -> None:
        """Takes the reports that still hold; queues the submissions that need grading."""
        for source in self.batch.sources:
            folder = None if self.batch.fresh else self.folder(source)
            report = None if folder is None else unchanged_report(source, self.terms, folder)
            if report is None:
                self.waiting.put(source)
            else:
                self.outcome.reports.append(report.outline())
        self.outcome.kept = len(self.outcome.reports)
        if self.outcome.kept:
            self.observer.kept(self.outcome.kept)

    def may_retry(self) -> bool:
        """Whether to start again what lost its workers; not when that keeps being in vain."""
        return self._lost_in_a_row < _VAIN_RETRIES and not self.stopped.is_set()

    def refuse_in_vain(self) -> None:
        """Keeps a class from waiting hours for a machine that starts no worker at all.

        Raises:
            GraderFault: the last starts have all failed; the operator must act.
        """
        if self._failed_starts >= _VAIN_STARTS:
            raise GraderFault(self._last_failure)

    def started(self, failure: Exception | None = None) -> None:
        """Takes note of a start, or of what it failed by."""
        with self._lock:
            if failure is None:
                self._failed_starts = 0
                self.observer.started()
            else:
                self._failed_starts += 1
                self._last_failure = f"no worker can be started: {failure}"

    def attempted(self, *, lost: bool) -> None:
        """Counts the submissions in a row that lost their workers, retries included."""
        with self._lock:
            self._lost_in_a_row = self._lost_in_a_row + 1 if lost else 0

    def notify(self, callback: Callable[..., None], *args: str) -> None:
        with self._lock:
            callback(*args)

    def finish(self, graded: Graded) -> None:
        with self._lock:
            written = self.batch.out is not None
            self.outcome.reports.append(graded.report.outline() if written else graded.report)
            self.outcome.judged_again += not graded.ran
            self.observer.finished(graded.report)

    def fault(self, message: str) -> None:
        with self._lock:
            if not self.stopped.is_set():
                self.outcome.faults.append(message)


def grade_batch(batch: Batch, jobs: int, observer: Observer) -> Outcome:
    """Grades all submissions of a batch and writes the class page.

    What an earlier run into the same folder has finished is taken as it is when grading again
    would write the same. Ctrl-C ends the running submissions, keeps the finished ones, and still
    writes the class page.

    Args:
        batch: what to grade.
        jobs: what may be done side by side: submissions, and where there are fewer of them,
            episodes of one part.
        observer: told of progress.

    Returns:
        Reports in the order of the submissions' ids, whatever the number of jobs.

    Raises:
        UsageError: another grader is writing into the folder; the caller must wait for it.
        GraderFault: nothing can be written there; the operator must act.
    """
    if batch.out is None:
        return _graded(batch, jobs, observer)
    with locked(batch.out):
        clear_leftovers(batch.out)
        return _graded(batch, jobs, observer)


def _graded(batch: Batch, jobs: int, observer: Observer) -> Outcome:
    run = _Run(batch, observer)
    outcome = run.outcome
    slots: list[_Slot] = []
    try:
        run.sort_out()
        slots = [_Slot(run) for _ in range(min(jobs, run.waiting.qsize()))]
        run.spare.give(jobs - len(slots))
        for slot in slots:
            slot.start()
        for slot in slots:
            while slot.is_alive():
                slot.join(0.2)
    except KeyboardInterrupt:
        run.stopped.set()
        outcome.interrupted = True
        for slot in slots:
            slot.close()
        for slot in slots:
            slot.join(10)
    outcome.reports.sort(key=lambda report: report.submission.id)
    # Interrupted before anything was graded, the class page stays as it is.
    if batch.out is not None and outcome.reports and (slots or not outcome.interrupted):
        graded = {report.submission.id for report in outcome.reports}
        unfinished = {source.id for source in batch.sources} - graded
        try:
            outcome.left_out = write_class(batch.out, outcome.reports, batch.loaded, unfinished)
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
