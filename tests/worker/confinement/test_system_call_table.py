from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.worker.confinement.system_call_table import NUMBERS

_X86_64 = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
_GENERIC = Path("/usr/include/asm-generic/unistd.h")


def _check(machine: str, header: Path, pattern: str) -> None:
    if not header.exists():
        pytest.skip(f"the kernel's {header.name} is not installed")
    defined = dict(re.findall(pattern, header.read_text()))
    shared = {name: number for name, number in NUMBERS[machine].items() if name in defined}

    assert len(shared) > 250
    assert shared == {name: int(defined[name]) for name in shared}


def test_numbers_of_x86_64_are_those_of_the_kernel_s_header():
    _check("x86_64", _X86_64, r"#define __NR_(\w+) (\d+)")


def test_numbers_of_aarch64_are_those_of_the_kernel_s_generic_header():
    # Calls with a version for 64-bit files are defined under that version's name.
    _check("aarch64", _GENERIC, r"#define __NR(?:3264)?_(\w+) (\d+)")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_no_number_is_given_twice(machine):
    numbers = list(NUMBERS[machine].values())

    assert len(numbers) == len(set(numbers))


def test_every_call_of_aarch64_is_there_on_x86_64():
    assert set(NUMBERS["aarch64"]) <= set(NUMBERS["x86_64"])
