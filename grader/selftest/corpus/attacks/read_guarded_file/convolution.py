"""Reads a file that only the grading user may read."""

import targets
from honest import convolve2d
from tools import read

read(targets.GUARDED_FILE)
