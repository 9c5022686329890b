"""The JSON Schema of `assignment.toml`, for editors that complete and check while typing."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from grader.assignments import registry
from grader.assignments.registry import CheckKind, ProbeKind
from grader.records.base import Record
from grader.records.spec import Assignment, CheckSpec, PartSpec

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_MODE: Final[JsonSchemaMode] = "validation"

JsonSchema = dict[str, Any]


def assignment_schema() -> JsonSchema:
    """The schema of an assignment, with the settings of every installed kind.

    Settings are chosen by `kind`: those of a part by its own, those of a check by its `kind` where
    it has one, and otherwise by the part's kind and the check's name.

    Returns:
        JSON Schema, draft 2020-12.

    Raises:
        GraderFault: an installed plugin is broken; its author must act.
    """
    probes = [registry.probe_kind(name) for name in registry.probe_kinds()]
    checks = [kind for probe in probes for kind in registry.check_kinds(probe.id).values()]
    records: list[type[Record]] = [Assignment, PartSpec, CheckSpec]
    records += [*(kind.settings for kind in probes), *(kind.settings for kind in checks)]
    models = [(record, _MODE) for record in dict.fromkeys(records)]
    references, collected = models_json_schema(models)
    definitions = collected["$defs"]

    def settings_of(kind: ProbeKind | CheckKind) -> JsonSchema:
        reference = references[kind.settings, _MODE]
        target = definitions[reference["$ref"].rpartition("/")[2]]
        schema: JsonSchema = {"properties": {"settings": reference}}
        if target.get("required"):
            schema["required"] = ["settings"]
        return schema

    part, check = definitions[PartSpec.__name__], definitions[CheckSpec.__name__]
    part["properties"]["kind"]["enum"] = [kind.id for kind in probes]
    part["allOf"] = [_when_kind(kind.id, _of_part(kind, settings_of)) for kind in probes]
    check["allOf"] = [_when_kind(kind.id, settings_of(kind)) for kind in checks]
    root = dict(definitions.pop(Assignment.__name__))
    root["$defs"] = definitions
    root["allOf"] = [_seeds_where_played(probes)]
    told_apart: JsonSchema = _told_apart(root)
    return {"$schema": _DIALECT, **told_apart}


def _told_apart(node: Any) -> Any:
    """A schema whose tagged forms are chosen by their tag, so that an editor names the wrong key.

    With `oneOf` alone, all it can say of a layer with a mistake is that it is none of sixty forms.
    """
    if isinstance(node, list):
        return [_told_apart(each) for each in node]
    if not isinstance(node, dict):
        return node
    tags = node.get("discriminator")
    if not isinstance(tags, dict) or "oneOf" not in node:
        return {key: _told_apart(value) for key, value in node.items()}
    name, mapping = tags["propertyName"], tags["mapping"]
    forms: dict[str, list[str]] = {}
    for tag, reference in mapping.items():
        forms.setdefault(reference, []).append(tag)
    rest = {key: value for key, value in node.items() if key not in {"discriminator", "oneOf"}}
    return {
        **rest,
        "type": "object",
        "properties": {name: {"enum": list(mapping)}},
        "required": [name],
        "allOf": [
            {
                "if": {"properties": {name: {"enum": names}}, "required": [name]},
                "then": {"$ref": reference},
            }
            for reference, names in forms.items()
        ],
    }


def _when_kind(kind: str, then: JsonSchema) -> JsonSchema:
    condition = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"if": condition, "then": then}


def _seeds_where_played(kinds: list[ProbeKind]) -> JsonSchema:
    """`seeds` may be left out where each part is of a kind that plays no episodes."""
    without = [kind.id for kind in kinds if not kind.uses_seeds]
    part = {"properties": {"kind": {"enum": without}}}
    return {
        "if": {"properties": {"parts": {"additionalProperties": part}}},
        "else": {"required": ["seeds"]},
    }


def _of_part(kind: ProbeKind, settings_of: Any) -> JsonSchema:
    schema: JsonSchema = settings_of(kind)
    roles = {role.name: {"description": _role_text(role)} for role in kind.roles}
    named = [role.name for role in kind.roles if not role.default_names]
    names: JsonSchema = {"properties": roles, "additionalProperties": False}
    if named:
        names["required"] = named
        schema["required"] = [*schema.get("required", []), "names"]
    checks = {
        check.id.partition(".")[2]: {
            "description": check.description,
            # A check with a `kind` of its own is met by the condition in CheckSpec.
            "if": {"not": {"required": ["kind"]}},
            "then": settings_of(check),
        }
        for check in registry.check_kinds(kind.id).values()
    }
    schema["properties"] = {
        **schema["properties"],
        "names": names,
        "checks": {"properties": checks},
    }
    return schema


def _role_text(role: registry.Role) -> str:
    owner = f" of `{role.owner}`" if role.owner else ""
    defaults = ", ".join(role.default_names)
    stands_in = f" It can stand in for `{role.instead_of}`." if role.instead_of else ""
    optional = " It may be missing." if role.optional else ""
    return f"Names accepted for the {role.what} `{role.name}`{owner}.{stands_in}{optional}" + (
        f" When left out: {defaults}." if defaults else ""
    )
