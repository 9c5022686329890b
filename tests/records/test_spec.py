from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from grader.records.spec import Assignment, Baselines, Limits, PartSpec, Seeds, Visibility


def assignment(**changes: Any) -> Assignment:
    data: dict[str, Any] = {
        "id": "course",
        "title": "A course",
        "seeds": {"public": [1, 2], "final": [3]},
        "limits": {"call_cpu_s": 5},
        "parts": {
            "agent": {
                "title": "Agent", "kind": "agent", "file": "agent.py",
                "checks": {
                    "interface": {"title": "c", "points": 1},
                    "speed": {"title": "c", "points": 2, "kind": "agent.performance"},
                },
            },
            "network": {
                "title": "Network", "kind": "network", "file": "network.py",
                "limits": {"call_cpu_s": 9},
                "checks": {"interface": {"title": "c", "points": 1}},
            },
        },
    }  # fmt: skip
    return Assignment.parse(data | changes)


def test_checks_are_named_by_part_and_name_in_order() -> None:
    assert assignment().check_ids() == ("agent.interface", "agent.speed", "network.interface")


def test_kind_of_a_check_is_that_of_its_part_unless_it_says_otherwise() -> None:
    part = assignment().parts["agent"]
    assert part.check_kind("interface") == "agent.interface"
    assert part.check_kind("speed") == "agent.performance"


def test_limits_of_a_part_go_before_the_assignments() -> None:
    assert assignment().limits_of("agent").call_cpu_s == 5
    assert assignment().limits_of("network").call_cpu_s == 9
    assert assignment().limits_of("network").call_wall_s == Limits().call_wall_s


def test_checks_are_public_and_required_unless_they_say_otherwise() -> None:
    check = assignment().parts["agent"].checks["interface"]
    assert check.visibility is Visibility.PUBLIC
    assert check.required


@pytest.mark.parametrize(
    ("public", "final"),
    [([], [1]), ([1], []), ([1, 1], [2]), ([1], [2, 2]), ([1, 2], [2, 3]), ([-1], [2]),
     ([2**63], [1]), ([1.5], [2])],
)  # fmt: skip
def test_seeds_that_would_not_do_are_refused(public: list[Any], final: list[Any]) -> None:
    with pytest.raises(ValidationError):
        Seeds.parse({"public": public, "final": final})


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../x"}, {"id": ""}, {"title": ""}, {"parts": {}}, {"parts": {"Agent": {}}},
        {"isolation": "none"}, {"schema_version": 2}, {"limits": {"call_cpu_s": 0}},
        {"limits": {"call_cpu_s": "5"}}, {"limits": {"patience_s": 5}}, {"more": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_other_assignments_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        assignment(**change)


@pytest.mark.parametrize("file", ["", "../agent.py", "/agent.py", "a/b.py", ".hidden", "a b.py"])
def test_file_of_a_part_is_a_plain_name(file: str) -> None:
    part = assignment().parts["agent"].plain()
    with pytest.raises(ValidationError):
        PartSpec.parse(part | {"file": file})


def test_baselines_have_one_return_for_each_seed() -> None:
    episodes = {"seeds": [1, 2], "random_returns": [1.0, 2.0], "dqn_returns": [3.0, 4.0]}
    part = {"environment_id": "CartPole-v1", "public": episodes, "final": episodes}
    data = {
        "schema_version": 1,
        "assignment_id": "course",
        "versions": {},
        "parts": {"agent": part},
    }
    assert Baselines.parse(data).parts["agent"].final.dqn_returns == (3.0, 4.0)
    with pytest.raises(ValidationError):
        Baselines.parse(data | {"parts": {"agent": part | {"final": {**episodes, "seeds": [1]}}}})
