"""Finds the statements of a script that its definitions cannot do without.

A constant that a function uses may be made by a loop, by a helper or from a class of the file.
Such statements are known by the names that they set or add to. Those that train, play, download,
show or ask something are never among them.
"""

from __future__ import annotations

import ast
import copy
import symtable
from collections.abc import Iterable
from typing import Final

from grader.worker.reading import deed_of, dotted, outside_functions

_DEFINITION: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCK: Final = (ast.With, ast.If, ast.Try)
_STEPS: Final = frozenset({"apply_gradients", "minimize"})
"""Methods of a training that is written out."""


class Script:
    """The statements of a file, and what they do to its names."""

    def __init__(self, body: list[ast.stmt]) -> None:
        self._working = _working_functions(body)
        self._sets = {
            node.name: {
                name
                for inner in ast.walk(node)
                if isinstance(inner, ast.Global)
                for name in inner.names
            }
            for statement in body
            for node in ast.walk(statement)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def works(self, node: ast.AST) -> bool:
        """Whether a statement does what only a script is for, or never ends."""
        return any(
            (isinstance(inner, ast.Call) and self._is_working(dotted(inner.func)))
            or (isinstance(inner, ast.While) and _is_endless(inner))
            for inner in outside_functions(node)
        )

    def _is_working(self, name: str) -> bool:
        return _is_deed(name) or name.rpartition(".")[2] in self._working

    def definitions_in(self, node: ast.stmt) -> ast.stmt | None:
        """A block that holds definitions, without what works in it; None for other statements."""
        if not isinstance(node, _BLOCK) or not any(
            isinstance(inner, _DEFINITION) for inner in outside_functions(node)
        ):
            return None
        block = self._quiet(copy.deepcopy(node))
        return None if block is None or self.works(block) else block

    def _quiet(self, node: ast.stmt) -> ast.stmt | None:
        if isinstance(node, _DEFINITION) or not self.works(node):
            return node
        if not isinstance(node, _BLOCK):
            return None
        held: list[ast.With | ast.If | ast.Try | ast.ExceptHandler] = [node]
        if isinstance(node, ast.Try):
            held.extend(node.handlers)
        for part in held:
            part.body = self._all_quiet(part.body) or [ast.copy_location(ast.Pass(), node)]
        if isinstance(node, ast.If | ast.Try):
            node.orelse = self._all_quiet(node.orelse)
        if isinstance(node, ast.Try):
            node.finalbody = self._all_quiet(node.finalbody)
        return node

    def _all_quiet(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [quiet for node in body if (quiet := self._quiet(node)) is not None]

    def needed(self, kept: Iterable[ast.stmt], others: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Those of the other statements that the kept ones need, directly or by one another."""
        found: list[ast.stmt] = []
        names: set[str] = set()
        imported: set[str] = set()
        for node in kept:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imported |= bound_names(node)
                continue
            names |= _used(node)
            if isinstance(node, _DEFINITION):
                names.add(node.name)  # `Agent = registered(Agent)` sets it once more
        waiting = [
            (node, bound_names(node) | (self._changed(node) - imported))
            for node in others
            if not isinstance(node, ast.Delete) and not self.works(node)
        ]
        growing = True
        while growing:
            rest: list[tuple[ast.stmt, set[str]]] = []
            for node, touched in waiting:
                if touched & names:
                    found.append(node)
                    names |= _used(node)
                else:
                    rest.append((node, touched))
            growing = len(rest) < len(waiting)
            waiting = rest
        return found

    def _changed(self, node: ast.stmt) -> set[str]:
        """Names whose values a statement adds to or changes, without setting them."""
        changed: set[str] = set()
        for inner in outside_functions(node):
            match inner:
                case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                    changed.add(_root(inner))
                case ast.Expr(ast.Call(func=ast.Attribute() as method)):
                    changed.add(_root(method))
                case ast.Expr(ast.Call(func=ast.Name(id=name))):
                    changed |= self._sets.get(name, set())
        return changed - {""}


def bound_names(node: ast.stmt) -> set[str]:
    """Names that a statement sets in its module."""
    table = _table(node)
    if table is None:
        return {inner.id for inner in outside_functions(node)
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}  # fmt: skip
    return {each.get_name() for each in table.get_symbols()
            if each.is_assigned() or each.is_imported()}  # fmt: skip


def line_of(name: str, node: ast.stmt) -> int:
    """The line on which a statement sets a name, else its first."""
    for inner in outside_functions(node):
        match inner:
            case ast.Name(id=found, ctx=ast.Store()) if found == name:
                return inner.lineno
            case ast.FunctionDef(name=found) | ast.ClassDef(name=found) if found == name:
                return inner.lineno
    return node.lineno


def _table(node: ast.stmt) -> symtable.SymbolTable | None:
    """What Python makes of the names of a statement; None where it is nested too deeply."""
    try:
        return symtable.symtable(ast.unparse(node), "<statement>", "exec")
    except RecursionError:
        return None


def _used(node: ast.stmt) -> set[str]:
    """Names of the module that a statement uses, in the bodies of its functions too."""
    top = _table(node)
    if top is None:
        return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    used = {each.get_name() for each in top.get_symbols() if each.is_referenced()}
    waiting = list(top.get_children())
    while waiting:
        table = waiting.pop()
        used |= {each.get_name() for each in table.get_symbols() if each.is_global()}
        waiting.extend(table.get_children())
    return used


def _root(node: ast.expr) -> str:
    """The name at the start of `name.a[0].b`; empty for what is computed."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_deed(name: str) -> bool:
    return deed_of(name) is not None or name.rpartition(".")[2] in _STEPS


def _is_endless(node: ast.While) -> bool:
    return (
        isinstance(node.test, ast.Constant)
        and bool(node.test.value)
        and not any(isinstance(inner, ast.Break) for inner in ast.walk(node))
    )


def _working_functions(body: list[ast.stmt]) -> set[str]:
    """Names of functions, methods and classes that train, play or the like when they are called."""
    calls: list[tuple[str, set[str]]] = []
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "__init__":
            calls.append((node.name, _calls(node)))
        elif isinstance(node, ast.ClassDef):
            made = [each for each in node.body if getattr(each, "name", "") == "__init__"]
            calls.append((node.name, {name for each in made for name in _calls(each)}))
    working: set[str] = set()
    growing = True
    while growing:
        more = {
            name
            for name, called in calls
            if name not in working
            and any(_is_deed(each) or each.rpartition(".")[2] in working for each in called)
        }
        growing = bool(more)
        working |= more
    return working


def _calls(node: ast.AST) -> set[str]:
    return {dotted(inner.func) for inner in ast.walk(node) if isinstance(inner, ast.Call)}
