"""Writes a file into the user's home folder."""

import targets
from honest import convolve2d
from tools import leave_mark

leave_mark(targets.HOME)
leave_mark(targets.REAL_HOME)
