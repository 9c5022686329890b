"""Progress on standard error: count, rate, time left. Silent when nobody is watching."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from grader.pipeline.batch import Observer
from grader.records.report import GradeReport


@contextmanager
def progress(total: int, what: str) -> Iterator[Observer]:
    """An observer that draws a progress bar while the block runs.

    Args:
        total: number of submissions, or of parts for a single one.
        what: what is counted, such as `submissions`.
    """
    if not sys.stderr.isatty():
        yield Observer()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Finished per second, or seconds for each."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            if not speed:
                return Text("")
            return Text(f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each")

    by_part = what == "parts"
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting TensorFlow once", total=total)
        seen: list[str] = []

        def part(submission: str, part_id: str) -> None:
            bar.update(task, description=part_id if by_part else f"{submission}: {part_id}")
            if by_part:
                bar.update(task, completed=len(seen))
                seen.append(part_id)

        def finished(_: GradeReport) -> None:
            bar.advance(task, 0 if by_part else 1)

        yield Observer(
            kept=lambda count: bar.reset(task, completed=count),
            started=lambda: bar.update(task, description=f"grading {what}"),
            part=part,
            finished=finished,
        )
