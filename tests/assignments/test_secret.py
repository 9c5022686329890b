"""Secrets, and the final seeds that follow from them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignments.loader import load_assignment
from grader.assignments.seal import sealed
from grader.assignments.secret import derived_seeds, read_secret, write_new_secret
from grader.errors import AssignmentError, UsageError
from grader.records.report import SeedSet
from grader.records.spec import Baselines

KEY = b"a secret of sixteen bytes or more"
Write = Callable[..., Path]


def secret_file(folder: Path, content: bytes = KEY, mode: int = 0o600) -> Path:
    file = folder / "course.secret"
    file.write_bytes(content)
    file.chmod(mode)
    return file


# --- derived seeds ------------------------------------------------------------------------------


def test_a_seed_is_the_first_63_bits_of_the_hmac() -> None:
    message = b'["week13", "agent", 1]'
    digest = hmac.new(KEY, message, hashlib.sha256).digest()
    assert derived_seeds(KEY, "week13", "agent", 2)[1] == int.from_bytes(digest[:8], "big") // 2


def test_seeds_fit_into_63_bits_and_none_stands_twice() -> None:
    seeds = derived_seeds(KEY, "week13", "agent", 1000)
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62


def test_more_episodes_keep_the_seeds_of_fewer() -> None:
    assert derived_seeds(KEY, "a", "b", 30)[:20] == derived_seeds(KEY, "a", "b", 20)


@pytest.mark.parametrize(
    ("key", "assignment_id", "part_id"),
    [(KEY + b"!", "a", "b"), (KEY, "a2", "b"), (KEY, "a", "b2"), (KEY, 'a", "b', "")],
)
def test_another_secret_assignment_or_part_has_other_seeds(
    key: bytes, assignment_id: str, part_id: str
) -> None:
    first = set(derived_seeds(KEY, "a", "b", 50))
    assert not first & set(derived_seeds(key, assignment_id, part_id, 50))


def test_a_seed_that_is_taken_makes_room_for_the_next() -> None:
    first, second, third = derived_seeds(KEY, "a", "b", 3)
    assert derived_seeds(KEY, "a", "b", 2, taken={second}) == (first, third)


# --- the file -----------------------------------------------------------------------------------


def test_white_space_around_the_secret_does_not_count(tmp_path: Path) -> None:
    plain = read_secret(secret_file(tmp_path))
    assert read_secret(secret_file(tmp_path, b"\r\n " + KEY + b"\n\n")) == plain
    assert plain.key == KEY


@pytest.mark.parametrize("content", [b"", b" \n", b"fifteen bytes..", b"fifteen bytes..\n\n\n"])
def test_a_secret_that_could_be_guessed_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"16 are the least; make one with `grader secret new"):
        read_secret(secret_file(tmp_path, content))


def test_what_is_no_secret_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No such file.*grader secret new FILE"):
        read_secret(tmp_path / "absent")
    with pytest.raises(UsageError, match=r"Is a directory|no ordinary file"):
        read_secret(tmp_path)
    with pytest.raises(UsageError, match="no ordinary file"):
        read_secret(Path(os.devnull))
    with pytest.raises(UsageError, match="more than 65536 bytes"):
        read_secret(secret_file(tmp_path, b"x" * 70000))


@pytest.mark.parametrize(
    ("mode", "exposed"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)]
)
def test_a_secret_that_others_can_read_is_noticed(mode: int, exposed: bool, tmp_path: Path) -> None:
    assert read_secret(secret_file(tmp_path, mode=mode)).exposed is exposed


def test_the_key_is_not_in_what_is_printed_of_it(tmp_path: Path) -> None:
    secret = read_secret(secret_file(tmp_path))
    assert KEY.decode() not in repr(secret)
    assert str(KEY) not in str(secret)


def test_a_new_secret_is_its_owners_alone_and_never_replaces_one(tmp_path: Path) -> None:
    file = tmp_path / "new.secret"
    write_new_secret(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = read_secret(file)
    assert len(first.key) == 64
    with pytest.raises(UsageError, match="already there"):
        write_new_secret(file)
    assert read_secret(file) == first
    with pytest.raises(UsageError, match="cannot write"):
        write_new_secret(tmp_path / "absent" / "new.secret")


# --- loading ------------------------------------------------------------------------------------

pytestmark = pytest.mark.usefixtures("kinds")


def recorded(path: Path, secret: Path, **changes: object) -> Baselines:
    loaded = load_assignment(str(path), secret=read_secret(secret), with_baselines=False)
    seeds = loaded.seeds_of("agent", SeedSet.FINAL)
    final = {
        "seeds": list(seeds),
        "random_returns": [1.0] * len(seeds),
        "dqn_returns": [9.0] * len(seeds),
    }
    part = {
        "environment_id": "CartPole-v1",
        "environment": {"environment_id": "CartPole-v1"},
        "public": {"seeds": [], "random_returns": [], "dqn_returns": []},
        "final": {**final, **changes},
    }
    data = {"assignment_id": "course", "versions": {}, "parts": {"agent": part}}
    return Baselines.parse(data)


def write_results(secret: Path, baselines: Baselines) -> Path:
    file = secret.with_name(f"{secret.name}.course.baselines.json")
    file.write_text(json.dumps(sealed(baselines)))
    return file


def test_with_a_secret_every_part_has_final_seeds_of_its_own(write: Write, tmp_path: Path) -> None:
    path = write()
    loaded = load_assignment(str(path), secret=read_secret(secret_file(tmp_path)))
    of_agent = loaded.seeds_of("agent", SeedSet.FINAL)
    assert len(of_agent) == 3
    assert not set(of_agent) & {*loaded.seeds_of("network", SeedSet.FINAL), 1, 2, 3, 4, 5}
    assert loaded.seeds_of("agent", SeedSet.PUBLIC) == (1, 2)
    assert loaded.baselines is None
    plain = load_assignment(str(path))
    assert plain.seeds_of("agent", SeedSet.FINAL) == (3, 4, 5)
    assert plain.digest != loaded.digest
    assert str(of_agent[0]) not in repr(loaded)


def test_an_assignment_may_leave_its_final_seeds_to_the_secret(
    write: Write, tmp_path: Path
) -> None:
    path = write(("final = [3, 4, 5]", "final_episodes = 7"))
    assert load_assignment(str(path)).assignment.seeds.final == ()
    loaded = load_assignment(str(path), secret=read_secret(secret_file(tmp_path)))
    assert len(loaded.seeds_of("agent", SeedSet.FINAL)) == 7


@pytest.mark.parametrize(
    ("seeds", "problem"),
    [
        ("", "there are no seeds for grading; give some as `final`, or say with `final_episodes`"),
        ("final = []", "there are no seeds for grading"),
        ("final = [3, 4]\nfinal_episodes = 3", "`final` has 2 seeds and `final_episodes` says 3"),
        ("final_episodes = 0", "expected a whole number from 1 to 1000, received 0"),
    ],
)
def test_seeds_that_do_not_go_together_are_told(seeds: str, problem: str, write: Write) -> None:
    path = write(("final = [3, 4, 5]", seeds))
    with pytest.raises(AssignmentError) as caught:
        load_assignment(str(path))
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]


def test_results_for_secret_seeds_stand_beside_the_secret(write: Write, tmp_path: Path) -> None:
    path = write()
    (tmp_path / "safe").mkdir()
    file = secret_file(tmp_path / "safe")
    baselines = recorded(path, file)
    write_results(file, baselines)
    loaded = load_assignment(str(path), secret=read_secret(file))
    assert loaded.baselines == baselines
    assert load_assignment(str(path)).baselines is None


def test_results_of_another_secret_are_told_with_the_command_that_helps(
    write: Write, tmp_path: Path
) -> None:
    path = write()
    file = secret_file(tmp_path)
    results = write_results(file, recorded(path, file))
    file.write_bytes(b"quite another secret")
    with pytest.raises(AssignmentError) as caught:
        load_assignment(str(path), secret=read_secret(file))
    assert caught.value.source == str(results)
    (problem,) = caught.value.problems
    assert problem.startswith(f'the results in {results.name} for part "agent"')
    assert "were recorded with other seeds" in problem
    assert f"grader baseline {path} --reference FOLDER --secret-file {file}" in problem


def test_results_of_another_environment_are_told_by_the_key(write: Write, tmp_path: Path) -> None:
    path = write()
    file = secret_file(tmp_path)
    write_results(file, recorded(path, file))
    path = write(
        ('environment_id = "CartPole-v1"', 'environment_id = "CartPole-v1"\nmax_episode_steps = 9')
    )
    with pytest.raises(AssignmentError) as caught:
        load_assignment(str(path), secret=read_secret(file))
    assert "was recorded with another `max_episode_steps`" in caught.value.problems[0]
