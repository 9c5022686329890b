"""What stands for an object without a plain form, and how received values are told in a line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

from grader.records.text import clean_line

_SHOWN_VALUES: Final = 60


@dataclass(frozen=True)
class Opaque:
    """An object that has no plain form: its type's name and its text, cleaned and capped."""

    type_name: str
    text: str


def type_name(value: object) -> str:
    """The qualified name of a value's type, `int` rather than `builtins.int`."""
    kind = type(value)
    try:
        name = str.__str__(kind.__qualname__)
        module = str.__str__(kind.__module__)
    except Exception:  # noqa: BLE001  a student's metaclass may raise anything
        return "object"
    return name if module == "builtins" else f"{module}.{name}"


def opaque(value: object) -> Opaque:
    """What stands for an object that has no plain form, or that must not be taken for one."""
    try:
        text = clean_line(repr(value), 200)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  a student's __repr__ may raise anything
        text = "(its repr raises)"
    return Opaque(type_name(value), text)


class _Sketch:
    """Text of the first values of a nested value; the rest is `…`."""

    def __init__(self, most: int) -> None:
        self._left = most

    def of(self, value: object) -> str:
        self._left -= 1
        match value:
            case list():
                return f"[{self._items(value)}]"
            case tuple():
                return f"({self._items(value)}{',' if len(value) == 1 else ''})"
            case dict():
                pairs = islice(value.items(), max(0, self._left))
                shown = [f"{key!r}: {self.of(item)}" for key, item in pairs]
                return f"{{{', '.join(shown + self._rest(value, shown))}}}"
            case str() | bytes():
                return repr(value[:2000])
        return repr(value)

    def _items(self, values: list[object] | tuple[object, ...]) -> str:
        shown: list[str] = []
        for value in values:
            if self._left <= 0:
                break
            shown.append(self.of(value))
        return ", ".join(shown + self._rest(values, shown))

    @staticmethod
    def _rest(values: Any, shown: list[str]) -> list[str]:
        return ["…"] if len(shown) < len(values) else []


def describe(value: object, limit: int = 120) -> str:
    """A short text for a value that was received, such as `2.0 (float)`."""
    if isinstance(value, Opaque):
        return clean_line(f"{value.text} ({value.type_name})", limit)
    if isinstance(value, np.ndarray):
        shown = np.array2string(value, threshold=6, precision=4).replace("\n", "")
        return clean_line(f"{shown} (array, {value.dtype.name}, shape {value.shape})", limit)
    if isinstance(value, np.generic):
        return clean_line(f"{value.item()!r} (numpy.{value.dtype.name})", limit)
    return clean_line(f"{_Sketch(_SHOWN_VALUES).of(value)} ({type_name(value)})", limit)
