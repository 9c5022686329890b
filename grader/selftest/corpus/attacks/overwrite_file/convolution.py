"""Overwrites and truncates a guarded file."""

import os

import targets
from honest import convolve2d
from tools import attempt


def overwrite():
    with open(targets.GUARDED_FILE, "w") as file:
        file.write("points = 100")


attempt(overwrite)
attempt(os.truncate, targets.GUARDED_FILE, 3)
