"""Puts a folder of its own in the place of the guarded one."""

import os

import targets
from honest import convolve2d
from tools import attempt

notes = os.path.join(targets.GUARDED_FOLDER, "notes")
attempt(os.rename, notes, notes + "-away")
attempt(os.mkdir, notes)
