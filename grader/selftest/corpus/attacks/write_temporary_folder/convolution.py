"""Writes a file into the temporary folder that all programs share."""

import targets
from honest import convolve2d
from tools import leave_mark

leave_mark(targets.TEMPORARY)
