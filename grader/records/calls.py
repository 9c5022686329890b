"""Calls of the student's code: as a request of its own, or prepared once and made at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import msgpack
from pydantic import Field

from grader.records.message import Message
from grader.records.wire import encode, framed

_ARRAY_OF: Final = 0x90
_MAP_OF: Final = 0x80
"""First bytes of short arrays and maps in msgpack, to which their length is added."""


class Invoke(Message):
    """Call something and answer, or keep, what it returns."""

    op: Literal["invoke"] = "invoke"
    target: str
    """A role, or the name something was kept under."""
    method: str | None = None
    """A role of a method, or (exact) a method's name."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Values by name; `Space` data and `Kept` references are turned into objects."""
    exact: bool = False
    """Pass all arguments by keyword, whatever the signature says."""
    keep: str | None = None
    """Keep the result under this name and answer its type's name instead."""


@dataclass(frozen=True)
class Filled:
    """A prepared call with its argument: made at every step of an episode."""

    call: PreparedCall
    value: Any


class PreparedCall:
    """An `Invoke` with one argument, encoded but for that argument.

    Args:
        target: as in `Invoke`.
        method: as in `Invoke`.
        argument: the argument's name.
    """

    def __init__(self, target: str, method: str | None, argument: str) -> None:
        fields = dict(Invoke(target=target, method=method))
        del fields["arguments"]
        packed = b"".join(msgpack.packb(each) for pair in fields.items() for each in pair)
        entries = bytes([_MAP_OF | len(fields) + 1])
        self._head = entries + packed + msgpack.packb("arguments")
        self._head += bytes([_MAP_OF | 1]) + msgpack.packb(argument)

    def frame(self, number: int, value: Any) -> bytes:
        """The request as a frame.

        Raises:
            WireError: the value has no plain form; the probe that made it is to blame.
        """
        body = bytes([_ARRAY_OF | 2]) + msgpack.packb(number) + self._head
        return framed(body + encode(value, strict=True))
