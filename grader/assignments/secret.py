"""Final seeds from an instructor's secret, so that an assignment can be public and they are not."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grader.errors import UsageError
from grader.records.spec import Assignment

FEWEST_BYTES: Final = 16
"""A shorter secret could be found by trying."""
_MOST_BYTES: Final = 65536
_NEW_BYTES: Final = 32
_SEED_BYTES: Final = 8
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Secret:
    """What final seeds are derived from."""

    path: Path
    """The file it was read from."""
    key: bytes = field(repr=False)
    exposed: bool
    """Whether others than its owner may use the file."""

    def baselines_file(self, assignment_id: str) -> Path:
        """Where reference results for its seeds are kept."""
        return self.path.with_name(f"{self.path.name}.{assignment_id}.baselines.json")


def read_secret(path: Path) -> Secret:
    """The secret in a file: all its bytes, white space at the ends left out.

    Raises:
        UsageError: the file cannot be read, or what stands in it is too short or too long; whoever
            gave the file must act.
    """
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise UsageError(f"the secret {path} is no ordinary file")
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        hint = "; make one with `grader secret new FILE`" if not path.exists() else ""
        raise UsageError(f"cannot read the secret {path}: {error.strerror}{hint}") from error
    key = content.strip()
    if len(content) > _MOST_BYTES:
        raise UsageError(f"the secret {path} has more than {_MOST_BYTES} bytes; is it that file?")
    if len(key) < FEWEST_BYTES:
        raise UsageError(
            f"the secret {path} has {len(key)} bytes without the white space around them, and "
            f"{FEWEST_BYTES} are the least; make one with `grader secret new FILE`"
        )
    return Secret(path, key, exposed=os.name == "posix" and bool(mode & _OTHERS))


def write_new_secret(path: Path) -> None:
    """Writes a fresh secret into a file that its owner alone may use.

    Raises:
        UsageError: there is such a file already, or it cannot be written; the caller must act.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} is already there; nothing was written") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(_NEW_BYTES) + "\n")


def seeds_by_part(secret: Secret, assignment: Assignment) -> dict[str, tuple[int, ...]]:
    """The final seeds of every part of an assignment.

    Each part has its own, so that what leaks out of one tells nothing about another.
    """
    seeds = assignment.seeds
    return {
        part_id: derived_seeds(
            secret.key, assignment.id, part_id, seeds.final_count, taken=seeds.public
        )
        for part_id in assignment.parts
    }


def derived_seeds(
    key: bytes, assignment_id: str, part_id: str, count: int, *, taken: Collection[int] = ()
) -> tuple[int, ...]:
    """Seeds that nobody can tell without the key, and anybody can check with it.

    The seed of index i is made of the first 63 bits of HMAC-SHA256 (RFC 2104) under the key over
    the JSON text `["<assignment>", "<part>", i]`. A seed that stood before is left out, and the
    next index takes its place.

    Args:
        key: the secret.
        assignment_id: id of the assignment.
        part_id: id of the part.
        count: how many.
        taken: seeds that may not come out.
    """
    found: list[int] = []
    index = 0
    while len(found) < count:
        message = json.dumps([assignment_id, part_id, index]).encode()
        digest = hmac.new(key, message, hashlib.sha256).digest()
        seed = int.from_bytes(digest[:_SEED_BYTES], "big") >> 1
        if seed not in found and seed not in taken:
            found.append(seed)
        index += 1
    return tuple(found)
