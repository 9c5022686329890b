from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignments.loader import builtin_ids, load_assignment
from grader.assignments.schema import assignment_schema
from grader.assignments.starter import starter_files
from grader.errors import UsageError
from grader.records.spec import Assignment


@pytest.mark.parametrize("name", builtin_ids())
def test_every_built_in_assignment_is_right(name: str) -> None:
    loaded = load_assignment(name, with_baselines=False)
    assert loaded.assignment.id == name


def test_week13_is_worth_a_hundred_points_and_has_the_promised_checks() -> None:
    assignment = load_assignment("week13", with_baselines=False).assignment
    checks = [check for part in assignment.parts.values() for check in part.checks.values()]
    assert sum(check.points for check in checks) == 100
    assert set(assignment.check_ids()) >= {
        *(f"{part}.interface" for part in assignment.parts),
        "random_agent.uniform", "random_agent.seeded", "network.architecture",
        "network.behaviour", "training.loss", "training.step", "agent.performance",
        "agent.deterministic", "environment.conformance", "environment.deterministic",
        "convolution.values",
    }  # fmt: skip


def test_the_starter_is_right_as_it_is(tmp_path: Path) -> None:
    for name, text in starter_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assignment = load_assignment(str(tmp_path)).assignment
    assert [part.kind for part in assignment.parts.values()] == [
        "random_agent",
        "network",
        "function",
    ]


@pytest.mark.parametrize("name", builtin_ids())
def test_a_new_assignment_can_begin_like_a_built_in_one(name: str, tmp_path: Path) -> None:
    for file, text in starter_files(name).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    loaded = load_assignment(str(tmp_path))
    assert loaded.assignment == load_assignment(name, with_baselines=False).assignment


def test_a_new_assignment_like_one_that_is_not_there() -> None:
    with pytest.raises(UsageError, match='did you mean "dqn_2013"'):
        starter_files("dqn2013")


def test_the_starter_has_the_form_of_an_assignment_and_explains_itself() -> None:
    text = starter_files()["assignment.toml"]
    explained = [line for line in text.splitlines() if "#" in line]
    assert len(explained) > 20


def test_the_schema_knows_all_built_in_kinds() -> None:
    part = assignment_schema()["$defs"]["PartSpec"]
    used = {
        part.kind
        for name in builtin_ids()
        for part in load_assignment(name, with_baselines=False).assignment.parts.values()
    }
    assert used <= set(part["properties"]["kind"]["enum"])
    assert Assignment.__name__ not in assignment_schema()["$defs"]
