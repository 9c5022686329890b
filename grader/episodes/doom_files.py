"""What games of ViZDoom need beside themselves: a folder each, and a look at their arguments."""

from __future__ import annotations

import inspect
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_START = """\
#!/bin/sh
cd {folder} || exit 1
if setpriv --pdeathsig KILL true 2>/dev/null; then
  exec setpriv --pdeathsig KILL {game} "$@"
fi
exec {game} "$@"
"""


@contextmanager
def doom_files() -> Iterator[dict[str, str]]:
    """Arguments that keep a game to a folder of its own, which is removed on leaving.

    ViZDoom reads `_vizdoom.ini` in the working directory, which may hold any setting of the game,
    and leaves it and a folder there; the working directory of a check is the student's. Its process
    waits for ever when this one is killed, so it is started to die with it where `setpriv` (part
    of util-linux) is there.
    """
    import vizdoom

    game = Path(vizdoom.__file__).with_name("vizdoom")
    with tempfile.TemporaryDirectory(prefix="grader-doom-") as name:
        folder = Path(name)
        arguments = {"doom_config_path": str(folder / "vizdoom.ini")}
        start = folder / "vizdoom"
        start.write_text(
            _START.format(folder=shlex.quote(name), game=shlex.quote(str(game))), encoding="utf-8"
        )
        start.chmod(0o700)
        if os.access(start, os.X_OK):  # not on a disk from which nothing may be started
            arguments["vizdoom_path"] = str(start)
        yield arguments


def ignored_arguments(kwargs: Mapping[str, Any]) -> list[str]:
    """Names of arguments that ViZDoom would pass over with no more than a line on standard error.

    What is no argument of the environment goes to the configuration of the game.
    """
    import vizdoom
    from vizdoom.gymnasium_wrapper.base_gymnasium_env import VizdoomEnv

    own = inspect.signature(VizdoomEnv).parameters
    return [
        name
        for name, value in kwargs.items()
        if name not in own and not vizdoom.DoomGame().set_config({name: value})
    ]
