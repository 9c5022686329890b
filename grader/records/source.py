"""What stands in a student's source text, as their own process reads it.

All of it is a claim: good for finding lines and for hints, never for points.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from grader.records.base import Record

MAX_SOURCE_BYTES: Final = 1 << 20
"""Files larger than this are not read for hints."""
MAX_HINTS: Final = 50
MAX_LAYER_CALLS: Final = 200
MAX_LEFT_OUT: Final = 50
MAX_TEXT_CHARS: Final = 120

ShortText = Annotated[str, Field(max_length=MAX_TEXT_CHARS + 1)]
Line = Annotated[int, Field(ge=1, le=MAX_SOURCE_BYTES)]


class ImportMode(StrEnum):
    """How much of a part's file is run when it is imported."""

    WHOLE = "whole"
    """All of it; a file that fails then cannot be judged."""
    DEFINITIONS = "definitions"
    """Imports, functions, classes and simple assignments only."""
    WHOLE_THEN_DEFINITIONS = "whole_then_definitions"
    """All of it; where that fails, its definitions alone, in a fresh process."""


class HintKind(StrEnum):
    """What a hint is about; `text` holds what is given in brackets."""

    OLD_ARGUMENT = "old_argument"
    """An argument of an old Keras (its name)."""
    OLD_IMPORT = "old_import"
    """An import of a module or name that has moved or gone (`module` or `module.name`)."""
    OLD_CALL = "old_call"
    """A method or function that is gone (its name, with the module where it is known)."""
    KERNEL_NUMBERS = "kernel_numbers"
    """Three numbers in front of a convolution's other arguments, as in Keras 1 (the call)."""
    LATER_INPUT_SHAPE = "later_input_shape"
    """`input_shape` on a layer that is not the first (the layer's class)."""
    TRAINS = "trains"
    """Training at the top level (the call)."""
    PLAYS = "plays"
    """Playing at the top level (the call)."""
    LOOPS = "loops"
    """A loop at the top level that trains, plays or calls the file's own functions (its line)."""
    SHOWS_WINDOW = "shows_window"
    """A call that opens a window, at the top level (the call)."""
    READS_INPUT = "reads_input"
    """`input()` at the top level (the call)."""
    DOWNLOADS = "downloads"
    """A download at the top level (the call)."""
    SHADOWS = "shadows"
    """An import of a package that a file handed in has the name of (that file)."""
    OLD_GYM = "old_gym"
    """What was written for `gym` and Gymnasium would not take (its line)."""
    ABSOLUTE_PATH = "absolute_path"
    """A path that exists on one machine only (the path)."""


class SourceHint(Record):
    """Something noticed in the source text."""

    kind: HintKind
    line: Line
    text: ShortText


class LayerCall(Record):
    """A call of a Keras layer class, in the order of the file."""

    kind: ShortText
    """Name of the class, such as `Conv2D`."""
    line: Line


class Reading(Record):
    """What the source text of one file shows."""

    hints: Annotated[tuple[SourceHint, ...], Field(max_length=MAX_HINTS)] = ()
    layer_calls: Annotated[tuple[LayerCall, ...], Field(max_length=MAX_LAYER_CALLS)] = ()


class LeftOut(Record):
    """Lines of the file that were not run."""

    first_line: Line
    last_line: Line
    text: ShortText
    """The first of them."""


class Definitions(Record):
    """What became of a file of which only the definitions were run."""

    left_out: Annotated[tuple[LeftOut, ...], Field(max_length=MAX_LEFT_OUT)] = ()
