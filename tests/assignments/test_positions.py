from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import grader.assignments
from grader.assignments.positions import KeyPath, key_positions, path_text

TEXT = '''\
# a comment with [brackets] and "quotes
title = "one"

[limits]           # a table
a = 1
b.c = 2
"quoted key" = 3

[parts."the.net"]
text = """
[not.a.table]
x = 1
"""
literal = \'\'\'
y = 2
it''s\'\'\'
numbers = [
  1, 2,  # two on a line
  3,
]
inline = { first = 1, second = { third = [4, 5] } }

[[parts.layers]]
name = "a"

[[parts.layers]]
name = "b"
[parts.layers.sub]
deep = true
[[parts.layers.list]]
n = 1
[[parts.layers.list]]
n = 2
'''

EXPECTED: dict[KeyPath, int] = {
    ("title",): 2,
    ("limits",): 4,
    ("limits", "a"): 5,
    ("limits", "b"): 6,
    ("limits", "b", "c"): 6,
    ("limits", "quoted key"): 7,
    ("parts",): 9,
    ("parts", "the.net"): 9,
    ("parts", "the.net", "text"): 10,
    ("parts", "the.net", "literal"): 14,
    ("parts", "the.net", "numbers"): 17,
    ("parts", "the.net", "numbers", 0): 18,
    ("parts", "the.net", "numbers", 1): 18,
    ("parts", "the.net", "numbers", 2): 19,
    ("parts", "the.net", "inline"): 21,
    ("parts", "the.net", "inline", "second", "third", 1): 21,
    ("parts", "layers"): 23,
    ("parts", "layers", 0): 23,
    ("parts", "layers", 0, "name"): 24,
    ("parts", "layers", 1): 26,
    ("parts", "layers", 1, "name"): 27,
    ("parts", "layers", 1, "sub"): 28,
    ("parts", "layers", 1, "sub", "deep"): 29,
    ("parts", "layers", 1, "list", 0, "n"): 31,
    ("parts", "layers", 1, "list", 1): 32,
    ("parts", "layers", 1, "list", 1, "n"): 33,
}


def leaves(node: object, path: KeyPath = ()) -> list[KeyPath]:
    if isinstance(node, dict):
        inner = [leaf for key, value in node.items() for leaf in leaves(value, (*path, key))]
    elif isinstance(node, list):
        inner = [leaf for i, value in enumerate(node) for leaf in leaves(value, (*path, i))]
    else:
        inner = []
    return [*([path] if path else []), *inner]


@pytest.mark.parametrize(("path", "line"), EXPECTED.items(), ids=str)
def test_the_line_of_every_kind_of_key(path: KeyPath, line: int) -> None:
    tomllib.loads(TEXT)
    assert key_positions(TEXT).line(path) == line


def test_windows_line_ends_do_not_move_lines() -> None:
    assert key_positions(TEXT.replace("\n", "\r\n")) == key_positions(TEXT)


def test_a_missing_key_has_the_line_of_its_table() -> None:
    positions = key_positions(TEXT)
    assert positions.line(("limits", "absent", "deeper")) == 4
    assert positions.line(("parts", "layers", 1, "absent")) == 26
    assert positions.line(("absent",)) == 1


def test_every_key_of_the_built_in_assignments_has_a_line_that_holds_it() -> None:
    files = sorted(Path(grader.assignments.__path__[0]).glob("**/*.toml"))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        positions = key_positions(text)
        for path in leaves(tomllib.loads(text)):
            assert path in positions.lines, (file, path)
            name = path[-1]
            if isinstance(name, str):
                assert name in text.splitlines()[positions.lines[path] - 1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = ''",
        'a = ""',
        'a = """"quoted""""',
        "a = ''''quoted''''",
        'a = "\\" # = ["',
        "'a.b'.\"c\\u0041\" = 1979-05-27 07:32:00Z # a date",
        "a = [[1, [2]], [], [{ b = [] }]]",
        "a = {}",
        "[ a . b ]\nc = 0x1F",
        "a = [ # one\n  'x', # ] two\n]",
    ],
)
def test_every_form_of_value_is_passed_over(text: str) -> None:
    following = f"{text}\nlast_key = 1"
    data = tomllib.loads(following)
    positions = key_positions(following)
    assert set(leaves(data)) <= set(positions.lines)
    assert following.count("\n") + 1 in positions.lines.values()


@settings(deadline=None)
@given(
    st.recursive(
        st.integers(0, 9) | st.booleans() | st.text("ab\"'\\]}#=,. ", max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.\" '"), inner),
        max_leaves=12,
    )
)
def test_any_nested_value_is_understood(value: object) -> None:
    text = f"before = 1\nvalue = {toml(value)}\nafter = 2\n"
    data = tomllib.loads(text)
    positions = key_positions(text)
    assert set(leaves(data)) == set(positions.lines)
    assert positions.line(("after",)) == 3


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def test_paths_read_as_in_the_file() -> None:
    assert path_text(("parts", "net", "layers", 2, "filters")) == "parts.net.layers[2].filters"
    assert path_text(("parts", 'a "b"')) == 'parts."a \\"b\\""'
