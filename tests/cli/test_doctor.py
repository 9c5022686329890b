"""`grader doctor` says what grading would do, and its exit code says it to scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from grader.cli.doctor import examination_part, exit_code, proof_part, render
from grader.cli.remedies import advise
from grader.records.barriers import Barrier
from grader.records.examination import (
    Attempt,
    Diagnosis,
    Examination,
    Machine,
    Proof,
    Trial,
    TrialState,
)
from grader.records.spec import Isolation
from grader.sandbox.probing import offered

GRADER = Path(sys.executable).with_name("grader")
POORER = Path(__file__).parents[1] / "poorer_machine.py"


def _doctor(*options: str, without: tuple[str, ...] = ()) -> CompletedProcess[str]:
    if without and offered().isolation is not Isolation.FULL:
        pytest.skip("nothing can be taken from a machine that does not offer full isolation")
    # The script's own first line need not be within reach of the user that it runs as.
    command = [sys.executable, "-m", "grader", "doctor", *options]
    if without:
        command = [sys.executable, str(POORER), *without, "--", *command]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd="/"
    )


def test_exit_code_and_words_agree_with_what_grading_uses() -> None:
    done = _doctor()
    level = offered().isolation
    codes = {Isolation.FULL: 0, Isolation.RESTRICTED: 1, Isolation.PROCESS: 3}
    assert done.returncode == codes[level]
    assert done.stderr == ""  # progress is for terminals only
    assert f"{level}: this is what grading would use" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    for barrier in Barrier:
        assert barrier in done.stdout
    if level is not Isolation.PROCESS:
        assert done.stdout.count("refused: ") == 5


def test_without_namespaces_it_is_restricted_and_ends_with_1() -> None:
    done = _doctor("--format", "json", without=("no-user-namespaces",))
    assert done.returncode == 1, done.stderr
    found = Diagnosis.parse(json.loads(done.stdout))
    assert found.isolation is Isolation.RESTRICTED
    assert found.exit_code == 1
    (advice,) = (advice for advice in found.advice if advice.necessary)
    assert advice.about == Barrier.USER_NAMESPACE
    assert "sysctl -w user.max_user_namespaces=" in advice.text
    assert found.proof.holds
    assert len(found.proof.attempts) == 5


def test_without_landlock_nothing_holds_and_it_ends_with_3() -> None:
    done = _doctor(without=("unshare=EPERM", "landlock_create_ruleset=ENOSYS"))
    assert done.returncode == 3
    assert "✗  Landlock: files" in done.stdout
    assert "nothing keeps from it" in done.stdout
    assert "--isolation process" in done.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_ordinary_user_grades_at_full() -> None:
    done = _doctor("--format", "json", without=("user=1234",))
    assert done.returncode == 0, done.stderr
    found = Diagnosis.parse(json.loads(done.stdout))
    assert found.examination.user == 1234
    assert found.proof.holds


def test_folder_for_temporary_files_that_is_full_is_a_fault() -> None:
    script = (
        "import tempfile; tempfile.tempdir = '/proc'\n"
        "import sys; sys.argv = ['grader', 'doctor']\n"
        "from grader.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert "TMPDIR" in done.stderr


def _proof(isolation: Isolation, *refused: bool, problem: str = "") -> Proof:
    attempts = tuple(Attempt(what="read", refused=each, how="x") for each in refused)
    return Proof(isolation=isolation, attempts=attempts, problem=problem)


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (_proof(Isolation.FULL, True, True), 0),
        (_proof(Isolation.RESTRICTED, True), 1),
        (_proof(Isolation.PROCESS, False), 3),
        (_proof(Isolation.PROCESS, True), 3),
        (_proof(Isolation.FULL, True, False), 3),
        (_proof(Isolation.FULL, problem="no server"), 3),
    ],
    ids=["full", "restricted", "process", "process, all refused", "breach", "no worker"],
)
def test_exit_code_trusts_no_level_that_was_not_proven(proof: Proof, code: int) -> None:
    assert exit_code(proof.isolation, proof) == code


def test_breach_is_not_called_isolation() -> None:
    text = render(proof_part(_proof(Isolation.FULL, True, False)), colour=False, width=80)
    assert "Do not grade here" in " ".join(text.split())
    assert "runs at full" not in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_text_fits_and_shows_what_is_missing(width: int) -> None:
    found = Examination(
        trials=(
            Trial(barrier=Barrier.LIMITS, state=TrialState.HOLDS, seen="opening"),
            Trial(barrier=Barrier.USER_NAMESPACE, state=TrialState.REFUSED, error="EPERM",
                  why="a user namespace: Operation not permitted"),
            Trial(barrier=Barrier.OWN_ROOT, state=TrialState.NOT_TRIED,
                  why="needs: user namespace", needs=Barrier.USER_NAMESPACE),
        ),
        isolation=Isolation.RESTRICTED, refused={Isolation.FULL: "a user namespace: refused"},
        landlock_abi=4, is_root=True, user=60601, closed_folders=("/home/[b]admin",),
    )  # fmt: skip
    facts = Machine(system="linux", release="6.8", architecture="x86_64", is_filtered=True,
                    temporary="/tmp", temporary_free_mb=9, memory_mb=500, cores=2)  # fmt: skip
    advice = advise(found, facts)
    text = render(examination_part(found, facts, advice), colour=False, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "What to do" in text
    assert "Not necessary" in text
    assert text.index("✓") < text.index("✗") < text.index("–")
    if width == 80:
        assert "not tried: needs: user namespace" in text
        assert "root; workers as user 60601" in text
        assert "[b]admin" in text  # text of the machine is no markup
    assert "\x1b" in render(examination_part(found, facts, advice), colour=True, width=width)
