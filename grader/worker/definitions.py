"""Imports a file without its script: its definitions, simple assignments, and what these need.

A file that trains, plays or opens a window when it is imported can be judged all the same by what
it defines. An import that fails is left out too where nothing that is kept uses its names, such
as the plotting library of a script.
"""

from __future__ import annotations

import ast
import types
from pathlib import Path
from typing import Any, Final

from grader.records.source import MAX_LEFT_OUT, MAX_TEXT_CHARS
from grader.records.text import clean_line
from grader.worker.failures import LEFT_OUT_NAMES
from grader.worker.needed import Script, bound_names, line_of
from grader.worker.reading import dotted, is_main_guard

_DEFINITION: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORT: Final = (ast.Import, ast.ImportFrom)
_QUIET_CALLS: Final = frozenset({
    "int", "float", "str", "bool", "list", "dict", "tuple", "set", "frozenset", "range", "len",
    "min", "max", "sum", "abs", "round", "sorted", "Path", "deque", "namedtuple", "defaultdict",
    "Box", "Discrete", "MultiDiscrete", "MultiBinary", "TypeVar", "NamedTuple",
})  # fmt: skip
"""Calls by a bare name that make a value and do nothing else."""
_QUIET_MODULES: Final = frozenset({
    "np", "numpy", "np.random", "numpy.random", "random", "math", "pathlib", "os.path",
    "collections", "typing", "functools", "itertools", "string", "re", "spaces", "gym.spaces",
    "gymnasium.spaces", "losses", "keras.losses", "tf.keras.losses", "initializers",
    "keras.initializers", "tf.keras.initializers", "regularizers", "keras.regularizers",
    "optimizers", "keras.optimizers", "tf.keras.optimizers",
})  # fmt: skip
"""Modules whose functions and classes make a value and do nothing else."""
_QUIET_METHODS: Final = frozenset({
    "resolve", "joinpath", "with_name", "absolute", "reshape", "astype", "copy", "format", "join",
    "split", "strip", "lower", "upper", "items", "keys", "values", "abspath", "dirname",
})  # fmt: skip


def import_definitions(module: types.ModuleType, path: Path) -> dict[str, Any]:
    """Runs the definitions of a file in a module.

    Args:
        module: the module, empty; it must stand in `sys.modules` already.
        path: the file.

    Returns:
        The plain form of a `Definitions`.

    Raises:
        Exception: what a definition raised; its author must act.
    """
    source = path.read_bytes()
    tree = ast.parse(source, str(path))
    body = [node for node in tree.body if not is_main_guard(node)]
    run = _chosen(body)
    left_out = [node for node in body if id(node) not in run]
    used = {
        node.id for statement in run.values() if not isinstance(statement, _IMPORT)
        for node in ast.walk(statement) if isinstance(node, ast.Name)
    }  # fmt: skip
    names: dict[str, str] = {}
    module.__dict__[LEFT_OUT_NAMES] = names
    for node in left_out:
        _note_names(names, node, path)
    future = [node for node in body if _is_future(node)]
    for node in body:
        if id(node) not in run or _is_future(node):
            continue
        # Statement by statement, so that one assignment that fails does not take the rest along.
        statements = [*future, run[id(node)]]
        code = compile(ast.Module(body=statements, type_ignores=[]), str(path), "exec")
        try:
            exec(code, module.__dict__)  # noqa: S102  it is what importing does
        except (Exception, SystemExit):
            if not _is_dispensable(node, used):
                raise
            left_out.append(node)
            _note_names(names, node, path)
    left_out.sort(key=lambda node: node.lineno)
    lines = source.decode(errors="replace").splitlines()
    return {"left_out": tuple(_told(node, lines) for node in left_out[:MAX_LEFT_OUT])}


def _chosen(body: list[ast.stmt]) -> dict[int, ast.stmt]:
    """What is to be run, by the identity of the statement that it stands for."""
    script = Script(body)
    chosen = {id(node): node for node in body if _is_kept(node)}
    for node in body:
        if id(node) not in chosen and (block := script.definitions_in(node)) is not None:
            chosen[id(node)] = block
    others = [node for node in body if id(node) not in chosen]
    chosen |= {id(node): node for node in script.needed(chosen.values(), others)}
    return chosen


def _note_names(names: dict[str, str], node: ast.stmt, path: Path) -> None:
    """Notes where the names of a statement that was left out are set."""
    for name in bound_names(node):
        names.setdefault(name, f"line {line_of(name, node)} of {path.name}")


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _is_dispensable(node: ast.stmt, used: set[str]) -> bool:
    """Whether the rest can do without a statement that has failed."""
    if isinstance(node, _IMPORT):
        names = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        return "*" not in names and not names & used
    # The file cannot be judged without its functions and classes; a value may be missed by nobody.
    return not isinstance(node, _DEFINITION)


def _is_kept(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return _is_simple(value)
        case ast.Expr(value=ast.Constant()) | ast.Pass():
            return True
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=[]):
            inner = [*body, *orelse, *(item for each in handlers for item in each.body)]
            return any(isinstance(item, _IMPORT) for item in inner) and all(map(_is_kept, inner))
        case ast.If(test=test, body=body, orelse=orelse):
            return (
                not is_main_guard(node)
                and _is_simple(test)
                and all(map(_is_kept, [*body, *orelse]))
            )
    return isinstance(node, (*_DEFINITION, *_IMPORT))


def _is_simple(node: ast.expr) -> bool:
    """Whether an expression makes a value without running anything of the student's."""
    unrest = (
        ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.GeneratorExp, ast.ListComp,
        ast.SetComp, ast.DictComp,
    )  # fmt: skip
    waiting: list[ast.AST] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, unrest):
            return False
        if isinstance(current, ast.Call) and not _is_quiet(current.func):
            return False
        if not isinstance(current, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(current))
    return True


def _is_quiet(function: ast.expr) -> bool:
    name = dotted(function)
    owner, _, last = name.rpartition(".")
    if isinstance(function, ast.Name):
        return name in _QUIET_CALLS
    return owner in _QUIET_MODULES or last in _QUIET_METHODS


def _told(node: ast.stmt, lines: list[str]) -> dict[str, Any]:
    text = lines[node.lineno - 1] if node.lineno <= len(lines) else ""
    last = node.end_lineno or node.lineno
    return {
        "first_line": node.lineno, "last_line": last,
        "text": clean_line(text, MAX_TEXT_CHARS),
    }  # fmt: skip
