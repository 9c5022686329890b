"""Problems of an assignment file: from a failed validation to one readable line each."""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from grader.assignments.expectations import (
    MANY,
    Schema,
    choices,
    describe,
    known_keys,
    says_what_was_meant,
    schema_at,
    schema_of,
    toml_text,
)
from grader.assignments.positions import KeyPath, Positions, path_text
from grader.records.base import Record

_VALUE_ERROR: Final = "Value error, "
_SIMILARITY: Final = 0.55


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    path: KeyPath
    """The key it is about."""
    text: str
    """What is wrong with it, and what to write instead."""


def told(problems: Iterable[Problem], file_name: str, positions: Positions) -> tuple[str, ...]:
    """Problems as lines of the form `file:line: key: text`, in the order of the file."""
    numbered = [(positions.line(problem.path), problem) for problem in problems]
    lines = []
    for line, problem in sorted(numbered, key=lambda pair: pair[0]):
        key = f"{path_text(problem.path)}: " if problem.path else ""
        lines.append(f"{file_name}:{line}: {key}{problem.text}")
    return tuple(dict.fromkeys(lines))


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or nothing when no known name is near."""
    names = list(known)
    lowered = [each.lower() for each in names]
    near = difflib.get_close_matches(str(name).lower(), lowered, 1, _SIMILARITY)
    return f'; did you mean "{names[lowered.index(near[0])]}"?' if near else ""


def not_one_of(lead: str, name: object, known: Iterable[str]) -> str:
    """`<lead> "x"; did you mean "y"? There are: …`; a lead is such as `there is no layer`.

    A long list of names is left out where one of them is near.
    """
    names = list(known)
    hint = did_you_mean(name, names)
    listed = "" if hint and len(names) > MANY else f" There are: {', '.join(names) or 'none'}."
    return f"{lead} {toml_text(name)}{hint or '.'}{listed}"


def record_problems(model: type[Record], data: Any, at: KeyPath = ()) -> list[Problem]:
    """All that keeps data from being a record of a type.

    Args:
        model: the type of record.
        data: what `tomllib` read.
        at: the key the data stands under, put before every path.
    """
    foreign = list(_foreign_values(data, ()))
    reported = {path for path, _ in foreign}
    problems = [Problem((*at, *path), text) for path, text in foreign]
    try:
        model.parse(_json_like(data))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        for path, found in _grouped(model, data, details).items():
            if path not in reported:
                texts = _texts(model, data, path, found)
                problems += [Problem((*at, *path), text) for text in texts]
    return problems


def _grouped(model: type[Record], data: Any, details: list[Any]) -> dict[KeyPath, list[Any]]:
    """Errors by the key they are about.

    A union reports what is wrong with each of its branches. Only the branch that the value was
    meant to take is kept, if one can be told; the others become one empty list of errors.
    """
    root = schema_of(model)
    grouped: dict[KeyPath, list[Any]] = {}
    unmet: set[KeyPath] = set()
    for detail in details:
        path, is_meant = _path_in(root, data, detail)
        if not is_meant:
            unmet.add(path)
        elif not _follows_from_others(detail):
            grouped.setdefault(path, []).append(detail)
    for path in sorted(unmet, key=len, reverse=True):
        if not any(one[: len(path)] == path for one in grouped):
            grouped[path] = []
    return grouped


def _foreign_values(node: Any, path: KeyPath) -> Iterable[tuple[KeyPath, str]]:
    """Values that TOML can write and no record can hold: dates, times, nan, inf."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _foreign_values(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _foreign_values(value, (*path, index))
    elif isinstance(node, dt.date | dt.time):
        yield path, f'expected no date or time here, received {node}; put it in quotes ("{node}")'
    elif isinstance(node, float) and not math.isfinite(node):
        yield path, f"expected an ordinary number, received {node}"


def _json_like(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _json_like(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_json_like(value) for value in node]
    if isinstance(node, dt.date | dt.time):
        return node.isoformat()
    if isinstance(node, float) and not math.isfinite(node):
        return 0.0
    return node


def _path_in(root: Schema, data: Any, detail: Any) -> tuple[KeyPath, bool]:
    """The key an error is about, and whether it is about what was meant there.

    Names of branches of unions stand in the place of an error among the keys.
    """
    path: KeyPath = ()
    node = data
    steps = detail["loc"]
    for index, step in enumerate(steps):
        in_table = isinstance(node, dict) and step in node
        in_list = isinstance(node, list) and isinstance(step, int) and step < len(node)
        if in_table or in_list:
            node = node[step]
        elif not (
            isinstance(node, dict) and detail["type"] == "missing" and index == len(steps) - 1
        ):
            if not says_what_was_meant(root, path, data, str(step)):
                return path, False
            continue
        path = (*path, step)
    if detail["type"] == "union_tag_invalid":
        path = (*path, _tag(detail))
    return path, True


def _tag(detail: Any) -> str:
    """The key whose value decides which form a table has."""
    return str(detail["ctx"]["discriminator"]).strip("'")


def _follows_from_others(detail: Any) -> bool:
    """Whether a list counts as too short only because its elements are wrong."""
    received = detail["input"]
    return (
        detail["type"] == "too_short"
        and isinstance(received, list | dict)
        and len(received) >= detail["ctx"]["min_length"]
    )


def _texts(model: type[Record], data: Any, path: KeyPath, details: list[Any]) -> list[str]:
    root = schema_of(model)
    node = schema_at(root, path, data)
    kinds = {detail["type"] for detail in details}
    if "union_tag_invalid" in kinds:
        forms = schema_at(root, path[:-1], data) or {}
        tag = _tag(details[0])
        return [
            not_one_of(
                f"there is no {tag}", _value_at(data, path), forms["discriminator"]["mapping"]
            )
        ]
    if "extra_forbidden" in kinds:
        return [_unknown_key(root, data, path)]
    if any(step == "[key]" for detail in details[:1] for step in detail["loc"]):
        return [
            f"{toml_text(path[-1])} cannot be a name here; expected a short name of lower-case "
            "letters, digits and `_` that begins with a letter"
        ]
    if not details and node is not None:
        whole = schema_at(root, path, data, decide=False) or node
        return [_not_as_expected(root, whole, _value_at(data, path))]
    if "value_error" in kinds or node is None:
        return [detail["msg"].removeprefix(_VALUE_ERROR) for detail in details]
    if "missing" in kinds and not isinstance(details[0]["input"], list):
        return [f"this key is missing; expected {describe(root, node)}"]
    received = _value_at(data, path)
    if "union_tag_not_found" in kinds and isinstance(received, dict):
        return [f"the key `{_tag(details[0])}` is missing; expected {describe(root, node)}"]
    return [_not_as_expected(root, node, received)]


def _not_as_expected(root: Schema, node: Schema, received: Any) -> str:
    hint = did_you_mean(received, choices(root, node)) if isinstance(received, str) else ""
    return f"expected {describe(root, node)}, received {toml_text(received)}{hint}"


def _unknown_key(root: Any, data: Any, path: KeyPath) -> str:
    table = schema_at(root, path[:-1], data, decide=False)
    if table is not None and "discriminator" in table:
        table = schema_at(root, path[:-1], data)
    known = known_keys(root, table) if table is not None else ()
    hint = did_you_mean(path[-1], known).replace('"', "`") or "."
    listed = ", ".join(f"`{name}`" for name in known) or "none"
    return f"unknown key{hint} Known here: {listed}."


def _value_at(data: Any, path: KeyPath) -> Any:
    node = data
    for step in path:
        node = node[step]
    return node
