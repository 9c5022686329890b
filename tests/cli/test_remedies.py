"""Each cause has its own remedy: the exact command or setting."""

from __future__ import annotations

from typing import Any

import pytest

from grader.cli.remedies import advise, remedy
from grader.records.barriers import Barrier
from grader.records.examination import Examination, Machine, Trial, TrialState
from grader.records.spec import Isolation


def _machine(**facts: Any) -> Machine:
    usual: dict[str, Any] = {
        "system": "linux", "release": "6.8.0-31-generic", "architecture": "x86_64",
        "temporary": "/tmp", "temporary_free_mb": 50_000, "memory_mb": 8000, "cores": 2,
    }  # fmt: skip
    return Machine(**usual | facts)


def _refused(barrier: Barrier, error: str = "", why: str = "refused") -> Trial:
    return Trial(barrier=barrier, state=TrialState.REFUSED, why=why, error=error)


def _found(*trials: Trial, **facts: Any) -> Examination:
    usual: dict[str, Any] = {
        "isolation": Isolation.RESTRICTED, "refused": {Isolation.FULL: "a reason"},
        "landlock_abi": 4, "is_root": False, "user": 1000,
    }  # fmt: skip
    return Examination(trials=trials, **usual | facts)


APPARMOR = {"kernel.apparmor_restrict_unprivileged_userns": "1"}
USER = Barrier.USER_NAMESPACE
FILES = Barrier.LANDLOCK_FILES

CASES = {
    "Ubuntu": (
        _refused(USER, "EACCES", "a user namespace: writing uid_map: Permission denied"),
        {"settings": APPARMOR},
        "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`",
    ),
    "Ubuntu, refused later": (
        _refused(Barrier.NETWORK_NAMESPACE, "EPERM"),
        {"settings": APPARMOR},
        "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`",
    ),
    "Docker on Ubuntu": (
        _refused(USER, "EPERM"),
        {"settings": APPARMOR, "is_filtered": True, "container": ("/.dockerenv",)},
        "--security-opt seccomp=unconfined",
    ),
    "Debian": (
        _refused(USER, "EPERM"),
        {"settings": {"kernel.unprivileged_userns_clone": "0"}},
        "`sudo sysctl -w kernel.unprivileged_userns_clone=1`",
    ),
    "none allowed": (
        _refused(USER, "ENOSPC"),
        {"settings": {"user.max_user_namespaces": "0"}},
        "`sudo sysctl -w user.max_user_namespaces=15000` (it is 0)",
    ),
    "no more networks": (
        _refused(Barrier.NETWORK_NAMESPACE, "ENOSPC"),
        {"settings": {"user.max_net_namespaces": "0"}},
        "`sudo sysctl -w user.max_net_namespaces=15000`",
    ),
    "kernel without": (_refused(USER, "EINVAL"), {}, "CONFIG_USER_NS=y"),
    "unknown policy": (_refused(USER, "EPERM"), {}, "dmesg"),
    "masked proc": (
        _refused(Barrier.OWN_ROOT, "EPERM", "mounting proc on /tmp/x/proc: refused"),
        {"covered": ("/proc/kcore",)},
        "systempaths=unconfined",
    ),
    "no number of pivot_root": (
        _refused(Barrier.OWN_ROOT, "", "pivot_root: not known on riscv64"),
        {"architecture": "riscv64"},
        "x86_64 or aarch64",
    ),
    "Landlock off, modules known": (
        _refused(FILES, "EOPNOTSUPP"),
        {"security_modules": ("capability", "yama", "apparmor")},
        "`lsm=landlock,yama,apparmor`",
    ),
    "Landlock off": (_refused(FILES, "ENOTSUP"), {}, "`cat /sys/kernel/security/lsm`"),
    "before Landlock": (_refused(FILES, "ENOSYS"), {"release": "5.10.0-28-amd64"}, "5.13 or newer"),
    "hidden Landlock": (_refused(FILES, "ENOSYS"), {"is_filtered": True}, "Docker 23"),
    "built without Landlock": (_refused(FILES, "ENOSYS"), {}, "CONFIG_SECURITY_LANDLOCK=y"),
    "no filter for it": (
        _refused(Barrier.SYSTEM_CALLS, "ENOTSUP"), {"architecture": "riscv64"}, "riscv64",
    ),
    "no filters": (_refused(Barrier.SYSTEM_CALLS, "EINVAL"), {}, "CONFIG_SECCOMP_FILTER=y"),
    "old kernel, rooms": (
        _refused(Barrier.OWN_INIT, "EINVAL"), {"release": "5.4.0-1"}, "5.8 or newer",
    ),
    "single user": (_refused(Barrier.UNPRIVILEGED, "EINVAL"), {}, "--add-subuids"),
    "root without rights": (_refused(Barrier.UNPRIVILEGED, "EPERM"), {}, "--cap-add SETUID"),
    "closed temporary folder": (
        _refused(Barrier.UNPRIVILEGED, "ENOENT", "/home/me/tmp/grader-x: No such file"),
        {"temporary": "/home/me/tmp"},
        "`export TMPDIR=/tmp`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_remedy_names_the_setting(case: str) -> None:
    trial, facts, expected = CASES[case]
    assert expected in remedy(trial, _machine(**facts), _found(trial))


def test_closed_interpreter_has_its_folder_named() -> None:
    trial = _refused(Barrier.UNPRIVILEGED, "EPERM", "mounting none on /: refused")
    text = remedy(trial, _machine(), _found(trial, is_root=True, closed_folders=("/home/admin",)))
    assert "outside of /home/admin" in text
    assert "-m venv" in text


@pytest.mark.parametrize("barrier", Barrier)
def test_every_barrier_has_a_remedy_for_an_error_nobody_thought_of(barrier: Barrier) -> None:
    trial = _refused(barrier, "EIO")
    assert remedy(trial, _machine(), _found(trial)).endswith(".")


def test_newer_landlock_is_not_necessary() -> None:
    found = _found(_refused(Barrier.LANDLOCK_SCOPES), isolation=Isolation.FULL, refused={})
    (advice,) = advise(found, _machine())
    assert not advice.necessary
    assert "6.12" in advice.text


def test_one_cause_is_told_once() -> None:
    found = _found(_refused(Barrier.NETWORK_NAMESPACE, "EPERM"),
                   _refused(Barrier.IPC_NAMESPACE, "EPERM"))  # fmt: skip
    assert len(advise(found, _machine(settings=APPARMOR))) == 1


def test_barriers_that_hold_only_one_by_one_are_reported() -> None:
    (advice,) = advise(_found(), _machine())
    assert advice.necessary
    assert "not all together (a reason)" in advice.text


@pytest.mark.parametrize(("system", "word"), [("darwin", "multipass"), ("win32", "wsl --install")])
def test_other_systems_are_shown_the_way_to_linux(system: str, word: str) -> None:
    advice = advise(_found(), _machine(system=system))
    assert word in advice[0].text


@pytest.mark.parametrize(
    ("facts", "about", "word"),
    [
        ({"memory_mb": 300}, "memory", "300 MiB are free"),
        ({"memory_mb": 3000, "cores": 8}, "memory", "`grade --jobs 2`"),
        ({"temporary_free_mb": 10}, "temporary files", "10 MiB left"),
    ],
    ids=["memory", "memory for fewer", "disk"],
)
def test_what_else_grading_needs_is_told(facts: dict[str, Any], about: str, word: str) -> None:
    found = _found(isolation=Isolation.FULL, refused={})
    (advice,) = advise(found, _machine(**facts))
    assert advice.about == about
    assert word in advice.text


def test_machine_that_has_everything_gets_no_advice() -> None:
    assert advise(_found(isolation=Isolation.FULL, refused={}), _machine()) == ()
