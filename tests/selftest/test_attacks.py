"""The corpus is well formed: every attack says what it tries and can be seen to succeed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.selftest.assignment import drawn_assignment
from grader.selftest.attacks import CORPUS, Attack, chosen, hand_in, load_corpus
from grader.selftest.trap import Trap

ATTACKS = load_corpus()
NAMES = [attack.name for attack in ATTACKS]


def _sources(folder: Path) -> dict[Path, str]:
    return {file: file.read_text(encoding="utf-8") for file in folder.rglob("*.py")}


def test_there_are_at_least_sixty_attacks_with_names_of_their_own() -> None:
    assert len(ATTACKS) >= 60
    assert len(set(NAMES)) == len(ATTACKS)
    assert len({attack.tries for attack in ATTACKS}) == len(ATTACKS)


def test_every_folder_of_the_corpus_is_an_attack() -> None:
    folders = {folder.name for folder in (CORPUS / "attacks").iterdir() if folder.is_dir()}
    assert folders == set(NAMES)


@pytest.mark.parametrize("attack", ATTACKS, ids=NAMES)
def test_an_attack_hands_in_the_file_of_its_part_and_says_what_it_tries(attack: Attack) -> None:
    loaded = drawn_assignment()
    part = loaded.assignment.parts[attack.part]
    source = (attack.folder / part.file).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)) == attack.tries
    most = sum(check.points for check in part.checks.values())
    assert attack.points < most, "an attack whose work is wrong must not be allowed all points"


@pytest.mark.parametrize("attack", ATTACKS, ids=NAMES)
def test_the_word_of_success_stands_in_no_file_of_an_attack(attack: Attack) -> None:
    # Else a report that quotes a line of the attack would count as its success.
    for file, text in _sources(attack.folder).items():
        assert "BREACH-" not in text, file.name


def test_attacks_that_are_kept_from_plain_processes_say_why() -> None:
    unsafe = [attack for attack in ATTACKS if attack.unsafe]
    assert unsafe, "signalling everyone must never be tried in a plain process"
    assert {attack.name for attack in unsafe} >= {"signal_everyone", "stop_server"}


def test_most_of_the_attacks_get_through_where_nothing_but_a_process_is_around_them() -> None:
    assert sum(attack.bites for attack in ATTACKS) >= 40


def test_an_unknown_attack_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no attack 'nothing_like_it'"):
        chosen(ATTACKS, ("nothing_like_it",))
    assert [attack.name for attack in chosen(ATTACKS, ("tcp",))] == ["tcp"]


def test_what_is_handed_in_knows_its_targets(tmp_path: Path, trap: Trap) -> None:
    attack = chosen(ATTACKS, ("npy_payload",))[0]
    hand_in(attack.folder, tmp_path / "made", trap.targets())
    files = {file.name for file in (tmp_path / "made").iterdir()}
    assert files == {"convolution.py", "weights.npy", "honest.py", "tools.py", "targets.py"}
    assert str(trap.out).encode() in (tmp_path / "made" / "weights.npy").read_bytes()
    known: dict[str, object] = {}
    exec((tmp_path / "made" / "targets.py").read_text(encoding="utf-8"), known)
    assert known["BYSTANDER_PID"] == trap.bystander.pid


def test_no_planted_secret_is_among_the_targets(trap: Trap) -> None:
    told = repr(trap.targets())
    for secret in trap.secrets.values():
        assert secret not in told


def test_seeds_are_drawn_anew_and_have_63_bits() -> None:
    first, second = drawn_assignment().assignment.seeds, drawn_assignment().assignment.seeds
    assert first != second
    assert max(*first.final, *second.final) > 2**48
    assert all(seed < 2**63 for seed in first.final)
