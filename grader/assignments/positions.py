"""Where each key of a TOML text stands, so that every problem can name a line.

`tomllib` says what a file means but not where. The scanner here reads a text that `tomllib` has
already accepted, skips over the values, and writes down the line of every key and array element.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Final

KeyPath = tuple[str | int, ...]
"""Keys and array indices from the top of the file, such as `("parts", "network", "layers", 2)`."""

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SPACE: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR: Final = re.compile(r"[^,\]}#\r\n]+")
_STRINGS: Final = (
    re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


@dataclass(frozen=True)
class Positions:
    """Lines of the keys of one TOML text."""

    lines: dict[KeyPath, int]
    """Line, counted from 1, of each key, table header and array element."""

    def line(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest thing around it that stands in the text.

        A key that is missing has no line of its own: the line is then that of its table.
        """
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def key_positions(text: str) -> Positions:
    """Finds the line of every key.

    Args:
        text: a TOML text that `tomllib` accepts.
    """
    scanner = _Scanner(text)
    scanner.scan()
    return Positions(scanner.lines)


def path_text(path: KeyPath) -> str:
    """A key path as an author reads it, such as `parts.network.settings.layers[2].filters`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            shown = step if _BARE_KEY.fullmatch(step) else _quoted(step)
            text += f".{shown}" if text else shown
    return text


def _quoted(key: str) -> str:
    safe = "".join(char if char.isprintable() else "\ufffd" for char in key[:80])
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Scanner:
    """One pass over a text; `at` is the place of the next character to be read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}
        self._line = 1
        self._line_at = 0

    def scan(self) -> None:
        table: KeyPath = ()
        self._skip_space()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_space()

    def _header(self) -> KeyPath:
        line = self._current_line()
        repeated = self.text.startswith("[[", self.at)
        self.at += 2 if repeated else 1
        keys = self._keys()
        self.at += 2 if repeated else 1
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._latest((*path, key))
            self.lines.setdefault(path, line)
        path = (*path, keys[-1])
        self.lines.setdefault(path, line)
        if repeated:
            self._tables[path] = self._tables.get(path, 0) + 1
            path = self._latest(path)
            self.lines[path] = line
        return path

    def _latest(self, path: KeyPath) -> KeyPath:
        """A name that stands for an array of tables means the table that was opened last."""
        count = self._tables.get(path)
        return path if count is None else (*path, count - 1)

    def _pair(self, table: KeyPath) -> None:
        line = self._current_line()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1
        self._skip_space()
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip_space()
            bare = _BARE_KEY.match(self.text, self.at)
            if bare is not None:
                keys.append(bare.group())
                self.at = bare.end()
            else:
                start = self.at
                self._string()
                keys.append(tomllib.loads(f"key = {self.text[start : self.at]}")["key"])
            self._skip_space()
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            self._string()
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            scalar = _SCALAR.match(self.text, self.at)
            self.at = scalar.end() if scalar else self.at + 1

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self._another("]"):
            element = (*path, index)
            self.lines[element] = self._current_line()
            self._value(element)
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self._another("}"):
            self._pair(path)

    def _another(self, closing: str) -> bool:
        """Steps to the next element of an array or inline table, or past its end."""
        self._skip_space()
        if self.text[self.at] == ",":
            self.at += 1
            self._skip_space()
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True

    def _string(self) -> None:
        for pattern in _STRINGS:
            match = pattern.match(self.text, self.at)
            if match is not None:
                self.at = match.end()
                return
        raise ValueError(f"no string at character {self.at}: the text is not valid TOML")

    def _skip_space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _current_line(self) -> int:
        self._line += self.text.count("\n", self._line_at, self.at)
        self._line_at = self.at
        return self._line
