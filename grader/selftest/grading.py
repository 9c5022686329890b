"""One submission through the ordinary stages, and everything that is then read of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from grader.assignments.loader import LoadedAssignment
from grader.exports.report_json import report_json
from grader.intake.discovery import Source, take_in
from grader.pipeline.collecting import Collected, collect
from grader.pipeline.judging import judge
from grader.records.report import GradeReport, SeedSet
from grader.records.result import Outcome
from grader.reporting.class_page import render_class_page
from grader.reporting.score_report import render_score_report
from grader.reporting.terminal import render_class_terminal, render_terminal
from grader.sandbox.server import WorkerSource
from grader.selftest.returned import Returned

_WIDTH: Final = 100


@dataclass(frozen=True)
class Graded:
    """A graded submission."""

    report: GradeReport
    collected: Collected

    def points(self, part_id: str) -> float:
        """What a part earned."""
        return sum(result.points for result in self.report.of_part(part_id))

    def faults(self) -> tuple[str, ...]:
        """Ids of the checks that the grader could not judge."""
        return tuple(result.id for result in self.report.results if result.outcome is Outcome.FAULT)

    def same_in_every_run(self) -> tuple[str, str]:
        """The two forms of the report, whose bytes must not differ from run to run."""
        return report_json(self.report), render_score_report(self.report)

    def returned(self) -> Returned:
        """All that a person or a program would read of it."""
        report = self.report
        timings = {part: asdict(timing) for part, timing in self.collected.timings.items()}
        data, page = self.same_in_every_run()
        terminal = render_terminal(report, colour=False, width=_WIDTH)
        terminal += render_class_terminal([report], "reports", colour=False, width=_WIDTH)
        return Returned(
            terminal=terminal,
            html=(page, render_class_page([report], report.assignment.title)),
            json=(
                data,
                json.dumps(timings),
                self.collected.evidence.model_dump_json(by_alias=True),
            ),
        )


def grade(folder: Path, loaded: LoadedAssignment, workers: WorkerSource) -> Graded:
    """Takes in, runs and judges a submission.

    Args:
        folder: the submission; its name is the submission's id.
        loaded: the assignment.
        workers: what runs it.

    Raises:
        GraderFault: the machine could not read the submission; the operator must act.
    """
    assignment = loaded.assignment
    collected = collect(
        take_in(Source(folder.name, folder), assignment),
        loaded,
        workers,
        seed_set=SeedSet.FINAL,
        parts=frozenset(assignment.parts),
        films=False,
    )
    return Graded(judge(collected.evidence, loaded), collected)
