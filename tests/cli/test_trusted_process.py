"""The trusted process stays small: no TensorFlow, and help without waiting."""

from __future__ import annotations

import subprocess
import sys

import pytest

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import grader
for module in pkgutil.walk_packages(grader.__path__, "grader."):
    if not module.name.startswith(("grader.worker", "grader.__main__")):
        importlib.import_module(module.name)
print(*sorted(name for name in ("tensorflow", "keras", "h5py") if name in sys.modules))
"""

AFTER_HELP = """
import sys
from click.testing import CliRunner
from grader.cli.main import cli
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
heavy = ("numpy", "pydantic", "gymnasium", "jinja2", "rich", "scipy", "tensorflow")
print(*sorted(name for name in heavy if name in sys.modules))
"""


@pytest.mark.parametrize("program", [IMPORT_EVERYTHING, AFTER_HELP], ids=["all", "help"])
def test_nothing_heavy_is_imported(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
