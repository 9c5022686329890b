"""A barrier that is set up without an error and keeps from nothing is found out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.records.barriers import UNPRIVILEGED_ID, Barrier
from grader.records.examination import Trial, TrialState
from grader.records.spec import Isolation
from grader.sandbox.probing import offered

SCRIPT = """
import json, sys
from grader.records.barriers import UNPRIVILEGED_ID, Barrier
from grader.worker import barrier_trials
from grader.worker.barrier_trials import *
from grader.worker.confinement import capabilities, rooms
from grader.worker.confinement.places import needed_places

def nothing(*_, **__):
    pass

{fault}
found = barrier_trials.try_barriers(needed_places(), sys.argv[1])
print(json.dumps([trial.plain() for trial in found]))
"""

NO_NAMESPACE = "unshare = calls.unshare\ncalls.unshare = lambda f, w: f & {0} or unshare(f, w)"

FAULTS = {
    Barrier.LIMITS: "limits.set_limits = nothing",
    Barrier.NO_CAPABILITIES: "barrier_trials._status = lambda _: '1ffffffffff'",
    Barrier.NO_NEW_PRIVILEGES: "barrier_trials.no_new_privileges = nothing",
    Barrier.LANDLOCK_FILES: "landlock.restrict = lambda **_: frozenset(Barrier)",
    Barrier.SYSTEM_CALLS: "seccomp.install = nothing",
    Barrier.PROCESS_NAMESPACE: NO_NAMESPACE.format("calls.CLONE_NEWPID"),
    Barrier.NETWORK_NAMESPACE: NO_NAMESPACE.format("calls.CLONE_NEWNET"),
    Barrier.IPC_NAMESPACE: NO_NAMESPACE.format("calls.CLONE_NEWIPC"),
    Barrier.OWN_ROOT: "in_cage = lambda p, s, b: b(None)\nbarrier_trials.in_cage = in_cage",
    Barrier.OWN_INIT: "barrier_trials.in_room = lambda r, l, b: b()",
    Barrier.SIZED_SCRATCH: "rooms.furnish = rooms.furnish\n"
    "barrier_trials._SMALL = Limits()\n"
    "fill = Path.write_bytes\nPath.write_bytes = lambda path, data: fill(path, b'little')",
}
NEEDS_NAMESPACES = set(list(FAULTS)[5:])


@pytest.fixture(scope="module")
def has_full() -> bool:
    return offered().isolation is Isolation.FULL


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp())
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


def _tried(fault: str, folder: Path) -> dict[Barrier, Trial]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(fault=fault), folder],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {trial.barrier: trial for trial in map(Trial.parse, json.loads(done.stdout))}


def test_all_barriers_of_a_machine_that_has_full_isolation_hold(
    folder: Path, has_full: bool
) -> None:
    if not has_full:
        pytest.skip("this machine does not offer full isolation")
    found = _tried("", folder)
    assert set(found) == set(Barrier) - {Barrier.ENVIRONMENT}
    optional = {Barrier.LANDLOCK_NETWORK, Barrier.LANDLOCK_SCOPES}
    assert {b for b, trial in found.items() if trial.state is not TrialState.HOLDS} <= optional
    assert all(trial.seen for b, trial in found.items() if b not in optional)
    as_root = f"root becomes user {UNPRIVILEGED_ID}" in found[Barrier.UNPRIVILEGED].seen
    assert as_root == (os.getuid() == 0)


@pytest.mark.parametrize("barrier", FAULTS)
def test_barrier_that_keeps_from_nothing_is_found_out(
    barrier: Barrier, folder: Path, has_full: bool
) -> None:
    if barrier in NEEDS_NAMESPACES and not has_full:
        pytest.skip("this machine does not offer full isolation")
    trial = _tried(FAULTS[barrier], folder)[barrier]
    assert trial.state is TrialState.REFUSED
    assert trial.why


def test_what_builds_on_a_missing_barrier_is_not_tried(folder: Path) -> None:
    found = _tried("def no(*_):\n    raise OSError(28, 'no more')\n"
                   "namespaces.enter_user_namespace = no", folder)  # fmt: skip
    user = found[Barrier.USER_NAMESPACE]
    assert (user.state, user.why, user.error) == (TrialState.REFUSED, "no more", "ENOSPC")
    network = found[Barrier.NETWORK_NAMESPACE]
    assert (network.state, network.needs) == (TrialState.NOT_TRIED, Barrier.USER_NAMESPACE)
    assert found[Barrier.SIZED_SCRATCH].needs is Barrier.OWN_INIT
    assert found[Barrier.SYSTEM_CALLS].state is TrialState.HOLDS
