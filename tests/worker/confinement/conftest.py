"""A process that barriers are tried out in, as if freshly forked: see `nursery.py`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_ORDINARY_USER = 65534

RunScript = Callable[[str], Any]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that belongs to the user that the scripts run as."""
    # pytest's own folders cannot be entered by other users.
    path = Path(tempfile.mkdtemp()).resolve()
    if os.getuid() == 0:
        os.chown(path, _ORDINARY_USER, _ORDINARY_USER)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def run_script() -> Iterator[RunScript]:
    """Runs a script in a process of its own and gives what it told."""
    server = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("nursery.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def run(script: str) -> Any:
        print(json.dumps(textwrap.dedent(script)), file=server.stdin, flush=True)
        status, told, printed = json.loads(server.stdout.readline())
        assert told, f"ended with {status}: {printed}"
        return json.loads(told)

    yield run
    server.stdin.close()
    server.wait()
    server.stdout.close()
