from __future__ import annotations

import os
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's own")

_STATUS = """
def status():
    lines = Path("/proc/self/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
"""

_RAISE_AMBIENT = """
import struct
from grader.worker.confinement.system_calls import capset, prctl
sets = struct.pack("=6I", 1, 1, 1, 0, 0, 0)  # CAP_CHOWN, inheritable as well
capset(struct.pack("=Ii", 0x20080522, 0), sets)
prctl("raising", 47, 2, 0)
"""


def _held(run_script, calls: str) -> dict[str, str]:
    return run_script(f"{_STATUS}\n{calls}\ntell(status())")


@pytest.mark.skipif(os.getuid() != 0, reason="only root has any to lose")
def test_root_keeps_no_capability_in_any_set(run_script):
    before = _held(run_script, "")
    after = _held(run_script, "capabilities.drop_capabilities()")

    assert int(before["CapEff"], 16) != 0
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(after[name], 16) == 0, name


@pytest.mark.skipif(os.getuid() != 0, reason="only root has an ambient capability to raise")
def test_ambient_capabilities_are_dropped(run_script):
    before = _held(run_script, _RAISE_AMBIENT)
    after = _held(run_script, _RAISE_AMBIENT + "capabilities.drop_capabilities()")

    assert int(before["CapAmb"], 16) == 1
    assert int(after["CapAmb"], 16) == 0


def test_a_user_without_capabilities_may_drop_them(run_script):
    after = _held(run_script, "become_ordinary()\ncapabilities.drop_capabilities()")

    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(after[name], 16) == 0, name


def test_what_capabilities_allowed_is_refused_afterwards(run_script):
    refused = run_script("""
        capabilities.drop_capabilities()
        tell([error_of(os.chroot, "/"), error_of(os.setgroups, [])])
    """)

    assert refused == ["EPERM", "EPERM"]


def test_no_new_privileges_is_noted_by_the_kernel(run_script):
    before = _held(run_script, "become_ordinary()")
    after = _held(run_script, "become_ordinary()\ncapabilities.no_new_privileges()")

    assert (before["NoNewPrivs"], after["NoNewPrivs"]) == ("0", "1")
