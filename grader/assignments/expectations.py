"""What a key may hold, told in plain words: from a record's JSON Schema to half a sentence.

The words come from the schema and not from the error, so that `kernel_size = "3x3"` is answered
with "a list of one to three whole numbers, such as [3, 3]" and not with "an array".
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from grader.assignments.positions import KeyPath
from grader.records.base import Record
from grader.records.patterns import (
    Between,
    Expression,
    OneActivation,
    OneSize,
    OneWindow,
    OneWord,
)
from grader.records.spec import (
    AssignmentId,
    CheckId,
    FileName,
    Identifier,
    PythonName,
)

Schema = Mapping[str, Any]

_WORD: Final = re.compile(r"\w+")
_COUNTS: Final = ("no", "one", "two", "three", "four", "five", "six")
_MAX_SHOWN: Final = 80
MANY: Final = 12
"""More names than this are not listed where one of them will do."""


def _pattern_of(annotated: Any) -> str:
    pattern = annotated.__metadata__[0].pattern
    assert isinstance(pattern, str)
    return pattern


@dataclass(frozen=True)
class _Form:
    """What is accepted, for one value and for the elements of a list."""

    one: str
    many: str


_PATTERNS: Final = {
    _pattern_of(Identifier): _Form(
        "a short name of lower-case letters, digits and `_` that begins with a letter, "
        'such as "random_agent"',
        'short names of lower-case letters, digits and `_`, such as ["random_agent"]',
    ),
    _pattern_of(CheckId): _Form(
        'the id of a check, such as "network.interface"',
        'ids of checks, such as ["network.interface"]',
    ),
    _pattern_of(AssignmentId): _Form(
        'a short name of letters, digits, `.`, `_` and `-`, such as "week13"',
        'short names of letters, digits, `.`, `_` and `-`, such as ["week13"]',
    ),
    _pattern_of(PythonName): _Form(
        'a name as Python has them, such as "create_q_model"',
        'names as Python has them, such as ["create_q_model"]',
    ),
    _pattern_of(FileName): _Form(
        'the name of one file, without folders or spaces, such as "network.py"',
        'names of files, without folders or spaces, such as ["network.py"]',
    ),
    _pattern_of(Expression): _Form(
        'arithmetic with the builder\'s arguments, such as "2 * num_actions"',
        'arithmetic with the builder\'s arguments, such as ["2 * num_actions"]',
    ),
}
_RECORDS: Final = {
    Between.__name__: _Form("a range { min = …, max = … }", "ranges { min = …, max = … }"),
    **{
        model.__name__: _Form(f"alternatives such as {example}", f"lists such as {example}")
        for model, example in (
            (OneSize, "{ one_of = [3, 5] }"),
            (OneWindow, "{ one_of = [3, 5] }"),
            (OneActivation, '{ one_of = ["relu", "elu"] }'),
            (OneWord, '{ one_of = ["left", "right"] }'),
        )
    },
}
"""Forms of one value, by the record that holds them; the titles of their schemas are the names."""


@cache
def schema_of(model: type[Record]) -> Schema:
    """A record's JSON Schema."""
    return model.model_json_schema()


def schema_at(root: Schema, path: KeyPath, data: Any, *, decide: bool = True) -> Schema | None:
    """The part of a schema that speaks of one key.

    Args:
        root: the schema of the whole.
        path: keys and indices below it.
        data: what stands in the file, used to choose among several forms.
        decide: whether to choose among the forms of the last key, too.

    Returns:
        None when the schema says nothing about the key.
    """
    node: Schema | None = _resolved(root, root, data)
    value = data
    for depth, step in enumerate(path, 1):
        if node is None:
            return None
        value = _child(value, step)
        node = _step(node, step)
        if node is not None:
            decided = value if decide or depth < len(path) else None
            node = _resolved(root, node, decided)
    return node


def _child(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _step(node: Schema, step: str | int) -> Schema | None:
    found: Any
    if isinstance(step, str):
        named = tuple(node.get("patternProperties", {}).values())
        further = named[0] if named else node.get("additionalProperties")
        found = node.get("properties", {}).get(step, further)
    else:
        places = node.get("prefixItems", ())
        found = places[step] if step < len(places) else node.get("items")
    return found if isinstance(found, dict) else None


def _resolved(root: Schema, node: Schema, value: Any) -> Schema:
    """A node with references followed, and the form decided that a value has."""
    while True:
        if "$ref" in node:
            node = root["$defs"][node["$ref"].rpartition("/")[2]]
            continue
        forms = _forms(node)
        fitting = forms if len(forms) == 1 else _fitting(root, forms, value)
        if len(fitting) == 1:
            node = fitting[0]
            continue
        tags = node.get("discriminator")
        if tags is None or not isinstance(value, dict):
            return node
        # The tag may be anything the author wrote, even a list.
        chosen = tags["mapping"].get(str(value.get(tags["propertyName"])))
        if chosen is None:
            return node
        node = root["$defs"][chosen.rpartition("/")[2]]


def _forms(node: Schema) -> list[Schema]:
    return [form for form in node.get("anyOf", ()) if form.get("type") != "null"]


def _fitting(root: Schema, forms: list[Schema], value: Any) -> list[Schema]:
    """Of several forms, those that a table or list was meant to have."""
    resolved = [_resolved(root, form, None) for form in forms]
    if isinstance(value, list):
        return [form for form in resolved if form.get("type") == "array"]
    if not isinstance(value, dict) or not value:
        return []
    tables = [form for form in resolved if form.get("type") == "object"]
    met = [sum(_is_near(key, form.get("properties", ())) for key in value) for form in tables]
    return [form for form, count in zip(tables, met, strict=True) if count == max(met, default=0)]


def _is_near(key: str, known: Iterable[str]) -> bool:
    return bool(difflib.get_close_matches(key, list(known), 1))


def says_what_was_meant(root: Schema, path: KeyPath, data: Any, branch: str) -> bool:
    """Whether a branch of a union is the one that a value was meant to take.

    Args:
        root: the schema of the whole.
        path: keys and indices to the value.
        data: what stands in the file.
        branch: how the validation names the branch.

    Returns:
        True where there is nothing to choose. False for all branches where the value resembles
        none, or is no table and no list: then what is accepted is told as a whole.
    """
    node = schema_at(root, path, data, decide=False)
    forms = [] if node is None else _forms(node)
    if len(forms) < 2:
        return True
    value = data
    for step in path:
        value = _child(value, step)
    fitting = _fitting(root, forms, value)
    if len(fitting) != 1:
        return False
    if isinstance(value, dict):
        # With a validator of its own, a record is named `function-after[…, Between]`.
        return str(fitting[0].get("title")) in _WORD.findall(branch)
    return branch.startswith(("tuple", "list"))


def known_keys(root: Schema, node: Schema) -> tuple[str, ...]:
    """The keys that a table may have in some form."""
    resolved = _resolved(root, node, None)
    forms = [_resolved(root, form, None) for form in _forms(resolved)] or [resolved]
    return tuple(dict.fromkeys(key for form in forms for key in form.get("properties", ())))


def describe(root: Schema, node: Schema) -> str:
    """What a node accepts, as the end of the sentence "expected …"."""
    return _form(root, node).one


def choices(root: Schema, node: Schema) -> tuple[str, ...]:
    """The texts a node accepts, when it accepts only certain ones."""
    node = _resolved(root, node, None)
    forms = node.get("anyOf", [node])
    found = [value for form in forms for value in form.get("enum", [form.get("const")])]
    return tuple(value for value in found if isinstance(value, str))


def _form(root: Schema, node: Schema) -> _Form:
    node = _resolved(root, node, None)
    if "const" in node or "enum" in node:
        shown = [toml_text(choice) for choice in node.get("enum", [node.get("const")])]
        listed = ", ".join(shown)
        return _Form(shown[0] if len(shown) == 1 else f"one of {listed}", f"texts out of {listed}")
    if "discriminator" in node:
        tags = node["discriminator"]
        key, names = tags["propertyName"], [toml_text(tag) for tag in tags["mapping"]]
        whose = f"whose `{key}` is one of {', '.join(names)}"
        if len(names) > MANY:
            whose = f"with the key `{key}`, such as {{ {key} = {names[0]} }}"
        return _Form(f"a table {whose}", f"tables {whose}")
    if "anyOf" in node:
        forms = [_form(root, form) for form in _forms(node)]
        return _Form(
            _alternatives(list(dict.fromkeys(form.one for form in forms))),
            _alternatives(list(dict.fromkeys(form.many for form in forms))),
        )
    return _RECORDS.get(str(node.get("title"))) or _plain_form(root, node)


def _alternatives(texts: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))


def _plain_form(root: Schema, node: Schema) -> _Form:
    match node.get("type"):
        case "integer":
            return _Form("a whole number" + _range(node), "whole numbers" + _range(node))
        case "number":
            return _Form("a number" + _range(node), "numbers" + _range(node))
        case "boolean":
            return _Form("true or false", "true or false")
        case "string":
            return _text(node)
        case "array":
            return _array(root, node)
        case "object":
            return _table(node)
    return _Form("another value", "other values")


def _range(node: Schema) -> str:
    low, above = node.get("minimum"), node.get("exclusiveMinimum")
    high, below = node.get("maximum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {_number(low)} to {_number(high)}"
    words = [
        f"{word} {_number(bound)}"
        for word, bound in (
            ("of at least", low), ("above", above), ("of at most", high), ("below", below),
        )
        if bound is not None
    ]  # fmt: skip
    return f" {' and '.join(words)}" if words else ""


def _number(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"


def _text(node: Schema) -> _Form:
    if "pattern" in node:
        matching = f"that match {node['pattern']}"
        return _PATTERNS.get(node["pattern"], _Form(f"a text {matching}", f"texts {matching}"))
    high = node.get("maxLength")
    extent = f" of at most {high} characters" if high else ""
    filled = "non-empty " if node.get("minLength") == 1 else ""
    return _Form(f"a {filled}text{extent}", f"{filled}texts{extent}")


def _array(root: Schema, node: Schema) -> _Form:
    places = node.get("prefixItems")
    if places:
        return _fixed_array(root, places)
    items = node.get("items")
    form = _form(root, items) if isinstance(items, dict) and items else None
    inside = f" of {form.many}" if form else ""
    low, high = int(node.get("minItems", 0)), int(node.get("maxItems", 0))
    if form and isinstance(items, dict) and 0 < low <= high < len(_COUNTS):
        count = _COUNTS[low] if low == high else f"{_COUNTS[low]} to {_COUNTS[high]}"
        whole = _resolved(root, items, None).get("type") == "integer"
        example = f", such as {json.dumps([3] * max(low, 2))}" if whole and high > 1 else ""
        listed = f"of {count} {form.many}{example}"
        return _Form(f"a list {listed}", f"lists {listed}")
    filled = "non-empty " if low == 1 else ""
    least = f" of at least {_COUNTS[low]}" if 1 < low < len(_COUNTS) else ""
    inside = inside.replace(" of ", ": ", 1) if least else inside
    return _Form(f"a {filled}list{least}{inside}", f"{filled}lists{least}{inside}")


def _fixed_array(root: Schema, places: list[Schema]) -> _Form:
    count = _COUNTS[len(places)] if len(places) < len(_COUNTS) else str(len(places))
    forms = list(dict.fromkeys(_form(root, place) for place in places))
    inner = forms[0].many if len(forms) == 1 else ", ".join(form.one for form in forms)
    lead = f"{count} {inner}" if len(forms) == 1 else f"a list of {count}: {inner}"
    example = ""
    if all(place.get("type") in {"integer", "number"} for place in places):
        values = [3 if place["type"] == "integer" else float(i) for i, place in enumerate(places)]
        example = f", such as {json.dumps(values)}"
    return _Form(lead + example, f"lists of {lead}{example}")


def _table(node: Schema) -> _Form:
    required = ", ".join(f"`{name}`" for name in node.get("required", ()))
    holding = f" with {required}" if required else ""
    filled = "non-empty " if node.get("minProperties") == 1 else ""
    return _Form(f"a {filled}table{holding}", f"{filled}tables{holding}")


def toml_text(value: Any) -> str:
    """A value as it would stand in the file, shortened where it is long."""
    shown = _toml(value)
    return shown if len(shown) <= _MAX_SHOWN else shown[: _MAX_SHOWN - 1] + "…"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        readable = "".join(
            char if char.isprintable() or char in "\n\t" else "\ufffd" for char in value
        )
        return json.dumps(readable, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
