"""Facts of a machine, as far as it tells."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.records.examination import Machine
from grader.records.spec import Isolation
from grader.sandbox.machine import machine
from grader.sandbox.probing import offered

POORER = Path(__file__).parents[1] / "poorer_machine.py"
SCRIPT = """
import json
from grader.sandbox.machine import machine
print(json.dumps(machine().plain()))
"""


def _on(*what: str) -> Machine:
    if offered().isolation is not Isolation.FULL:
        pytest.skip("nothing can be taken from a machine that does not offer full isolation")
    done = subprocess.run(
        [sys.executable, POORER, *what, "--", sys.executable, "-c", SCRIPT],
        capture_output=True, text=True, cwd="/", timeout=60, check=True,
    )  # fmt: skip
    return Machine.parse(json.loads(done.stdout))


def test_versions_are_told_without_importing() -> None:
    script = (
        "import json, sys\nfrom grader.sandbox.machine import machine\n"
        "print(json.dumps([sorted(machine().versions), 'keras' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    versions, imported = json.loads(done.stdout)
    assert {"python", "grader", "keras", "gymnasium", "numpy"} <= set(versions)
    assert not imported


def test_filter_in_force_is_seen() -> None:
    before = machine().is_filtered
    assert _on("setns=EINVAL").is_filtered
    assert _on("covered-proc").is_filtered == before


def test_covered_parts_of_proc_are_named() -> None:
    assert "/proc/version" in _on("covered-proc").covered


def test_settings_are_those_in_force() -> None:
    assert _on("no-user-namespaces").settings["user.max_user_namespaces"] == "0"


def test_memory_and_disk_are_those_that_are_free() -> None:
    found = machine()
    assert found.temporary_problem == ""
    assert found.temporary_free_mb is not None
    assert found.temporary_free_mb > 0
    if sys.platform == "linux":
        assert found.memory_mb is not None
        assert 0 < found.memory_mb < 1 << 24


def test_folder_that_cannot_be_written_to_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    found = machine()
    assert found.temporary_problem != ""
    assert found.temporary_free_mb is None


def test_tightest_limit_of_a_control_group_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from grader.sandbox import machine as module

    monkeypatch.setattr(module, "_control_groups", lambda: [(700 << 20, 100 << 20), (1 << 63, 0)])
    assert machine().memory_mb == 600
