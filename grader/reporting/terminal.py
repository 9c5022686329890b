"""The verdict as text: for a student after `grader check`, for an instructor after `grader grade`.

A CI log may obey what it prints, so text of students never starts a line (a bar stands in front of
it) and never holds a workflow command.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from grader.records.environment_exhibits import PlayedEpisodes
from grader.records.report import GradeReport, ReportStatus
from grader.records.result import (
    CheckResult,
    EpisodeReturns,
    Finding,
    NetworkTable,
    Outcome,
    RowStatus,
    Severity,
)
from grader.records.spec import Visibility
from grader.records.text import clean_line, clean_text
from grader.reporting.class_figures import ClassFigures, class_figures
from grader.reporting.network_words import HARMLESS, differences_of, table_sentence
from grader.reporting.played import summary
from grader.reporting.priorities import Priority, priorities
from grader.reporting.returns_words import conclusion, points_sentence
from grader.reporting.score_report import score_words
from grader.reporting.wording import (
    OUTCOME_NOTES,
    OUTCOME_WORDS,
    STATUS_WORDS,
    count_of,
    fixed_text,
    passed_sentence,
    points_text,
    share_text,
)

MIN_WIDTH: Final = 40

_SYMBOLS: Final = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.PARTIAL: ("◐", "yellow"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.SKIPPED: ("–", "dim"),
    Outcome.INVALID: ("!", "red"),
    Outcome.FAULT: ("?", "magenta"),
}
_SEVERITY_STYLES: Final = {
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.NOTE: "blue",
}
_ROW_SYMBOLS: Final = {
    RowStatus.MATCHES: ("✓", "green"),
    RowStatus.DIFFERS: ("≠", "red"),
    RowStatus.MISSING: ("−", "red"),
    RowStatus.EXTRA: ("+", "red"),
    RowStatus.FREE: ("·", "dim"),
    RowStatus.PREPROCESSING: ("→", "dim"),
}
_MOST_LAYERS: Final = 40
_CODE_SPAN: Final = re.compile(r"`([^`\n]+)`")
_CI_COMMAND: Final = re.compile(r"##(?=\w*\[)")
"""Begins a command to a CI system, anywhere in a line."""
_MOST_MISSED: Final = 5


def render_terminal(report: GradeReport, *, colour: bool, width: int) -> str:
    """The verdict on one submission: what to fix first, then every public check.

    Hidden checks are left out: this is what a student sees.

    Args:
        report: the report of one submission.
        colour: whether to write ANSI colours.
        width: columns of the terminal; less than `MIN_WIDTH` counts as that.
    """
    visible = report.model_copy(
        update={
            "results": tuple(
                result for result in report.results if result.visibility is Visibility.PUBLIC
            )
        }
    )
    blocks: list[RenderableType] = [_head(visible, width)]
    first = priorities(visible)
    if first:
        blocks += [
            Text("\nWhat to fix first", "bold"),
            *_first(first, {part.id: part.file for part in visible.parts}),
        ]
    for part in visible.parts:
        results = visible.of_part(part.id)
        if results:
            blocks += [Text(), _part_head(part.title, part.file, results), *_checks(results)]
    if first:
        code = first[0].findings[0].code
        blocks.append(Text(f"\nEvery code has an explanation: grader explain {code}", "dim"))
    return _rendered(blocks, colour=colour, width=width)


def render_class_terminal(
    reports: Sequence[GradeReport], out_dir: str, *, colour: bool, width: int
) -> str:
    """The class as a table, with mean, median and what was missed most.

    Args:
        reports: the reports of all submissions, in any order.
        out_dir: where the reports were written, as the user named it.
        colour: whether to write ANSI colours.
        width: columns of the terminal; less than `MIN_WIDTH` counts as that.
    """
    ordered = sorted(reports, key=lambda report: report.submission.id)
    figures = class_figures(ordered)
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("Submission", overflow="fold")
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    for report in ordered:
        withheld = report.status is ReportStatus.WITHHELD
        table.add_row(
            _line(report.submission.id),
            "–" if report.score is None else points_text(report.score),
            Text(STATUS_WORDS[report.status], "bold magenta" if withheld else ""),
            style="" if withheld or not report.complete() else "green",
        )
    blocks: list[RenderableType] = [table, Text(), _class_sentence(figures)]
    if figures.missed:
        blocks += [Text("\nMost often missed", "bold"), _missed_table(figures)]
    index = f"{out_dir.rstrip('/')}/index.html" if out_dir.rstrip("/") else "/index.html"
    blocks.append(Text.assemble("\nReport: ", (clean_line(index), "bold"), overflow="fold"))
    return _rendered(blocks, colour=colour, width=width)


def _rendered(blocks: Iterable[RenderableType], *, colour: bool, width: int) -> str:
    console = Console(
        file=io.StringIO(),
        width=max(width, MIN_WIDTH),
        height=25,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        # Nothing about the output depends on the surroundings of the process.
        _environ={},
    )
    with console.capture() as capture:
        console.print(Group(*blocks))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _head(report: GradeReport, width: int) -> RenderableType:
    score = Text(score_words(report), "bold")
    lines: list[RenderableType] = [
        _line(report.assignment.title, "dim"),
        Text.assemble(_line(report.submission.id), ": ", score, overflow="fold"),
    ]
    if report.score is not None and report.max_score > 0:
        columns = min(max(width, MIN_WIDTH), 60)
        filled = int(columns * report.score / report.max_score)
        lines.append(Text.assemble(("━" * filled, "cyan"), ("╌" * (columns - filled), "dim")))
    lines.append(Text(passed_sentence(report)))
    if report.status is ReportStatus.WITHHELD:
        faults = [result.id for result in report.results if result.outcome is Outcome.FAULT]
        where = f" in {', '.join(faults)}" if faults else ""
        lines.append(
            Text(
                f"The grader or the machine failed{where}. That is not your mistake and costs you "
                "nothing; the score is withheld until this has been graded again.",
                "magenta",
            )
        )
    return Group(*lines)


def _first(listed: Sequence[Priority], files: Mapping[str, str]) -> list[RenderableType]:
    blocks: list[RenderableType] = []
    for rank, item in enumerate(listed, start=1):
        lines = Group(
            *(line for finding in item.findings for line in _short(finding, files[item.part])),
            Text(_worth_words(item), "dim"),
        )
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=3, justify="right")
        grid.add_column(overflow="fold")
        grid.add_row(Text(f"{rank}.", "bold"), _Barred(lines, "cyan"))
        blocks.append(grid)
    return blocks


def _short(finding: Finding, file: str) -> list[RenderableType]:
    lines: list[RenderableType] = [_text(finding.claim, "bold")]
    if finding.try_:
        lines.append(_text(finding.try_))
    lines.append(_text(f"{finding.code}, {finding.where or file}", "dim"))
    return lines


def _worth_words(item: Priority) -> str:
    worth = f"up to {points_text(item.points)} point{'' if item.points == 1 else 's'}"
    checks = ", ".join(check.id for check in item.checks)
    build = "builds" if item.waiting == 1 else "build"
    waiting = f", and {count_of(item.waiting, 'check')} that {build} on it" if item.waiting else ""
    more = f"; {count_of(item.more, 'more finding')} below" if item.more else ""
    return f"{worth} in {checks}{waiting}{more}"


def _part_head(title: str, file: str, results: Sequence[CheckResult]) -> RenderableType:
    points = sum(result.points for result in results)
    most = sum(result.max_points for result in results)
    grid = Table.grid(expand=True, padding=(0, 1, 0, 0))
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(
        Text.assemble(_line(title, "bold"), "  ", _line(file, "dim")),
        Text(f"{points_text(points)} of {points_text(most)}", "bold"),
    )
    return grid


def _checks(results: Sequence[CheckResult]) -> list[RenderableType]:
    blocks: list[RenderableType] = []
    for result in results:
        symbol, style = _SYMBOLS[result.outcome]
        grid = Table.grid(expand=True, padding=(0, 1, 0, 0))
        grid.add_column(width=1)
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        title = _line(result.title)
        if result.outcome is not Outcome.PASSED:
            title.append(f"  {OUTCOME_WORDS[result.outcome]}", style)
        grid.add_row(
            Text(symbol, style),
            title,
            f"{points_text(result.points)} of {points_text(result.max_points)}",
        )
        blocks.append(Padding(grid, (0, 0, 0, 2)))
        blocks += [Padding(detail, (0, 0, 0, 4)) for detail in _details(result)]
    return blocks


def _details(result: CheckResult) -> list[RenderableType]:
    details: list[RenderableType] = []
    if result.outcome is Outcome.SKIPPED:
        details.append(_line(f"builds on {', '.join(result.requires)}", "dim"))
    elif not result.findings and OUTCOME_NOTES[result.outcome]:
        details.append(Text(OUTCOME_NOTES[result.outcome], "dim"))
    for exhibit in result.exhibits:
        if isinstance(exhibit, EpisodeReturns):
            details.append(Text(_returns_text(exhibit)))
        elif isinstance(exhibit, PlayedEpisodes):
            details.append(Text(summary(exhibit)))
        elif isinstance(exhibit, NetworkTable) and any(
            row.status not in HARMLESS for row in exhibit.rows
        ):
            details += [_line(table_sentence(exhibit)), _layers(exhibit)]
    for index, finding in enumerate(result.findings):
        details += [Text()] * (index > 0) + [_finding(finding)]
    return details


def _layers(table: NetworkTable) -> RenderableType:
    """The layers of the student's network, and what was asked for where they differ."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column(justify="right", no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    number = 0
    for row in table.rows[:_MOST_LAYERS]:
        number += row.expected is not None
        symbol, style = _ROW_SYMBOLS[row.status]
        cell = row.received or row.expected
        if cell is None:
            continue
        known, others = differences_of(row)
        summary = _line(cell.summary)
        if row.status is RowStatus.MISSING:
            summary = Text.assemble("missing", (": ", ""), summary)
        notes = [f"asked for {item.asked()}" for item in known]
        notes += others or (["not asked for"] if row.status is RowStatus.EXTRA else [])
        if notes:
            summary = Text.assemble(
                summary, "\n" if summary else "", _line("; ".join(notes), style)
            )
        grid.add_row(
            Text(symbol, style),
            "" if row.expected is None else str(number),
            _line(cell.kind),
            summary,
        )
    if len(table.rows) > _MOST_LAYERS:
        grid.add_row("", "", "…", f"{len(table.rows) - _MOST_LAYERS} further rows")
    return grid


def _returns_text(returns: EpisodeReturns) -> str:
    lines = [
        f"Mean episode return {fixed_text(returns.student_mean, 1)} "
        f"(random {fixed_text(returns.random_mean, 1)}, "
        f"reference {fixed_text(returns.dqn_mean, 1)}): "
        f"normalised score {fixed_text(returns.normalized_score, 2)}, 95 % interval "
        f"{fixed_text(returns.normalized_low, 2)} to {fixed_text(returns.normalized_high, 2)}.",
        conclusion(returns),
        points_sentence(returns.points) if returns.points else "",
    ]
    return "\n".join(filter(None, lines))


def _finding(finding: Finding) -> RenderableType:
    style = _SEVERITY_STYLES[finding.severity]
    fields = Table.grid(padding=(0, 2, 0, 0))
    fields.add_column(style="dim", no_wrap=True)
    fields.add_column(overflow="fold")
    for name, text in (
        ("where", finding.where),
        ("expected", finding.expected),
        ("received", finding.received),
        ("try", finding.try_),
    ):
        if text:
            fields.add_row(name, _text(text))
    claim = Text.assemble((finding.code, style), " ", _text(finding.claim, "bold"))
    return _Barred(Group(claim, fields), style)


class _Barred:
    """Something with a bar in front of every line, however the lines are broken."""

    def __init__(self, content: RenderableType, style: str) -> None:
        self.content = content
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inner = options.update_width(max(options.max_width - 2, 1))
        style = console.get_style(self.style)
        for line in console.render_lines(self.content, inner, pad=False):
            yield Segment("│ ", style)
            yield from line
            yield Segment.line()


def _class_sentence(figures: ClassFigures) -> RenderableType:
    out_of = "" if figures.max_score is None else f" of {points_text(figures.max_score)}"
    sentence = Text(f"{count_of(figures.count, 'submission')}, {figures.graded} graded")
    if figures.withheld:
        sentence.append(f", {figures.withheld} withheld", "bold magenta")
    if figures.mean is not None and figures.median is not None:
        sentence.append(
            f"; mean {points_text(figures.mean)}, median {points_text(figures.median)}{out_of}"
        )
    return sentence


def _missed_table(figures: ClassFigures) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for item in figures.missed[:_MOST_MISSED]:
        table.add_row(
            share_text(item.share),
            f"{item.missed} of {item.judged}",
            Text.assemble(_line(item.title), (f"  {item.id}", "dim")),
        )
    return table


def _text(text: str, style: str = "") -> Text:
    """Text of a student or about their work, with back-ticked words in a colour of their own."""
    shown = Text(_CI_COMMAND.sub("## ", clean_text(text)), style, overflow="fold")
    shown.highlight_regex(_CODE_SPAN, "cyan")
    return shown


def _line(text: str, style: str = "") -> Text:
    """A student's text where no bar stands in front of it."""
    return Text(
        _CI_COMMAND.sub("## ", clean_line(text)).replace("::", ": :"), style, overflow="fold"
    )
