"""Brings in the environments that are not Gymnasium's own, each only when an id asks for it."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from importlib.metadata import PackageNotFoundError, version

import gymnasium

from grader.assignments.environments import Extra, extra_of

_LOCK = threading.Lock()
_OPENCV = (
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python-headless",
    "opencv-contrib-python",
)
"""All bring the same module; whichever is there is used."""
_PACKAGES = {
    "atari": (("ale-py",), _OPENCV),
    "doom": (("vizdoom",), _OPENCV),
    "minatar": (("MinAtar",),),
}

_PYGAME = {
    "SDL_VIDEODRIVER": "dummy",
    "SDL_AUDIODRIVER": "dummy",
    "SDL_NO_SIGNAL_HANDLERS": "1",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}
"""What keeps pygame from opening windows, making sounds, catching signals and printing."""


class MissingExtra(ImportError):
    """The packages that an environment needs are not installed; the operator must act."""

    def __init__(self, environment_id: str, extra: Extra) -> None:
        super().__init__(
            f'{environment_id} needs the extra "{extra.name}", which is not installed; '
            f"run: {extra.command()}"
        )


def bring_in(environment_id: str) -> None:
    """Registers the environments that an id is one of.

    Raises:
        MissingExtra: the extra they come with is not installed.
    """
    os.environ.update(_PYGAME)
    extra = extra_of(environment_id)
    if extra is None:
        return
    if not extra.is_installed():
        raise MissingExtra(environment_id, extra)
    with _LOCK:
        _register(extra)


def _register(extra: Extra) -> None:
    if extra.name == "atari":
        ale_py = importlib.import_module("ale_py")
        # The emulator announces itself on standard error whenever it is started.
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    elif extra.name == "doom":
        importlib.import_module("vizdoom.gymnasium_wrapper")
    elif not any(name.startswith("MinAtar/") for name in gymnasium.registry):
        importlib.import_module("minatar.gym").register_envs()


def versions_of(environment_id: str) -> dict[str, str]:
    """Versions of the packages that decide what happens in an environment, by package."""
    extra = extra_of(environment_id)
    brought = _PACKAGES[extra.name] if extra is not None else ()
    found: dict[str, str] = {}
    for alternatives in (("gymnasium",), ("numpy",), *brought):
        for name in alternatives:
            with contextlib.suppress(PackageNotFoundError):
                found[name] = version(name)
                break
    return found
