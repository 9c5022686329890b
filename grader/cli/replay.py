"""The command `replay`: plays receipts of episodes again, without the student's code."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from grader.cli.exit_codes import ExitCode
from grader.cli.options import PATHS, end, format_option
from grader.errors import GraderFault, UsageError

if TYPE_CHECKING:
    from grader.episodes.replaying import Replayed
    from grader.records.receipts import Receipt

_MAX_BYTES: Final = 1 << 28
_NUMBER: Final = re.compile(r"(\d+)")


@dataclass(frozen=True)
class _Result:
    """One receipt, and what came of it."""

    file: Path
    receipt: Receipt
    replayed: Replayed | None
    fault: str = ""
    """Why it could not be played."""


@click.command()
@click.argument("paths", metavar="RECEIPT...", type=PATHS, nargs=-1, required=True)
@click.option(
    "--film",
    metavar="FILE.html",
    type=PATHS,
    default=None,
    help="Also draw the first receipt's episode, as a page that can be stepped through.",
)
@click.option(
    "--import-modules",
    is_flag=True,
    help="Import the module that a receipt's environment comes from (an id such as game:Maze-v0).",
)
@format_option
def replay(
    paths: tuple[Path, ...],
    film: Path | None,
    import_modules: bool,
    output_format: str,
) -> None:
    """Play receipts of episodes again and compare every reward, return and ending.

    RECEIPT is a file in the folder `episodes` of a report, or a report's folder for all of its
    episodes. None of the student's code is run. Where the journal of the report lies beside them,
    receipts must be those it speaks of.

    Exit codes: 0 everything came out the same, 1 something did not, 2 a receipt cannot be read or
    was changed after it was written, 3 an environment cannot be made here.
    """
    receipts = [(file, _read(file)) for file in _files(paths)]
    if not import_modules:
        _refuse_modules(receipts)
    with _bar(len(receipts)) as advance:
        results = []
        for file, receipt in receipts:
            results.append(_played(file, receipt))
            advance()
    if output_format == "json":
        click.echo(json.dumps([_plain(each) for each in results], indent=2))
    else:
        click.echo(_text(results), nl=False)
    for each in results:
        if each.fault:
            click.echo(f"grader: {each.file}: {each.fault}", err=True)
    if film is not None:
        _film(film, receipts[0][1])
    if any(each.fault for each in results):
        end(ExitCode.FAULT)
    different = any(each.replayed is not None and not each.replayed.same for each in results)
    end(ExitCode.INCOMPLETE if different else ExitCode.COMPLETE)


def _files(paths: Sequence[Path]) -> list[Path]:
    """The receipts that are meant, those of a folder by part and number."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = path / "episodes" if (path / "episodes").is_dir() else path
        receipts = sorted(
            (file for file in inside.glob("*.json") if _NUMBER.search(file.stem)), key=_in_order
        )
        if (inside == path and path.name != "episodes") or not receipts:
            raise UsageError(
                f"{path} holds no receipts of episodes; they lie in DIR/SUBMISSION/episodes "
                "after `grader grade`"
            )
        found += receipts
    return found


def _in_order(file: Path) -> tuple[str, int]:
    part, _, number = file.stem.rpartition("-")
    return part, int(number) if number.isdecimal() else 0


def _refuse_modules(receipts: Sequence[tuple[Path, Receipt]]) -> None:
    """Receipts may come from anywhere, and importing a module runs it."""
    for file, receipt in receipts:
        module, colon, _ = receipt.environment.environment_id.partition(":")
        if colon:
            raise UsageError(
                f"{file}: its environment comes from the module {module!r}, which would be "
                "imported; if you trust it, give --import-modules"
            )


def _read(file: Path) -> Receipt:
    from grader.records.receipts import read_receipt

    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES)
        _compare_with_journal(file, content)
        return read_receipt(content.decode())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        why = str(error) if type(error).__module__.startswith("grader") else ""
        raise UsageError(f"{file}: {why or 'it is no receipt of an episode'}") from error


def _compare_with_journal(file: Path, content: bytes) -> None:
    """A receipt's own digest can be made anew with it; the journal's is the grader's."""
    from grader.pipeline.journal import read_entry

    entry = read_entry(file.parent.parent) if file.parent.name == "episodes" else None
    if entry is None:
        return
    written = entry.files.get(f"episodes/{file.name}")
    if written != hashlib.sha256(content).hexdigest():
        raise UsageError(
            f"{file}: it is not what the grader wrote "
            f"({'it was changed since' if written else 'journal.json does not speak of it'})"
        )


def _played(file: Path, receipt: Receipt) -> _Result:
    from grader.episodes.lanes import side_by_side
    from grader.episodes.replaying import replay as play_again

    try:
        (replayed,) = side_by_side(
            [lambda beat: play_again(receipt.environment, receipt.episode, beat)]
        )
    except GraderFault as fault:
        return _Result(file, receipt, None, str(fault))
    return _Result(file, receipt, replayed)


def _plain(result: _Result) -> dict[str, Any]:
    from grader.episodes.replaying import other_versions

    receipt, replayed = result.receipt, result.replayed
    told: dict[str, Any] = {
        "file": str(result.file),
        "submission": receipt.submission,
        "part": receipt.part,
        "n": receipt.n,
        "environment_id": receipt.environment.environment_id,
        "seed": receipt.episode.seed,
        "steps": len(receipt.episode.actions),
        "episode_return": receipt.episode.episode_return,
        "outcome": "fault" if replayed is None else "same" if replayed.same else "different",
    }
    if result.fault:
        told["fault"] = result.fault
    if replayed is not None:
        told["replayed_return"] = replayed.episode_return
        if not replayed.same:
            told["first_difference"] = {
                "step": replayed.difference,
                "expected": replayed.expected,
                "received": replayed.received,
            }
    others = other_versions(receipt)
    told["other_versions"] = {
        name: {"then": then, "here": here} for name, (then, here) in others.items()
    }
    return told


def _text(results: Sequence[_Result]) -> str:
    from grader.episodes.replaying import other_versions
    from grader.records.text import clean_line

    lines: list[str] = []
    for result in results:
        receipt, replayed = result.receipt, result.replayed
        episode = receipt.episode
        name = clean_line(f"{receipt.submission} {receipt.part} {receipt.n}", 200)
        head = f"{name}: {clean_line(receipt.environment.environment_id, 200)}, seed {episode.seed}"
        if replayed is None:
            lines.append(f"{head}: not played")
            continue
        if replayed.same:
            lines.append(
                f"{head}: same, {len(episode.actions)} steps, return {episode.episode_return:g}"
            )
            continue
        reached = f"{replayed.episode_return:g}"
        if reached != (written := f"{episode.episode_return:g}"):
            reached += f" instead of {written}"
        lines.append(f"{head}: DIFFERENT, return {reached}")
        lines.append(
            f"  first at step {replayed.difference}: {replayed.received} instead of "
            f"{replayed.expected}"
        )
        others = other_versions(receipt)
        for package, (then, here) in others.items():
            then_told = clean_line(then, 50)
            lines.append(f"  {clean_line(package, 100)} was {then_told} and is {here} here")
        if not others:
            lines.append("  all packages have the versions of the receipt")
    played = [each.replayed for each in results if each.replayed is not None]
    same = sum(each.same for each in played)
    lines.append(f"{same} of {len(results)} episodes came out the same")
    return "".join(f"{line}\n" for line in lines)


def _film(file: Path, receipt: Receipt) -> None:
    """Writes a page with a film of an episode.

    Raises:
        UsageError: there is none to be had, or the file cannot be written.
    """
    from grader.episodes.filming import NoFilm, film_episode
    from grader.pipeline.durable import write_whole
    from grader.reporting.films import film_page

    title = f"{receipt.submission}, {receipt.part}, episode {receipt.n}"
    try:
        filmed = film_episode(receipt.environment, receipt.episode, title)
    except NoFilm as error:
        raise UsageError(f"no film: {error}") from error
    write_whole(file, film_page(filmed.film).encode())
    click.echo(f"grader: wrote {file}", err=True)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error while the block runs; nothing when nobody is watching."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("left"),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("episodes", total=total)
        yield lambda: bar.advance(task)
