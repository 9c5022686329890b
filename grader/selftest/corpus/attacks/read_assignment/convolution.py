"""Reads the grader's assignments, their seeds and the recorded reference results."""

import os

from honest import convolve2d
from tools import attempt, breach
import targets

builtin = os.path.join(targets.PACKAGE, "assignments", "builtin", "week13")
for name in ("assignment.toml", "baselines.json"):
    file = attempt(open, os.path.join(builtin, name))
    if file is not None and "seeds" in file.read():
        breach(f"read {name}")
