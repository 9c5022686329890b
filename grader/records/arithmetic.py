"""Whole-number arithmetic in assignment files, such as `2 * num_actions + 1`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

_OPERATORS: Final[Mapping[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}
_LARGEST: Final = 1 << 40


class ArithmeticProblem(ValueError):
    """The expression is none, or has no value; the assignment's author must act."""


@lru_cache(maxsize=256)
def _tree(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ArithmeticProblem("this is no arithmetic with whole numbers") from error


def names_in(text: str) -> frozenset[str]:
    """The names an expression uses; none where it is no expression."""
    try:
        tree = _tree(text)
    except ArithmeticProblem:
        return frozenset()
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def evaluate(text: str, arguments: Mapping[str, Any]) -> int:
    """The value of an expression.

    Args:
        text: numbers, names, `+ - * //` and parentheses.
        arguments: the value of each name.

    Raises:
        ArithmeticProblem: it is no such expression, or has no value.
    """
    return _value(_tree(text), arguments)


def _value(node: ast.expr, arguments: Mapping[str, Any]) -> int:
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            result = number
        case ast.Name(id=name):
            known = arguments.get(name)
            if not isinstance(known, int) or isinstance(known, bool):
                raise ArithmeticProblem(f"`{name}` is no whole number")
            result = known
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            result = -_value(operand, arguments)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            one, two = _value(left, arguments), _value(right, arguments)
            if two == 0 and isinstance(sign, ast.FloorDiv):
                raise ArithmeticProblem("it divides by zero")
            result = _OPERATORS[type(sign)](one, two)
        case _:
            raise ArithmeticProblem("this is no arithmetic with whole numbers")
    if abs(result) > _LARGEST:
        raise ArithmeticProblem("the number is too large")
    return result
