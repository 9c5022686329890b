from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.loader import (
    builtin_ids,
    load_assignment,
    missing_baselines,
)
from grader.assignments.seal import sealed
from grader.errors import AssignmentError, UsageError
from grader.records.spec import Baselines

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("kinds")


def problems_of(path: Path) -> list[str]:
    with pytest.raises(AssignmentError) as caught:
        load_assignment(str(path))
    assert caught.value.source == str(path)
    return list(caught.value.problems)


def recorded(**changes: Any) -> dict[str, Any]:
    public = {"seeds": [1, 2], "random_returns": [1.0, 2.0], "dqn_returns": [9.0, 8.0]}
    final = {"seeds": [3, 4, 5], "random_returns": [1.0] * 3, "dqn_returns": [9.0] * 3}
    part = {"environment_id": "CartPole-v1", "public": public, "final": final}
    return {
        "assignment_id": "course",
        "versions": {"gymnasium": "1.0"},
        "parts": {"agent": {**part, **changes}},
    }


def with_baselines(path: Path, data: Any) -> Path:
    with contextlib.suppress(ValueError):  # what cannot be parsed has no seal either
        data = sealed(Baselines.parse(data))
    path.with_name("baselines.json").write_text(json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize("change", [("dqn_returns", 8.5), ("random_returns", 1e-9)])
def test_recorded_results_that_were_changed_by_hand_are_noticed(
    change: tuple[str, float], write: Write
) -> None:
    path = with_baselines(write(), recorded())
    file = path.with_name("baselines.json")
    assert load_assignment(str(path)).baselines is not None
    data = json.loads(file.read_text())
    data["parts"]["agent"]["final"][change[0]][1] += change[1]
    file.write_text(json.dumps(data))
    with pytest.raises(AssignmentError) as caught:
        load_assignment(str(path))
    assert "are not as `grader baseline` wrote them" in caught.value.problems[0]
    del data["digest"]
    file.write_text(json.dumps(data))
    with pytest.raises(AssignmentError):
        load_assignment(str(path))


def test_a_right_file_is_loaded(write: Write) -> None:
    path = write()
    loaded = load_assignment(str(path))
    assert loaded.assignment.check_ids() == (
        "network.interface",
        "network.architecture",
        "agent.performance",
    )
    assert loaded.path == path
    assert loaded.baselines is None


def test_a_folder_means_the_assignment_in_it(write: Write) -> None:
    path = write()
    assert load_assignment(str(path.parent)) == load_assignment(str(path))


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(write: Write) -> None:
    path = write()
    before = load_assignment(str(path))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_assignment(str(path)) == before


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("week12", 'there is no built-in assignment "week12"; did you mean "week13"?'),
        ("qqqq", 'there is no built-in assignment "qqqq". There are: a'),
        ("./week13", "there is no assignment file ./week13"),
        ("absent.toml", "there is no assignment file absent.toml"),
        (".", "the folder . holds no assignment.toml"),
    ],
)
def test_an_assignment_that_is_not_there(
    asked: str, answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        load_assignment(asked)
    assert str(caught.value).startswith(answer)


def test_a_built_in_id_wins_over_a_folder_of_that_name(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "week13" in builtin_ids()
    (tmp_path / "week13").mkdir()
    write().rename(tmp_path / "week13" / "assignment.toml")
    monkeypatch.chdir(tmp_path)
    assert load_assignment("./week13").assignment.id == "course"
    # The kinds installed for this test are not those of week13: its errors show which was read.
    with pytest.raises(AssignmentError, match="random_agent"):
        load_assignment("week13")


# --- problems -----------------------------------------------------------------------------------


def test_ten_mistakes_are_told_at_once_each_with_its_line(write: Write) -> None:
    path = write(
        ('title = "A course"', 'titel = "A course"'),
        ("final = [3, 4, 5]", "final = [3, 2]"),
        ("kernel_size = [3, 3]", 'kernel_size = "3x3"\nstride = 2'),
        ('layer = "Dense"', 'layer = "Dence"'),
        ('requires = ["network.interface"]', 'requires = ["network.inteface"]'),
        ('file = "agent.py"', 'file = "../agent.py"'),
        ('environment_id = "CartPole-v1"', "environment_id = 1\nreplayed_episodes = 0"),
        ("[parts.agent.checks.performance]", "[parts.agent.checks.preformance]"),
    )
    expected = {
        1: "title: this key is missing; expected a non-empty text of at most 200 characters",
        2: "titel: unknown key; did you mean `title`?",
        4: "seeds: public and final seeds must not share a seed",
        20: "parts.network.settings.layers[0].kernel_size: expected a whole number from 1 to "
        "1048576, a list of one to three whole numbers from 1 to 1048576, such as [3, 3], a range "
        '{ min = …, max = … }, alternatives such as { one_of = [3, 5] } or "any", received "3x3"',
        21: "parts.network.settings.layers[0].stride: unknown key; did you mean `strides`?",
        24: 'parts.network.settings.layers[1].layer: there is no layer "Dence"; did you mean '
        '"Dense"?',
        34: 'parts.network.checks.architecture.requires[0]: there is no check "network.inteface"; '
        'did you mean "network.interface"?',
        39: "parts.agent.file: expected the name of one file, without folders or spaces, such as "
        '"network.py", received "../agent.py"',
        42: "parts.agent.settings.environment_id: expected a non-empty text of at most 200 "
        "characters, received 1",
        43: "parts.agent.settings.replayed_episodes: expected a whole number from 1 to 100, "
        "received 0",
        45: 'parts.agent.checks.preformance: there is no kind of check "agent.preformance"; did '
        'you mean "agent.performance"?',
    }
    found = problems_of(path)
    assert len(found) == len(expected)
    for problem, (line, text) in zip(found, expected.items(), strict=True):
        assert problem.startswith(f"assignment.toml:{line}: {text}")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'kind = "agent"',
            'kind = "Agnet"',
            'kind: there is no kind of part "Agnet"; did you mean "agent"?',
        ),
        (
            'kind = "agent"',
            'kind = "agent"\nnames = { acts = ["x"] }',
            'names.acts: a part of kind agent has no role "acts"; did you mean "act"?',
        ),
        (
            'kind = "agent"',
            'kind = "agent"\nnames = { act = "x" }',
            "names.act: expected a non-empty list of names as Python has them",
        ),
        (
            'kind = "agent"',
            'kind = "agent"\nnames = { act = ["a b"] }',
            "names.act[0]: expected a name as Python has them",
        ),
        (
            'kind = "agent"',
            'kind = "agent"\nlimits = { memory_mb = 64 }',
            "limits.memory_mb: expected a whole number from 512 to 1048576, received 64",
        ),
        (
            "points = 4",
            'points = 4\nkind = "network.interface"',
            'checks.performance.kind: a part of kind agent has no check "network.interface"',
        ),
        (
            "points = 4",
            'points = 4\nkind = "agent.interface"\nsettings = { x = 1 }',
            "checks.performance.settings.x: unknown key. Known here: none.",
        ),
        (
            "points = 4",
            "points = 4\nsettings = { full_marks_at = 0 }",
            "checks.performance.settings: full_marks_at must be above no_marks_at",
        ),
        (
            "points = 4",
            'points = 4\nsettings = { decides = "interval_low" }',
            "checks.performance.settings.decides: grading plays 3 episodes, and the end of an "
            "interval over so few says little; play at least 10",
        ),
        (
            "points = 4",
            'points = 4\nsettings = { rule = "treshold" }',
            'checks.performance.settings.rule: expected one of "linear", "threshold", "tiers", '
            'received "treshold"; did you mean "threshold"?',
        ),
        (
            "points = 4",
            "points = true",
            "checks.performance.points: expected a number from 0 to 10000, received true",
        ),
        (
            "points = 4",
            "points = nan",
            "checks.performance.points: expected an ordinary number, received nan",
        ),
        (
            "points = 4",
            "points = 1979-05-27",
            "checks.performance.points: expected no date or time here, received 1979-05-27",
        ),
        (
            "points = 4",
            'points = 4\nvisibility = "hiden"',
            'checks.performance.visibility: expected one of "public", "hidden", '
            'received "hiden"; did you mean "hidden"?',
        ),
        (
            "points = 4",
            'points = 4\nrequires = "network.interface"',
            "checks.performance.requires: expected a list of ids of checks",
        ),
        (
            "points = 4",
            'points = 4\nrequires = ["agent.performance"]',
            "checks.performance.requires: a check cannot require itself",
        ),
        (
            "points = 4",
            'points = 4\nrequires = ["Network"]',
            'checks.performance.requires[0]: there is no check "Network"',
        ),
        ("[parts.agent.checks.performance]", "[parts.agent.checks.Bad]", "checks.Bad: "),
    ],
)
def test_a_mistake_in_a_part(write: Write, old: str, new: str, problem: str) -> None:
    path = write((old, new))
    lines = path.read_text(encoding="utf-8").splitlines()
    found = problems_of(path)
    assert len(found) == 1
    place, key, text = found[0].split(": ", 2)
    assert f"{key}: {text}".startswith(f"parts.agent.{problem}")
    stands_in = lines[int(place.removeprefix("assignment.toml:")) - 1]
    assert stands_in in new.splitlines()


def test_a_role_without_a_usual_name_needs_one(write: Write) -> None:
    path = write(
        ('kind = "agent"', 'kind = "plain"'),
        ('environment_id = "CartPole-v1"', ""),
        ("checks.performance", "checks.values"),
    )
    assert problems_of(path) == [
        "assignment.toml:35: parts.agent.names: the function `function` has no name yet; add the "
        'names you accept for it, such as function = ["my_function"]'
    ]


def test_seeds_may_be_left_out_where_nothing_plays_episodes(write: Write) -> None:
    seeds = "[seeds]\npublic = [1, 2]\nfinal = [3, 4, 5]\n"
    assert problems_of(write((seeds, ""))) == [
        "assignment.toml:1: seeds: this key is missing; expected a table with `public` and "
        "`final`, such as { public = [1, 2], final = [3, 4, 5] }, or { public = [1, 2], "
        "final_episodes = 20 } for final seeds from a secret file"
    ]


def test_missing_settings_are_told_at_the_part(write: Write) -> None:
    path = write(('[parts.agent.settings]\nenvironment_id = "CartPole-v1"\n', ""))
    assert problems_of(path) == [
        "assignment.toml:35: parts.agent.settings.environment_id: this key is missing; expected a "
        "non-empty text of at most 200 characters"
    ]


def test_a_circle_of_requirements_is_told_once(write: Write) -> None:
    path = write(
        ("points = 1\n", 'points = 1\nrequires = ["agent.performance"]\n'),
        ("points = 4", 'points = 4\nrequires = ["network.architecture"]'),
    )
    assert problems_of(path) == [
        "assignment.toml:29: parts.network.checks.interface.requires: these checks require each "
        "other in a circle: network.interface → agent.performance → network.architecture → "
        "network.interface"
    ]


def test_long_chains_of_requirements_are_no_circle(write: Write) -> None:
    further = "".join(
        f'[parts.network.checks.c{number}]\ntitle = "c"\npoints = 1\nkind = "network.interface"\n'
        f'requires = ["network.c{number + 1}", "network.c1999"]\n'
        for number in range(1999)
    )
    last = '[parts.network.checks.c1999]\ntitle="c"\npoints=1\nkind = "network.interface"\n'
    path = write(("[parts.agent]", further + last + "[parts.agent]"))
    assert len(load_assignment(str(path)).assignment.check_ids()) == 2003


def test_a_public_check_cannot_require_a_hidden_one(write: Write) -> None:
    path = write(("points = 1\n", 'points = 1\nvisibility = "hidden"\n'))
    assert problems_of(path) == [
        'assignment.toml:34: parts.network.checks.architecture.requires[0]: "network.interface" '
        'is hidden, so students could never pass what requires it; make "network.architecture" '
        'hidden too, or "network.interface" public'
    ]


def test_an_assignment_without_points(write: Write) -> None:
    path = write(
        ("points = 1", "points = 0"), ("points = 3", "points = 0"), ("points = 4", "points = 0.0")
    )
    assert problems_of(path) == [
        "assignment.toml:8: parts: every check is worth 0 points; give at least one some points"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = 1\n\na = 2\nb = 3", "3: not valid TOML: this key stands twice in its table"),
        ("[a]\nb = 1\n[a]", "3: not valid TOML: this table stands twice"),
        ("a = 1\nb", "2: not valid TOML: expected `=` after the key"),
        ("a = 1\nb = yes", "2: not valid TOML: expected a value: texts need quotes"),
        ('a = "x\n\nb = 1', "1: not valid TOML: a text is not closed on its line"),
        ("a = '''x\n\nb = 1", "3: not valid TOML: a text is not closed"),
        ("a = [1\nb = 2", "2: not valid TOML: a list is not closed"),
        ("a = 1 b = 2", "1: not valid TOML: something stands behind the value"),
        ('a = "C:\\dir"', "1: not valid TOML: a `\\` in a text must be written `\\\\`"),
    ],
)
def test_what_is_not_toml(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text(text, encoding="utf-8")
    assert [found.startswith(f"assignment.toml:{problem}") for found in problems_of(path)] == [True]


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "a = " + "9" * 20_000])
def test_a_text_that_no_reader_can_take(tmp_path: Path, text: str) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text(text, encoding="utf-8")
    assert len(problems_of(path)) == 1


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "assignment.toml"
    path.write_bytes("id = 'a'\ntitle = 'Übung'".encode("latin-1"))
    assert problems_of(path) == ["assignment.toml:2: not UTF-8; save the file in this encoding"]


@pytest.mark.parametrize("text", ["", "parts = 3", "parts = [1]", "[parts]\na = 1", "[parts.a]"])
def test_a_file_with_next_to_nothing_in_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text(text, encoding="utf-8")
    keys = {problem.split(": ")[1] for problem in problems_of(path)}
    assert {"id", "title", "seeds"} <= keys


VALUES = (
    "1", "-1", "1.5", "true", '"x"', '""', "[]", "[1]", "{}", "{ a = 1 }", "[[1]]", "nan",
    "1979-05-27", '["x"]', "[{}]", '"network"', "9" * 30,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(100))
def test_whatever_is_wrong_is_told_in_words_of_the_file(write: Write, seed: int) -> None:
    path = write()
    chosen = random.Random(seed)
    lines = path.read_text(encoding="utf-8").splitlines()
    for place in chosen.sample([i for i, line in enumerate(lines) if " = " in line], 3):
        lines[place] = f"{lines[place].partition(' = ')[0]} = {chosen.choice(VALUES)}"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        load_assignment(str(path))
    except AssignmentError as error:
        for problem in error.problems:
            assert problem.startswith("assignment.toml:")
            assert "Input should" not in problem
            assert "another value" not in problem


# --- digest and baselines -----------------------------------------------------------------------


def test_the_digest_is_of_what_is_said_and_not_of_how(write: Write) -> None:
    plain = load_assignment(str(write())).digest
    said_again = write(
        ('title = "A course"', 'title = "A course"  # a comment\nisolation = "process"'),
        ("final = [3, 4, 5]", "final = [\n  3,\n  4, 5,\n]"),
        ("points = 3", "points = 3.0"),
    )
    assert plain.startswith("sha256:")
    assert load_assignment(str(said_again)).digest == plain


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("points = 3", "points = 3.5"),
        ("filters = 8", "filters = 9"),
        (
            "[parts.network.checks.interface]",
            '[parts.network.checks.early]\ntitle = "e"\nkind = "network.interface"\npoints = 0\n'
            "[parts.network.checks.interface]",
        ),
    ],
)
def test_the_digest_changes_with_what_is_said(write: Write, old: str, new: str) -> None:
    plain = load_assignment(str(write())).digest
    assert load_assignment(str(write((old, new)))).digest != plain


def test_the_order_of_checks_is_part_of_the_digest(write: Write) -> None:
    first = '[parts.network.checks.interface]\ntitle = "It can be built"\npoints = 1\n\n'
    plain = load_assignment(str(write())).digest
    moved = write((first, ""), ("[parts.agent]\n", f"{first}[parts.agent]\n"))
    assert load_assignment(str(moved)).digest != plain


def test_recorded_results_are_read_and_are_part_of_the_digest(write: Write) -> None:
    path = write()
    without = load_assignment(str(path))
    loaded = load_assignment(str(with_baselines(path, recorded())))
    assert loaded.baselines is not None
    assert loaded.baselines.parts["agent"].final.dqn_returns == (9.0, 9.0, 9.0)
    assert loaded.digest != without.digest


def test_parts_without_recorded_results_are_named(write: Write) -> None:
    path = write()
    assert missing_baselines(load_assignment(str(path))) == ("agent",)
    with_baselines(path, recorded())
    assert missing_baselines(load_assignment(str(path))) == ()
    with_baselines(path, {**recorded(), "parts": {}})
    assert missing_baselines(load_assignment(str(path))) == ("agent",)


def test_recorded_results_that_no_longer_fit(write: Write) -> None:
    path = write(
        ("public = [1, 2]", "public = [1, 20]"),
        ("final = [3, 4, 5]", "final = [5, 4, 3]"),
        ('id = "course"', 'id = "other"'),
        ('"CartPole-v1"', '"Acrobot-v1"'),
    )
    found = problems_of(with_baselines(path, recorded()))
    run = f"run `grader baseline {path}`"
    assert all(run in problem for problem in found)
    assert [problem.split(": ")[:2] for problem in found] == [
        ["assignment.toml:1", "id"],
        ["assignment.toml:5", "seeds.public"],
        ["assignment.toml:6", "seeds.final"],
        ["assignment.toml:41", "parts.agent.settings.environment_id"],
    ]
    # The command that mends this must be able to load the assignment.
    assert load_assignment(str(path), with_baselines=False).baselines is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{\n  oops", "baselines.json:2: not valid JSON"),
        ("[" * 100_000, "baselines.json: not valid JSON"),
        ("[]", "baselines.json: "),
        (
            '{"assignment_id": "course", "versions": {}, "parts": {"agent": 1}}',
            "baselines.json: parts.agent: expected a table with",
        ),
    ],
)
def test_recorded_results_that_cannot_be_read(write: Write, text: str, problem: str) -> None:
    path = write()
    path.with_name("baselines.json").write_text(text, encoding="utf-8")
    with pytest.raises(AssignmentError) as caught:
        load_assignment(str(path))
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(problem)
    assert f"run `grader baseline {path}`" in caught.value.problems[0]
