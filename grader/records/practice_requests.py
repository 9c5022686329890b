"""What the grader asks of a worker that has losses, buffers, updates or training steps."""

from __future__ import annotations

from typing import Any, Literal

from grader.records.message import Message


class CallEach(Message):
    """Call a function or method several times; answers the list of results.

    Containers of any class come as plain lists, tuples and dicts.
    """

    op: Literal["call_each"] = "call_each"
    target: str
    method: str | None = None
    """A role of a method, or a method's name."""
    calls: tuple[dict[str, Any], ...]
    """Arguments of each call by name."""
    overwrite: bool = False
    """Overwrite each call's arrays in place after it, as a program that uses them again does."""
    keep_going: bool = False
    """Answer `{"raised": name}` for a call that raises, instead of ending there."""
    whole: bool = False
    """Give all arguments of a call as one tuple to what takes one thing of another name."""


class MakeGenerator(Message):
    """Make a numpy generator and keep it."""

    op: Literal["make_generator"] = "make_generator"
    keep: str
    seed: int


class Freeze(Message):
    """Make a layer of a kept model one that is not trained."""

    op: Literal["freeze"] = "freeze"
    target: str
    layer: int


class Gradients(Message):
    """Inspector: gradients of a rebuilt network with respect to its weights."""

    op: Literal["gradients"] = "gradients"
    graph: dict[str, Any]
    weights: tuple[Any, ...]
    batch: Any


class MakeNormalized(Message):
    """Build a network with batch normalisation, which has weights that are not trained; keep it."""

    op: Literal["make_normalized"] = "make_normalized"
    keep: str
    inputs: int
    units: int
    outputs: int
