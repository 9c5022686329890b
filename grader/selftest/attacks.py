"""The corpus: every attack with its files, and how it is made ready to be handed in."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from grader.errors import UsageError
from grader.records.base import Record
from grader.records.spec import Identifier

CORPUS: Final = Path(__file__).parent / "corpus"
ATTACK_FILE: Final = "attack.toml"
TARGETS_FILE: Final = "targets.py"
_PLACEHOLDER: Final = "@{}@"
_Sentence = Annotated[str, StringConstraints(min_length=10, max_length=100, pattern=r"^[^\n]+$")]


class Attack(Record):
    """One hostile submission: `attack.toml` beside its files."""

    name: Identifier
    """Name of its folder."""
    part: Identifier
    """The part of the assignment that it is handed in for."""
    tries: _Sentence
    """What it attempts, in one line."""
    canary: _Sentence
    """What would show that it succeeded, in one line."""
    honest: bool = True
    """Whether its own work is right, so that it may earn what honest work earns."""
    points: float = Field(default=0.0, ge=0)
    """The most points that its part may earn where its own work is not right."""
    bites: bool
    """Whether it gets through on every machine where nothing but a process is around it."""
    unsafe: str = ""
    """Why it must not be run in a mere process: what it would do to the user's own machine."""

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return CORPUS / "attacks" / self.name


def load_corpus() -> tuple[Attack, ...]:
    """All attacks by name.

    Raises:
        ValueError: an `attack.toml` is wrong; the package is damaged.
    """
    return tuple(_read(file) for file in sorted((CORPUS / "attacks").glob(f"*/{ATTACK_FILE}")))


def _read(file: Path) -> Attack:
    return Attack.parse({"name": file.parent.name, **tomllib.loads(file.read_text("utf-8"))})


def chosen(corpus: tuple[Attack, ...], names: tuple[str, ...]) -> tuple[Attack, ...]:
    """The attacks with these names; all when there are none.

    Raises:
        UsageError: there is no such attack; the caller must act.
    """
    known = {attack.name for attack in corpus}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"there is no attack {unknown[0]!r}; `grader selftest` lists them all")
    return tuple(attack for attack in corpus if not names or attack.name in names)


def hand_in(folder: Path, into: Path, targets: Mapping[str, object]) -> None:
    """Copies a submission of the corpus, with what attacks share and what they aim at.

    `targets.py` gets one constant per target; `@name@` in any other file becomes the target's
    value, so that files which are no Python can aim too.

    Args:
        folder: the submission's files.
        into: the folder to make.
        targets: value of each target; names in capitals.
    """
    into.mkdir()
    for file in sorted([*(CORPUS / "shared").glob("*.py"), *folder.glob("*")]):
        if file.name == ATTACK_FILE or not file.is_file():
            continue
        content = file.read_bytes()
        for name, value in targets.items():
            marker = _PLACEHOLDER.format(name.lower()).encode()
            content = content.replace(marker, str(value).encode())
        (into / file.name).write_bytes(content)
    lines = [f"{name} = {value!r}\n" for name, value in targets.items()]
    (into / TARGETS_FILE).write_text("".join(lines), encoding="utf-8")


def remove(folder: Path) -> None:
    """Removes what `hand_in` made."""
    shutil.rmtree(folder, ignore_errors=True)
