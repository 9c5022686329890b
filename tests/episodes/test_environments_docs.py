"""What docs/environments.md says is true: its examples are valid, its tables those of the code."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest

from grader.assignments.environments import EXTRAS
from grader.assignments.loader import load_assignment
from grader.episodes.protocols import PARAMETERS
from grader.episodes.readiness import unplayable
from grader.records.environments import PlayedEnvironment, Protocol, ProtocolSettings
from grader.records.wrappers import WrapperEntry

DOCS = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
HEAD = """\
id = "course"
title = "A course"
seeds = { public = [1], final = [2] }
[parts.agent]
title = "An agent"
kind = "agent"
file = "agent.py"
[parts.agent.checks.interface]
title = "It acts"
points = 1
[parts.agent.settings]
"""


def section(title: str) -> str:
    return DOCS.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid_and_can_be_played(example: str, tmp_path: Path) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text(HEAD + example, encoding="utf-8")
    assert list(unplayable(load_assignment(str(path)).assignment)) == []


def test_there_are_examples_of_every_family_and_key() -> None:
    shown = "".join(EXAMPLES)
    assert len(EXAMPLES) >= 6
    for beginning in ("FrozenLake", "ALE/", "Vizdoom", "MinAtar/"):
        assert f'environment_id = "{beginning}' in shown
    for key in PlayedEnvironment.model_fields:
        assert re.search(rf"\b{key}\b", shown)


def test_the_keys_are_those_of_the_record() -> None:
    told = [cells[0].strip("`") for cells in rows(DOCS.split("\n## ")[0])]
    assert told == list(PlayedEnvironment.model_fields)


def test_the_wrappers_and_their_arguments_are_those_of_the_list() -> None:
    told = {
        cells[0].strip("`"): re.findall(r"\w+", cells[1]) for cells in rows(section("Wrappers"))
    }
    union, _ = get_args(WrapperEntry)
    assert told == {
        record.__name__: [name for name in record.model_fields if name != "wrapper"]
        for record in get_args(union)
    }


def test_the_parameters_are_those_of_the_protocols() -> None:
    told = rows(section("Protocols for Atari"))
    assert [cells[0].strip("`") for cells in told] == list(ProtocolSettings.model_fields)
    for column, protocol in ((1, Protocol.MNIH_2015), (2, Protocol.MACHADO_2018)):
        values = {cells[0].strip("`"): cells[column] for cells in told}
        assert values == {
            name: str(value).lower() for name, value in asdict(PARAMETERS[protocol]).items()
        }


def test_the_commands_that_install_extras_are_told() -> None:
    told = {cells[0].strip("`"): cells[2].strip("`") for cells in rows(section("Installing"))}
    assert told == {extra.name: extra.command() for extra in EXTRAS}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_environment_is_the_same_after_it_was_written_and_read(example: str) -> None:
    data = tomllib.loads(HEAD + example)["parts"]["agent"]["settings"]
    settings = PlayedEnvironment.parse(data)
    assert PlayedEnvironment.parse(settings.plain()) == settings
    written = settings.model_dump(mode="json", exclude_unset=True)
    assert PlayedEnvironment.parse(written) == settings


def test_the_random_agent_is_measured_in_every_game_of_the_paper(load_module: Any) -> None:
    published = load_module("benchmarks/random_atari.py").PUBLISHED
    told = rows(section("The random agent, measured"))
    assert {cells[0].strip("`"): float(cells[3].replace("−", "-")) for cells in told} == published
    for _, mean, interval, _ in told:
        low, high = (float(end) for end in interval.replace("−", "-").split(" to "))
        assert low <= float(mean.replace("−", "-")) <= high
