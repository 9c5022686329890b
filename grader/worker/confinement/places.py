"""The folders of this machine that a worker needs to read: libraries and the worker's own code."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grader

_OWN_PARTS: Final = ("__init__.py", "errors.py", "records", "worker")
"""What a worker runs of this package. The rest holds assignments: seeds, hidden checks."""
_SYSTEM: Final = ("/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo")
DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
"""Device files that ordinary programs open."""


@dataclass(frozen=True)
class Places:
    """Absolute paths, all existing."""

    libraries: tuple[str, ...]
    """Folders to read, none inside another. Those of links hold what the link leads to."""
    links: tuple[tuple[str, str], ...]
    """Links among the system's folders, such as `/lib` to `usr/lib`, and where they lead."""
    package: str
    """Folder of this package; to be hidden where it lies inside a library folder."""
    parts: tuple[str, ...]
    """Files and folders of this package that a worker needs."""

    def all(self) -> tuple[str, ...]:
        """Every path that must be within reach."""
        return (*self.libraries, *self.parts)


def needed_places() -> Places:
    """What this interpreter, its packages and this package's worker read."""
    package = str(Path(grader.__file__).resolve().parent)
    links = tuple((path, os.readlink(path)) for path in _SYSTEM if Path(path).is_symlink())  # noqa: PTH115  the text of the link, relative as it is
    wanted = [path for path in _SYSTEM if not Path(path).is_symlink()]
    wanted += os.environ.get("LD_LIBRARY_PATH", "").split(":")
    for base in (sys.prefix, sys.base_prefix):
        variables = {"base": base, "platbase": base, "installed_base": base,
                     "installed_platbase": base}  # fmt: skip
        wanted += [
            sysconfig.get_path(name, vars=variables)
            for name in ("stdlib", "platstdlib", "purelib", "platlib")
        ]
    # Folders that a `.pth` file or a distribution added. Those that lie elsewhere may hold
    # anything: a project of the course that was installed in place, say.
    wanted += [
        path for path in sys.path if path.startswith((f"{sys.prefix}/", f"{sys.base_prefix}/"))
    ]
    if sys.base_prefix not in ("/usr", "/"):
        wanted.append(f"{sys.base_prefix}/lib")  # the interpreter's own shared library
    real = sorted({os.path.realpath(path) for path in wanted if path and Path(path).exists()})
    named = {os.path.abspath(path) for path in wanted if path and Path(path).exists()}  # noqa: PTH100  links stay
    libraries: list[str] = []
    for path in sorted({*real, *named}):
        if path != "/" and not any(path.startswith(f"{other}/") for other in libraries):
            libraries.append(path)
    return Places(
        libraries=tuple(libraries),
        links=links,
        package=package,
        parts=tuple(
            path for path in (f"{package}/{part}" for part in _OWN_PARTS) if Path(path).exists()
        ),
    )
