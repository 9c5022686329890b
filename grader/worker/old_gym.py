"""Finds in a source text what was written for `gym`, the forerunner of Gymnasium."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from grader.records.source import MAX_SOURCE_BYTES

_RESET_RETURNS: Final = 2
_OLD, _NEW = 4, 5
"""Things that `step` returns, before and after gym 0.26."""


def old_lines(module: ast.Module) -> Iterator[ast.AST]:
    """The nodes of a text that Gymnasium would not take, in the order in which they are found.

    Where a text imports Gymnasium and not `gym`, only what can be nothing else counts.
    """
    nodes = list(ast.walk(module))
    tried = {id(inner) for node in nodes if isinstance(node, ast.Try) for inner in ast.walk(node)}
    # What is tried has something to fall back on, or is that itself.
    imports = [node for node in nodes if _is_import(node, "gym") and id(node) not in tried]
    if not imports and not any(_is_import(node, "gymnasium") for node in nodes):
        return
    yield from imports
    for node in nodes:
        if _is_four(node) or _is_seeding(node) or (imports and _is_lone_reset(node)):
            yield node
        elif imports and isinstance(node, ast.ClassDef) and _is_environment(node):
            yield from _of_environment(node)


def _is_import(node: ast.AST, package: str) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] == package for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (
        (node.module or "").partition(".")[0] == package and not node.level
    )


def _method_of(node: ast.AST) -> tuple[str, str]:
    """Owner and method of a call such as `self.env.step(action)`; empty for other nodes."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=method)):
            match owner:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    return name, method
                case ast.Call(func=ast.Name(id="super")):
                    return "super", method
    return "", ""


def _is_env(name: str) -> bool:
    return "env" in name.lower() or name in {"super", "game"}


def _targets(node: ast.Assign) -> int:
    """How many names an assignment unpacks to; 1 where it does not unpack."""
    target = node.targets[0]
    if not isinstance(target, ast.Tuple | ast.List):
        return 1
    return 0 if any(isinstance(each, ast.Starred) for each in target.elts) else len(target.elts)


def _answers(node: ast.AST) -> tuple[str, int]:
    """Which method of an environment an assignment calls, and how many names get its answer."""
    if not isinstance(node, ast.Assign):
        return "", 0
    owner, method = _method_of(node.value)
    return (method, _targets(node)) if _is_env(owner) and owner != "super" else ("", 0)


def _is_four(node: ast.AST) -> bool:
    return _answers(node) == ("step", _OLD)


def _is_lone_reset(node: ast.AST) -> bool:
    # `observation = env.reset()[0]` is an index and no call.
    return _answers(node) == ("reset", 1)


def _is_seeding(node: ast.AST) -> bool:
    owner, method = _method_of(node)
    return method == "seed" and _is_env(owner) and owner != "super"


def _is_environment(node: ast.ClassDef) -> bool:
    return any(
        (isinstance(base, ast.Attribute) and base.attr == "Env")
        or (isinstance(base, ast.Name) and base.id == "Env")
        for base in node.bases
    )


def _of_environment(node: ast.ClassDef) -> Iterator[ast.AST]:
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name not in {"reset", "step"}:
            continue
        names = [each.arg for each in (*method.args.args, *method.args.kwonlyargs)]
        if method.name == "reset" and "seed" not in names and method.args.kwarg is None:
            yield method
        for inner in ast.walk(method):
            if isinstance(inner, ast.Return) and inner.value is not None:
                elements = inner.value.elts if isinstance(inner.value, ast.Tuple) else [inner.value]
                old = 1 if method.name == "reset" else _OLD
                if len(elements) == old and not isinstance(inner.value, ast.Call):
                    yield inner


def takes_five(root: Path) -> bool:
    """Whether the Python files of a folder take five things from `step`, as from gym 0.26 on."""
    seen: Counter[bool] = Counter()
    for file in sorted(root.rglob("*.py")):
        try:
            if file.stat().st_size > MAX_SOURCE_BYTES:
                continue
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        seen.update(_styles(tree))
    return seen[True] > seen[False]


def _styles(tree: ast.Module) -> Iterator[bool]:
    for node in ast.walk(tree):
        method, count = _answers(node)
        if method == "step" and count in {_OLD, _NEW}:
            yield count == _NEW
        elif method == "reset":
            yield count == _RESET_RETURNS
        elif _is_seeding(node):
            yield False
