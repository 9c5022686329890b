"""Writes a file into the folder of reports."""

import targets
from honest import convolve2d
from tools import leave_mark

leave_mark(targets.REPORTS_FOLDER)
