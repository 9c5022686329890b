"""The commands for those who write assignments: `spec` and `baseline`."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import (
    DEFAULT_ASSIGNMENT,
    PATHS,
    load,
    refuse_unplayable,
    secret_in,
    secret_option,
)
from grader.errors import UsageError


@click.group()
def spec() -> None:
    """Write and check assignment files."""


@spec.command("validate")
@click.argument("file", metavar="FILE")
def spec_validate(file: str) -> None:
    """Find everything that is wrong with an assignment file."""
    from grader.assignments.loader import missing_baselines

    loaded = load(file, ready=False)
    assignment = loaded.assignment
    points = sum(check.points for part in assignment.parts.values() for check in
                 part.checks.values())  # fmt: skip
    click.echo(
        f"{loaded.path}: valid. {assignment.id}: {len(assignment.parts)} part(s), "
        f"{len(assignment.check_ids())} check(s), {points:g} points."
    )
    if not assignment.seeds.final:
        click.echo("Its final seeds are secret: grade with --secret-file FILE.")
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


@spec.command("list")
def spec_list() -> None:
    """List the assignments that come with the grader."""
    from grader.assignments.loader import builtin_ids, load_assignment

    known = builtin_ids()
    for name in known:
        assignment = load_assignment(name, with_baselines=False).assignment
        click.echo(f"{name:{max(map(len, known))}}  {assignment.title}")


@spec.command("new")
@click.argument("folder", metavar="DIR", type=PATHS)
@click.option("--like", metavar="ID", help="Begin with a copy of this built-in assignment.")
def spec_new(folder: Path, like: str | None) -> None:
    """Write a commented starter assignment into DIR."""
    from grader.assignments.starter import starter_files

    files = starter_files(like)
    present = [name for name in files if (folder / name).exists()]
    if present:
        raise UsageError(f"{folder / present[0]} is already there; nothing was written.")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
        click.echo(f"wrote {folder / name}")
    click.echo(f"Check it with: grader spec validate {folder / 'assignment.toml'}")


@click.command()
@click.argument("file", metavar="ID_OR_FILE", default=DEFAULT_ASSIGNMENT)
@click.option(
    "--reference",
    type=PATHS,
    required=True,
    help="The reference solutions: a folder in the shape of a submission.",
)
@secret_option
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Episodes played side by side.",
)
def baseline(file: str, reference: Path, secret_file: Path | None, jobs: int) -> None:
    """Record the references' episode returns beside an assignment.

    Random play and the DQN agent of the reference solutions play every public and final seed. The
    result goes to baselines.json beside the assignment. With a secret, they play the seeds that are
    derived from it, and the result goes beside the secret.
    """
    from grader.assignments.loader import load_assignment
    from grader.cli.progress import progress
    from grader.pipeline.baseline import record_baselines, steps_of, write_baselines

    secret = secret_in(secret_file, reference)
    loaded = load_assignment(file, with_baselines=False, secret=secret)
    refuse_unplayable(loaded)
    with progress(steps_of(loaded), "parts") as observer:
        recorded = record_baselines(loaded, reference, observer, jobs=jobs)
    path = write_baselines(loaded, recorded, secret)
    for part_id, part in recorded.parts.items():
        for name, played in (("public", part.public), ("final", part.final)):
            if count := len(played.seeds):
                click.echo(
                    f"{part_id}: {part.environment_id}, {count} {name} seeds: "
                    f"random {sum(played.random_returns) / count:.1f}, "
                    f"DQN {sum(played.dqn_returns) / count:.1f}"
                )
    click.echo(f"wrote {path}")


@click.group()
def secret() -> None:
    """Keep the seeds of grading from everyone."""


@secret.command("new")
@click.argument("file", metavar="FILE", type=PATHS)
def secret_new(file: Path) -> None:
    """Write a fresh secret into FILE, for --secret-file.

    The seeds of grading follow from it: keep it as long as there may be an appeal, and show it to
    nobody before grading is over.
    """
    from grader.assignments.secret import write_new_secret

    write_new_secret(file)
    click.echo(f"wrote {file}; its owner alone can read it")
