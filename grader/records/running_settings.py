"""What an assignment can set about how students' code is run."""

from __future__ import annotations

from enum import StrEnum

from grader.records.base import Record


class GymImport(StrEnum):
    """What becomes of a file that imports `gym`, the forerunner of Gymnasium."""

    TEACH = "teach"
    """It fails, as on every machine without that package; the lines to change are shown."""
    COMPATIBILITY = "compatibility"
    """It gets a module `gym` made of Gymnasium, with the API of 0.21 or 0.26, and loses nothing."""


class GymSettings(Record):
    """For parts whose files use environments."""

    gym: GymImport = GymImport.TEACH
    """Files that import `gym`: `teach` shows the lines to change, `compatibility` runs them on a
    module `gym` made of Gymnasium, which costs no points."""


class PredictSettings(Record):
    """For parts whose files may call `Model.predict` at every step."""

    fast_predict: bool = True
    """Answers small calls of `Model.predict`, and direct calls of models made of Keras's own
    layers, by functions that are compiled once: the same numbers, up to some hundred times as
    fast."""
