"""Exit codes of `grader selftest`, and the command on attacks that are quick."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from grader.cli.exit_codes import ExitCode
from grader.cli.selftest import exit_code
from grader.records.spec import Isolation
from grader.selftest.breach import Cell, State
from grader.selftest.level import LevelResult

FULL, RESTRICTED, PROCESS = Isolation.FULL, Isolation.RESTRICTED, Isolation.PROCESS


def _ran(level: Isolation, state: State) -> LevelResult:
    return LevelResult(level, cells={"attack": Cell(state)})


def _absent(level: Isolation) -> LevelResult:
    return LevelResult(level, unavailable="this machine refuses it")


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([_ran(FULL, State.HELD), _ran(PROCESS, State.BREACH)], ExitCode.COMPLETE),
        ([_ran(PROCESS, State.BREACH)], ExitCode.COMPLETE),
        ([_absent(FULL), _ran(RESTRICTED, State.HELD)], ExitCode.COMPLETE),
        ([_ran(FULL, State.BREACH), _ran(PROCESS, State.HELD)], ExitCode.INCOMPLETE),
        ([_ran(FULL, State.HELD), _ran(RESTRICTED, State.BREACH)], ExitCode.INCOMPLETE),
        ([_ran(FULL, State.BREACH), _ran(RESTRICTED, State.ERROR)], ExitCode.INCOMPLETE),
        ([_ran(FULL, State.ERROR)], ExitCode.FAULT),
        ([_absent(FULL), _absent(RESTRICTED), _ran(PROCESS, State.BREACH)], ExitCode.FAULT),
        ([_absent(FULL)], ExitCode.FAULT),
    ],
)
def test_the_exit_code_says_whether_something_got_through(
    results: list[LevelResult], code: ExitCode
) -> None:
    assert exit_code(results) is code


def _selftest(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", "selftest", *arguments],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_an_attack_runs_from_the_command_line_and_bites_in_a_plain_process() -> None:
    done = _selftest("--isolation", "process", "--only", "tcp", "--format", "json")
    assert done.returncode == ExitCode.COMPLETE, done.stderr
    (attack,) = json.loads(done.stdout)["attacks"]
    assert attack["levels"]["process"]["state"] == "breach"


def test_an_unknown_attack_is_a_usage_error() -> None:
    done = _selftest("--only", "no_such_attack")
    assert done.returncode == ExitCode.USAGE
    assert "there is no attack 'no_such_attack'" in done.stderr
