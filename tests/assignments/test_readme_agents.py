"""What the README says about secret seeds and points is true of the files it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.assignments.loader import load_assignment
from grader.records.agent_settings import Decides, Measure, PerformanceSettings, Rule

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
HEAD = """\
id = "course"
title = "A course"
[parts.agent]
title = "An agent"
kind = "agent"
file = "agent.py"
[parts.agent.settings]
environment_id = "CartPole-v1"
[parts.agent.checks.performance]
title = "It plays"
points = 1
"""


def examples(title: str) -> list[str]:
    section = README.split(f"### {title}\n")[1].split("\n### ")[0]
    return re.findall(r"```toml\n(.*?)```", section, re.DOTALL)


SEEDS = examples("Final seeds that nobody knows")
RULES = examples("How an agent's result turns into points")


def loaded(text: str, folder: Path) -> PerformanceSettings:
    path = folder / "assignment.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    part = load_assignment(str(path)).assignment.parts["agent"]
    return PerformanceSettings.parse(part.checks["performance"].settings)


@pytest.mark.parametrize("example", SEEDS)
def test_an_example_of_seeds_is_valid(example: str, tmp_path: Path) -> None:
    loaded(example, tmp_path)


@pytest.mark.parametrize("example", RULES)
def test_an_example_of_a_rule_is_valid(example: str, tmp_path: Path) -> None:
    loaded(example + SEEDS[0], tmp_path)


def test_there_is_an_example_of_every_rule_and_a_word_on_every_choice() -> None:
    rules = {re.search(r'rule = "(\w+)"', example).group(1) for example in RULES}
    assert rules == set(Rule)
    for choice in (*Measure, *Decides):
        assert choice in "".join(RULES)
