"""The command line. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from grader import __version__
from grader.cli.exit_codes import ExitCode
from grader.errors import AssignmentError, GraderFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.assignments.loader import LoadedAssignment
    from grader.pipeline.batch import Outcome
    from grader.records.report import GradeReport

_PATHS = click.Path(path_type=Path)
_DEFAULT_ASSIGNMENT: Final = "week13"

_assignment = click.option(
    "--assignment",
    "assignment_id",
    metavar="ID_OR_FILE",
    default=_DEFAULT_ASSIGNMENT,
    show_default=True,
    help="A built-in assignment, or the path of an assignment.toml.",
)
_isolation = click.option(
    "--isolation",
    metavar="LEVEL",
    type=click.Choice(["full", "restricted", "process"]),
    default=None,
    help="How student code is kept in: full, restricted or process; the strongest when left out.",
)
_format = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What goes to standard output.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def cli() -> None:
    r"""Grade reinforcement-learning and neural-network coursework.

    \b
    Students:     grader check            judge the folder you are in
    Instructors:  grader grade FOLDER     grade everything in a folder
                  grader regrade          apply a mended rubric, running nothing
                  grader selftest         attack this machine's isolation, show what holds
                  grader doctor           what of the isolation this machine has, what to do
    Both:         grader explain CODE     what a finding means and how to mend it

    Exit codes: 0 full marks, 1 something not passed, 2 wrong usage or assignment file,
    3 a mark is withheld, 4 nothing to grade, 130 interrupted.
    """


@cli.command()
@click.argument("paths", metavar="PATH...", type=_PATHS, nargs=-1, required=True)
@_assignment
@click.option(
    "--out",
    type=_PATHS,
    default=Path("reports"),
    show_default=True,
    help="Where the reports are written.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 256),
    default=None,
    help="Submissions graded side by side; as many as there are cores when left out.",
)
@click.option(
    "--fresh",
    is_flag=True,
    help="Grade again what was graded into DIR before, changed or not.",
)
@_isolation
@_format
def grade(
    paths: tuple[Path, ...],
    assignment_id: str,
    out: Path,
    jobs: int | None,
    fresh: bool,
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

    loaded = _load(assignment_id)
    # A folder graded before holds its reports; they are no submissions.
    sources = find_submissions(paths, loaded.assignment, ignored=[out])
    if not sources:
        _nothing(loaded, paths)
    batch = Batch(
        sources=sources, loaded=loaded, seed_set=SeedSet.FINAL, out=out, fresh=fresh,
        isolation=decide(isolation, loaded.assignment.isolation),
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
    _end(exit_code(outcome, outcome.reports))


@cli.command()
@click.argument("folder", metavar="DIR", type=_PATHS, default=Path("reports"))
@_assignment
@_format
def regrade(folder: Path, assignment_id: str, output_format: str) -> None:
    """Apply a mended rubric to what `grader grade` kept in DIR.

    Nothing is run: points, titles, requirements and settings of checks may have changed since.
    """
    from grader.pipeline.batch import Outcome, exit_code
    from grader.pipeline.regrading import regrade as judge_again

    reports = judge_again(folder, _load(assignment_id))
    click.echo(_class_text(reports, folder, output_format), nl=False)
    _end(exit_code(Outcome(reports=reports), reports))


@cli.command()
@click.argument("path", type=_PATHS, default=Path())
@_assignment
@click.option("--out", type=_PATHS, default=None, help="Also write the report files here.")
@_isolation
@_format
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

    loaded = _load(assignment_id)
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
        outcome = grade_batch(batch, 1, observer)
    for fault in outcome.faults:
        click.echo(f"grader: not graded: {fault}", err=True)
    for report in outcome.reports:
        click.echo(_report_text(report, output_format), nl=False)
    if outcome.interrupted:
        click.echo("grader: interrupted", err=True)
    _end(exit_code(outcome, outcome.reports))


@cli.command()
@click.argument("code", required=False)
@_format
def explain(code: str | None, output_format: str) -> None:
    """Explain a finding: what was seen, why it matters, how to mend it.

    Without CODE, lists all codes.
    """
    from grader.cli.explanations import explanation, overview

    click.echo(
        overview(output_format) if code is None else explanation(code, output_format), nl=False
    )


@cli.group()
def spec() -> None:
    """Write and check assignment files."""


@spec.command("validate")
@click.argument("file", metavar="FILE")
def spec_validate(file: str) -> None:
    """Find everything that is wrong with an assignment file."""
    from grader.assignments.loader import missing_baselines

    loaded = _load(file, ready=False)
    assignment = loaded.assignment
    points = sum(check.points for part in assignment.parts.values() for check in
                 part.checks.values())  # fmt: skip
    click.echo(
        f"{loaded.path}: valid. {assignment.id}: {len(assignment.parts)} part(s), "
        f"{len(assignment.check_ids())} check(s), {points:g} points."
    )
    if missing := missing_baselines(loaded):
        click.echo(
            f"Before grading, record reference results for {', '.join(missing)}: "
            f"grader baseline {file}"
        )


@spec.command("schema")
def spec_schema() -> None:
    """Print the JSON Schema of assignment files, for editors."""
    import json

    from grader.assignments.schema import assignment_schema

    click.echo(json.dumps(assignment_schema(), indent=2, ensure_ascii=False))


@spec.command("new")
@click.argument("folder", metavar="DIR", type=_PATHS)
def spec_new(folder: Path) -> None:
    """Write a commented starter assignment into DIR."""
    from grader.assignments.starter import starter_files

    files = starter_files()
    present = [name for name in files if (folder / name).exists()]
    if present:
        raise UsageError(f"{folder / present[0]} is already there; nothing was written.")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
        click.echo(f"wrote {folder / name}")
    click.echo(f"Check it with: grader spec validate {folder / 'assignment.toml'}")


@cli.command()
@click.argument("file", metavar="ID_OR_FILE", default=_DEFAULT_ASSIGNMENT)
@click.option(
    "--reference",
    type=_PATHS,
    required=True,
    help="The reference solutions: a folder in the shape of a submission.",
)
def baseline(file: str, reference: Path) -> None:
    """Record the reference agents' episode returns beside an assignment.

    The random agent and the DQN agent of the reference solutions play every public and final seed.
    The result goes to baselines.json beside the assignment.
    """
    from grader.assignments.loader import load_assignment
    from grader.pipeline.baseline import record_baselines, write_baselines

    loaded = load_assignment(file, with_baselines=False)
    with _progress(0, "episodes") as observer:
        recorded = record_baselines(loaded, reference, observer)
    path = write_baselines(loaded, recorded)
    for part_id, part in recorded.parts.items():
        final = part.final
        click.echo(
            f"{part_id}: {part.environment_id}, {len(final.seeds)} final seeds: "
            f"random {sum(final.random_returns) / len(final.seeds):.1f}, "
            f"DQN {sum(final.dqn_returns) / len(final.seeds):.1f}"
        )
    click.echo(f"wrote {path}")


@cli.command()
@click.option(
    "--isolation",
    "levels",
    metavar="LEVEL",
    multiple=True,
    type=click.Choice(["full", "restricted", "process"]),
    help="A level to try; may be given several times. All that this machine has when left out.",
)
@click.option("--only", metavar="NAME", multiple=True, help="Run this attack; may be repeated.")
@_format
def selftest(levels: tuple[str, ...], only: tuple[str, ...], output_format: str) -> None:
    """Attack this machine's isolation with hostile submissions and show what held.

    Each attack runs between two honest submissions; planted secrets, listeners and bystanders show
    whether it got through. The column `process` is for comparison: nothing but a process with
    limits keeps the attacks in there, and most of them get out.

    Exit codes: 0 nothing got through, 1 something did at a level other than process, 3 nothing
    could be tried.
    """
    from grader.cli.selftest import run_selftest
    from grader.records.spec import Isolation

    wanted = [Isolation(level) for level in levels]
    _end(run_selftest(wanted, only, output_format, _terminal()))


@cli.command()
@_format
def doctor(output_format: str) -> None:
    """Try each layer of isolation on this machine, and say what to do about what is missing.

    Exit codes: 0 `grade` runs at full isolation, 1 it runs at restricted, 3 it does not run
    without `--isolation process`, or a trial failed.
    """
    from grader.cli.doctor import run_doctor

    _end(run_doctor(output_format, **_terminal()))


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


def _usable_cores() -> int:
    """Cores this process may use; fewer than the machine has in a container, say."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _progress(total: int, what: str) -> Any:
    from grader.cli.progress import progress

    return progress(total, what)


def _load(assignment_id: str, *, ready: bool = True) -> LoadedAssignment:
    """The assignment; with `ready`, refuses one whose reference results are not recorded."""
    from grader.assignments.loader import load_assignment, missing_baselines

    loaded = load_assignment(assignment_id)
    missing = missing_baselines(loaded) if ready else ()
    if missing:
        raise UsageError(
            f"{loaded.path}: no reference results are recorded for {', '.join(missing)}; "
            f"run `grader baseline {assignment_id} --reference FOLDER` first."
        )
    return loaded


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


def _terminal() -> dict[str, Any]:
    import shutil

    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return {"colour": colour, "width": min(shutil.get_terminal_size((100, 24)).columns, 110)}


def _report_text(report: GradeReport, output_format: str) -> str:
    if output_format == "json":
        from grader.exports.report_json import report_json

        return report_json(report)
    from grader.reporting.terminal import render_terminal

    return render_terminal(report, **_terminal())


def _class_text(reports: Sequence[GradeReport], out: Path, output_format: str) -> str:
    if output_format == "json":
        import json

        from grader.exports.report_json import report_json

        return json.dumps([json.loads(report_json(report)) for report in reports], indent=2) + "\n"
    from grader.reporting.terminal import render_class_terminal

    return render_class_terminal(reports, str(out), **_terminal())


def _end(code: int) -> None:
    """Ends the command with a code, without the interpreter's slow farewell."""
    sys.stdout.flush()
    sys.stderr.flush()
    raise SystemExit(code)


def main() -> NoReturn:
    """Runs the command and turns errors into messages and exit codes."""
    try:
        cli.main(standalone_mode=False)
        code = int(ExitCode.COMPLETE)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.exceptions.Exit as error:
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("grader: interrupted", err=True)
        code = ExitCode.INTERRUPTED
    except AssignmentError as error:
        count = len(error.problems)
        click.echo(
            f"grader: {error.source} has {count} problem{'s' if count != 1 else ''}:", err=True
        )
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        code = ExitCode.USAGE
    except UsageError as error:
        click.echo(f"grader: {error}", err=True)
        code = ExitCode.USAGE
    except GraderFault as error:
        click.echo(f"grader: {error}", err=True)
        code = ExitCode.FAULT
    except BrokenPipeError:
        # The reader of our output has gone; what was graded is written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.COMPLETE
    raise SystemExit(code)
