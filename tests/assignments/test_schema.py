from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from grader.assignments.schema import assignment_schema

pytestmark = pytest.mark.usefixtures("kinds")


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def then_of(conditions: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found = [
        each["then"] for each in conditions if each["if"]["properties"]["kind"]["const"] == kind
    ]
    assert len(found) == 1
    return dict(found[0])


def test_it_is_plain_json_of_the_named_draft() -> None:
    schema = assignment_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["id", "title", "parts"]
    assert schema["additionalProperties"] is False


def test_every_reference_leads_somewhere() -> None:
    schema = assignment_schema()
    references = [node["$ref"] for node in nodes(schema) if isinstance(node.get("$ref"), str)]
    assert references
    for reference in references:
        assert reference.removeprefix("#/$defs/") in schema["$defs"]


def test_the_kind_of_a_part_decides_its_settings_names_and_checks() -> None:
    part = assignment_schema()["$defs"]["PartSpec"]
    assert part["properties"]["kind"]["enum"] == ["agent", "network", "plain"]
    network = then_of(part["allOf"], "network")
    assert network["required"] == ["settings"]
    assert network["properties"]["settings"] == {"$ref": "#/$defs/NetworkSettings"}
    assert list(network["properties"]["names"]["properties"]) == ["builder"]
    checks = network["properties"]["checks"]["properties"]
    architecture = checks["architecture"]
    assert architecture["if"] == {"not": {"required": ["kind"]}}
    assert architecture["then"] == {
        "properties": {"settings": {"$ref": "#/$defs/ArchitectureSettings"}}
    }
    plain = then_of(part["allOf"], "plain")
    assert plain["required"] == ["names"]
    assert plain["properties"]["names"]["required"] == ["function"]


def test_the_kind_of_a_check_decides_its_settings() -> None:
    check = assignment_schema()["$defs"]["CheckSpec"]
    performance = then_of(check["allOf"], "agent.performance")
    assert performance["properties"]["settings"] == {"$ref": "#/$defs/PerformanceSettings"}


def test_descriptions_come_with_it() -> None:
    definitions = assignment_schema()["$defs"]
    assert "kernel" in definitions["ConvolutionPattern"]["properties"]["kernel_size"]["description"]
    assert definitions["Limits"]["properties"]["call_wall_s"]["description"].startswith("Seconds")


def test_the_kind_of_a_layer_decides_its_attributes() -> None:
    layer = assignment_schema()["$defs"]["NetworkSettings"]["properties"]["layers"]["items"]
    assert layer["required"] == ["layer"]
    assert {"Conv2D", "LSTM", "any_of", "repeat"} <= set(layer["properties"]["layer"]["enum"])
    (convolution,) = (
        each["then"]["$ref"]
        for each in layer["allOf"]
        if "Conv2D" in each["if"]["properties"]["layer"]["enum"]
    )
    assert convolution == "#/$defs/ConvolutionPattern"
    assert not any("discriminator" in node for node in nodes(assignment_schema()))


def test_seeds_are_required_where_a_part_plays_episodes() -> None:
    (rule,) = assignment_schema()["allOf"]
    assert rule["else"] == {"required": ["seeds"]}
    # All kinds installed for this test play episodes.
    kinds = rule["if"]["properties"]["parts"]["additionalProperties"]["properties"]["kind"]
    assert kinds == {"enum": []}
