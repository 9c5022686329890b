"""What the README says about asking for a network is true of the files it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.assignments.loader import builtin_ids, load_assignment
from grader.assignments.registry import check_kinds
from grader.records.network_settings import NetworkSettings
from grader.records.patterns import LayerEntry

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.split(f"### {title}\n")[1].split("\n### ")[0]


EXAMPLES = re.findall(r"```toml\n(.*?)```", section("Asking for a network"), re.DOTALL)
HEAD = """\
id = "course"
title = "A course"
[parts.network]
title = "A network"
kind = "network"
file = "network.py"
[parts.network.checks.architecture]
title = "Its layers"
points = 1
"""


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid(example: str, tmp_path: Path) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text(HEAD + example, encoding="utf-8")
    part = load_assignment(str(path)).assignment.parts["network"]
    assert NetworkSettings.parse(part.settings).variants


def test_there_is_an_example_of_every_structural_entry_and_of_every_setting() -> None:
    assert len(EXAMPLES) >= 3
    shown = "".join(EXAMPLES)
    for entry in ("any_of", "repeat", "preprocessing", "anything"):
        assert f'layer = "{entry}"' in shown
    for setting in (
        "input_shapes", "inputs", "num_actions", "arguments", "outputs", "forbidden", "parameters",
        "preprocessing_allowed", "returns",
    ):  # fmt: skip
        assert re.search(rf"^{setting} = ", shown, re.MULTILINE)
    for word in ("optional", "name", "reads", "weight", "min", "max", "one_of"):
        assert f"{word} = " in shown


def test_every_kind_of_layer_named_is_one() -> None:
    known = {
        kind
        for pattern in LayerEntry.__args__
        for kind in pattern.model_fields["layer"].annotation.__args__
    }
    named = set(re.findall(r'layer = "([A-Z]\w+)"', section("Asking for a network")))
    assert named
    assert named <= known


def test_the_built_in_assignments_are_listed() -> None:
    listed = re.findall(r"\[`(\w+)`\]\(grader/assignments/builtin/(\w+)/", README)
    assert {one for one, _ in listed} == {two for _, two in listed} == set(builtin_ids())


def test_the_example_of_an_agent_that_has_to_show_more_is_valid(tmp_path: Path) -> None:
    """It has every check beside the performance, and each setting that these need."""
    (example,) = re.findall(r"```toml\n(.*?)```", section("Asking more of an agent"), re.DOTALL)
    path = tmp_path / "assignment.toml"
    seeds = "[seeds]\npublic = [1]\nfinal = [2]\n"
    path.write_text(f'id = "course"\ntitle = "A course"\n{seeds}{example}', encoding="utf-8")
    part = load_assignment(str(path), with_baselines=False).assignment.parts["agent"]
    more = {kind.partition(".")[2] for kind, check in check_kinds("agent").items() if check.needs}
    assert set(part.checks) == more
    for name in more:
        assert f"| `{name}` |" in section("Asking more of an agent")
