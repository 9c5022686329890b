"""What is missing on a machine is found by trying, on machines that really lack it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.records.barriers import Barrier
from grader.records.examination import Examination, Trial, TrialState
from grader.records.spec import Isolation
from grader.sandbox.probing import examine, offered

POORER = Path(__file__).parents[1] / "poorer_machine.py"
SCRIPT = """
import json
from grader.sandbox.probing import examine, offered
found, offer = examine(), offered()
print(json.dumps([found.plain(), offer.isolation, offer.refused]))
"""

Examine = Callable[..., Examination]


@pytest.fixture(scope="module")
def on() -> Examine:
    """Examines this machine after taking something from it; see `poorer_machine.py`."""
    if offered().isolation is not Isolation.FULL:
        pytest.skip("nothing can be taken from a machine that does not offer full isolation")

    def examined(*what: str) -> Examination:
        done = subprocess.run(
            [sys.executable, POORER, *what, "--", sys.executable, "-c", SCRIPT],
            capture_output=True, text=True, cwd="/", timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found, level, refused = json.loads(done.stdout)
        examination = Examination.parse(found)
        # What grading will use and what the examination says must be the same.
        assert examination.isolation == level
        assert examination.plain()["refused"] == _without_folders(refused, examination)
        return examination

    return examined


def _without_folders(refused: dict[str, str], found: Examination) -> dict[str, str]:
    """Each run has temporary folders of its own."""
    ours = found.plain()["refused"]
    assert set(ours) == set(refused)
    return {level: ours[level] if "trial-" in why else why for level, why in refused.items()}


def _trial(found: Examination, barrier: Barrier) -> Trial:
    return next(trial for trial in found.trials if trial.barrier is barrier)


def _lacking(found: Examination) -> set[Barrier]:
    return {trial.barrier for trial in found.trials if trial.state is TrialState.REFUSED}


def test_every_barrier_is_tried_once() -> None:
    found = examine()
    assert sorted(trial.barrier for trial in found.trials) == sorted(Barrier)
    assert (found.isolation is Isolation.FULL) == (not found.refused)


def test_variable_that_reaches_the_worker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_COURSE", "x")
    held = _trial(examine(), Barrier.ENVIRONMENT)
    assert held.state is TrialState.HOLDS
    monkeypatch.setattr(
        "grader.sandbox.probing.worker_environment", _first_call_leaks("SECRET_OF_THE_COURSE")
    )
    leaked = _trial(examine(), Barrier.ENVIRONMENT)
    assert leaked.state is TrialState.REFUSED
    assert "SECRET_OF_THE_COURSE" in leaked.why


def _first_call_leaks(name: str) -> Callable[[Path], dict[str, str]]:
    """As if something beside the grader had set a variable for the program that it starts."""
    started: list[Path] = []

    def environment(folder: Path) -> dict[str, str]:
        started.append(folder)
        given = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        return given | ({name: "x"} if len(started) == 1 else {})

    return environment


def test_without_user_namespaces_restricted_is_left(on: Examine) -> None:
    found = on("no-user-namespaces")
    assert found.isolation is Isolation.RESTRICTED
    assert _lacking(found) == {Barrier.USER_NAMESPACE}
    assert _trial(found, Barrier.USER_NAMESPACE).error == "ENOSPC"
    assert _trial(found, Barrier.NETWORK_NAMESPACE).state is TrialState.NOT_TRIED
    assert _trial(found, Barrier.SYSTEM_CALLS).state is TrialState.HOLDS


def test_namespaces_refused_by_a_filter_leave_restricted(on: Examine) -> None:
    found = on("unshare=EPERM")
    assert found.isolation is Isolation.RESTRICTED
    assert _trial(found, Barrier.USER_NAMESPACE).error == "EPERM"


def test_covered_proc_leaves_restricted_and_every_namespace(on: Examine) -> None:
    found = on("covered-proc")
    assert found.isolation is Isolation.RESTRICTED
    assert _lacking(found) == {Barrier.OWN_ROOT}
    refused = _trial(found, Barrier.OWN_ROOT)
    assert refused.error == "EPERM"
    assert "mounting proc" in refused.why


def test_rooms_refused_are_told_by_their_error(on: Examine) -> None:
    found = on("setns=EINVAL")
    assert _lacking(found) == {Barrier.OWN_INIT}
    assert _trial(found, Barrier.OWN_INIT).error == "EINVAL"


@pytest.mark.parametrize("error", ["ENOSYS", "EOPNOTSUPP"])
def test_without_landlock_only_a_process_is_left(on: Examine, error: str) -> None:
    found = on("unshare=EPERM", f"landlock_create_ruleset={error}")
    assert found.isolation is Isolation.PROCESS
    assert _lacking(found) == {Barrier.LANDLOCK_FILES, Barrier.USER_NAMESPACE}
    assert found.landlock_abi == 0
    # One number has two names.
    assert _trial(found, Barrier.LANDLOCK_FILES).error in {error, "ENOTSUP"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_ordinary_user_has_what_root_has(on: Examine) -> None:
    found = on("user=1234")
    assert found.isolation is Isolation.FULL
    assert not found.is_root
    assert found.user == 1234
    assert _trial(found, Barrier.UNPRIVILEGED).seen == "user 1234"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_ordinary_user_without_namespaces_has_restricted(on: Examine) -> None:
    found = on("user=1234", "no-user-namespaces")
    assert found.isolation is Isolation.RESTRICTED
    assert _trial(found, Barrier.USER_NAMESPACE).error == "ENOSPC"


@pytest.mark.skipif(os.getuid() != 0, reason="of interest to root alone")
def test_root_without_other_users_is_told_so(on: Examine) -> None:
    found = on("no-other-users")
    assert found.isolation is Isolation.PROCESS
    assert found.user == 0
    refused = _trial(found, Barrier.UNPRIVILEGED)
    assert refused.error == "EINVAL"
    assert refused.why.startswith("becoming user")
