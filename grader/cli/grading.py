"""The commands that grade: `grade`, `regrade` and `check`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from grader.cli.exit_codes import ExitCode
from grader.cli.options import (
    PATHS,
    assignment_option,
    end,
    format_option,
    isolation_option,
    load,
    secret_in,
    secret_option,
    terminal_style,
)
from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.assignments.loader import LoadedAssignment
    from grader.pipeline.batch import Outcome
    from grader.records.report import GradeReport
    from grader.records.spec import Isolation


@click.command()
@click.argument("paths", metavar="PATH...", type=PATHS, nargs=-1, required=True)
@assignment_option
@click.option(
    "--out",
    type=PATHS,
    default=Path("reports"),
    show_default=True,
    help="Where the reports are written.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 256),
    default=None,
    help="What is done side by side, as many as there are cores when left out: submissions, and "
    "where there are fewer of these, the episodes of one.",
)
@click.option(
    "--fresh",
    is_flag=True,
    help="Grade again what was graded into DIR before, changed or not.",
)
@secret_option
@isolation_option
@format_option
def grade(
    paths: tuple[Path, ...],
    assignment_id: str,
    out: Path,
    jobs: int | None,
    fresh: bool,
    secret_file: Path | None,
    isolation: str | None,
    output_format: str,
) -> None:
    """Grade submissions with all checks and the final seeds.

    PATH is one submission (a folder or a .zip), or a folder that holds many. What was graded into
    the same folder before and has not changed is kept, also after an interruption or a crash.
    """
    from grader.cli.isolation import decide
    from grader.intake.discovery import find_submissions
    from grader.pipeline.batch import Batch, exit_code, grade_batch
    from grader.records.report import SeedSet

    secret = secret_in(secret_file, *paths, out)
    loaded = load(assignment_id, final=True, secret=secret)
    # A folder graded before holds its reports; they are no submissions.
    sources = find_submissions(paths, loaded.assignment, ignored=[out])
    if not sources:
        _nothing(loaded, paths)
    batch = Batch(
        sources=sources, loaded=loaded, seed_set=SeedSet.FINAL, out=out, fresh=fresh,
        isolation=decide(isolation, _required(loaded, isolation)),
    )  # fmt: skip
    with _progress(len(sources), "submissions") as observer:
        outcome = grade_batch(batch, jobs or _usable_cores(), observer)
    _tell_what_was_kept(outcome, len(sources))
    for fault in outcome.faults:
        click.echo(f"grader: not graded: {fault}", err=True)
    if outcome.reports:
        click.echo(_class_text(outcome.reports, out, output_format), nl=False)
    if outcome.interrupted:
        click.echo(
            f"grader: interrupted; {len(outcome.reports)} of {len(sources)} submissions are "
            f"graded and kept in {out}",
            err=True,
        )
    end(exit_code(outcome, outcome.reports))


@click.command()
@click.argument("folder", metavar="DIR", type=PATHS, default=Path("reports"))
@assignment_option
@format_option
def regrade(folder: Path, assignment_id: str, output_format: str) -> None:
    """Apply a mended rubric to what `grader grade` kept in DIR.

    Nothing is run: points, titles, requirements and settings of checks may have changed since.
    """
    from grader.pipeline.batch import Outcome, exit_code
    from grader.pipeline.regrading import regrade as judge_again

    reports = judge_again(folder, load(assignment_id, plays=False, ready=False))
    click.echo(_class_text(reports, folder, output_format), nl=False)
    end(exit_code(Outcome(reports=reports), reports))


@click.command()
@click.argument("path", type=PATHS, default=Path())
@assignment_option
@click.option("--out", type=PATHS, default=None, help="Also write the report files here.")
@isolation_option
@format_option
def check(
    path: Path, assignment_id: str, out: Path | None, isolation: str | None, output_format: str
) -> None:
    """Judge your own work with the public checks and public seeds.

    PATH is your folder or .zip; the current folder when left out.
    """
    from grader.intake.discovery import find_submissions
    from grader.pipeline.batch import Batch, exit_code, grade_batch
    from grader.records.report import SeedSet
    from grader.records.spec import Isolation

    loaded = load(assignment_id)
    sources = find_submissions((path,), loaded.assignment, ignored=[out] if out else [])
    if not sources:
        _nothing(loaded, (path,))
    if len(sources) > 1:
        raise UsageError(
            f"{path} holds {len(sources)} submissions; `grader check` judges one. "
            f"Use `grader grade {path}` for all of them."
        )
    batch = Batch(
        sources=sources, loaded=loaded, seed_set=SeedSet.PUBLIC, public_only=True, out=out,
        fresh=True, isolation=None if isolation is None else Isolation(isolation),
    )  # fmt: skip
    with _progress(len(loaded.assignment.parts), "parts") as observer:
        outcome = grade_batch(batch, _usable_cores(), observer)
    for fault in outcome.faults:
        click.echo(f"grader: not graded: {fault}", err=True)
    for report in outcome.reports:
        click.echo(_report_text(report, output_format), nl=False)
    if outcome.interrupted:
        click.echo("grader: interrupted", err=True)
    end(exit_code(outcome, outcome.reports))


def _tell_what_was_kept(outcome: Outcome, total: int) -> None:
    if outcome.kept:
        have = "was graded before and has" if outcome.kept == 1 else "were graded before and have"
        click.echo(
            f"grader: {outcome.kept} of {total} {have} not changed; --fresh grades again", err=True
        )
    if outcome.judged_again:
        click.echo(
            f"grader: {outcome.judged_again} of {total} judged again from kept evidence, "
            "nothing was run",
            err=True,
        )
    if outcome.left_out:
        click.echo(
            "grader: left out of the class page, because their files are not as they were "
            f"written: {', '.join(outcome.left_out)}; grade them again",
            err=True,
        )


def _required(loaded: LoadedAssignment, asked: str | None) -> Isolation:
    """The least isolation to grade at: with a secret, student code must not reach any file."""
    from grader.records.barriers import strength
    from grader.records.spec import Isolation

    required = loaded.assignment.isolation
    if loaded.secret_seeds is None:
        return required
    if asked == Isolation.PROCESS:
        raise UsageError(
            "with --secret-file, student code must be kept from the secret: `--isolation process` "
            "would let it read every file of yours. Leave it out, or say restricted or full."
        )
    return max(required, Isolation.RESTRICTED, key=strength)


def _usable_cores() -> int:
    """Cores this process may use; fewer than the machine has in a container, say."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _progress(total: int, what: str) -> Any:
    from grader.cli.progress import progress

    return progress(total, what)


def _nothing(loaded: LoadedAssignment, paths: Sequence[Path]) -> NoReturn:
    """Says what would be a submission, and what is there instead."""
    import difflib

    from grader.records.text import clean_line

    wanted = list(dict.fromkeys(part.file for part in loaded.assignment.parts.values()))
    click.echo(
        f"grader: nothing to grade here. A submission is a folder or .zip with at least one of: "
        f"{', '.join(wanted)}",
        err=True,
    )
    for file in sorted(file for path in paths if path.is_dir() for file in path.glob("*.py"))[:8]:
        near = difflib.get_close_matches(file.name, wanted, 1)
        hint = f"; should it be named {near[0]}?" if near else ""
        click.echo(f"  there is {clean_line(file.name, 80)}{hint}", err=True)
    raise SystemExit(ExitCode.NOTHING)


def _report_text(report: GradeReport, output_format: str) -> str:
    if output_format == "json":
        from grader.exports.report_json import report_json

        return report_json(report)
    from grader.reporting.terminal import render_terminal

    return render_terminal(report, **terminal_style())


def _class_text(reports: Sequence[GradeReport], out: Path, output_format: str) -> str:
    if output_format == "json":
        import json

        from grader.pipeline.files import REPORT_FILE

        written = [out / report.submission.id / REPORT_FILE for report in reports]
        return json.dumps([json.loads(file.read_bytes()) for file in written], indent=2) + "\n"
    from grader.reporting.terminal import render_class_terminal

    return render_class_terminal(reports, str(out), **terminal_style())
