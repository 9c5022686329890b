"""Which software this is: digests that change when what it would do may change."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from grader.assignments.registry import CHECKS_GROUP, PROBES_GROUP

_PACKAGE: Final = Path(__file__).parents[1]

_DATA: Final = ("assignments/builtin/", "assignments/starter.toml")
"""Assignments have digests of their own."""
_NEVER_IN_A_REPORT: Final = ("cli/", "selftest/", "__main__.py")
_AFTER_THE_RUN: Final = (
    "checks/", "exports/", "intake/", "reporting/", "scoring/", "records/catalogue",
)  # fmt: skip
"""What evidence does not depend on. Intake decides which files a submission has, and these have a
digest of their own."""

_JUDGING_PACKAGES: Final = frozenset({"jinja2", "pydantic", "scipy"})
_RUNNING_PACKAGES: Final = frozenset(
    {
        "gymnasium", "h5py", "keras", "minatar", "ml-dtypes", "msgpack", "numpy",
        "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
        "opencv-python-headless", "tensorflow", "tensorflow-cpu",
    }
)  # fmt: skip
_FOUNDATIONS: Final = frozenset({"grader", "gymnasium", "keras"})
"""Packages that bring environments, layers or kinds of part build on one of these."""
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Software:
    """Digests of the grader's own sources and of the packages it stands on."""

    running: str
    """`sha256:<hex>` of what evidence depends on."""
    judging: str
    """`sha256:<hex>` of what a report depends on."""


@cache
def software() -> Software:
    """The software of this process. Nothing of it is imported to find out."""
    packages = _packages()
    judging_only = {name: packages.pop(name) for name in _JUDGING_PACKAGES & packages.keys()}
    python = f"{platform.python_implementation()} {platform.python_version()}"
    running = _digest(
        {
            "python": python,
            "packages": packages,
            "plugins": _plugins(),
            "sources": sources(_PACKAGE, _AFTER_THE_RUN),
        }
    )
    judging = _digest({"running": running, "packages": judging_only, "sources": sources(_PACKAGE)})
    return Software(running, judging)


def sources(package: Path, left_out: Collection[str] = ()) -> dict[str, str]:
    """SHA-256 of each file of a package that can change a report, by its path in the package.

    Args:
        package: the package's folder.
        left_out: beginnings of paths that do not count.
    """
    skipped = (*_DATA, *_NEVER_IN_A_REPORT, *left_out)
    found = {}
    for file in package.rglob("*"):
        inside = file.relative_to(package)
        unseen = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if unseen or inside.as_posix().startswith(skipped) or not file.is_file():
            continue
        found[inside.as_posix()] = _file_digest(file)
    return found


def _file_digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _plugins() -> dict[str, dict[str, str]]:
    """Sources of the packages that offer kinds of part or check, the grader's own left out.

    A course may change a plugin of its own without giving it another version.
    """
    found: dict[str, dict[str, str]] = {}
    for group in (PROBES_GROUP, CHECKS_GROUP):
        for entry in entry_points(group=group):
            name = entry.module.partition(".")[0]
            spec = find_spec(name) if name != _PACKAGE.name else None
            if spec is None:
                continue
            for place in spec.submodule_search_locations or ():
                found[name] = sources(Path(place))
            if not spec.submodule_search_locations and spec.origin is not None:
                found[name] = {name: _file_digest(Path(spec.origin))}
    return found


def _packages() -> dict[str, str]:
    """Versions of the packages that decide what happens, and of those that build on them."""
    named = _RUNNING_PACKAGES | _JUDGING_PACKAGES
    found: dict[str, str] = {}
    for distribution in distributions():
        name = _plain(distribution.name)
        needs = {_plain(_NAME.findall(need)[0]) for need in distribution.requires or ()}
        if name in named or needs & _FOUNDATIONS:
            found.setdefault(name, distribution.version)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(data: object) -> str:
    text = json.dumps(data, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
