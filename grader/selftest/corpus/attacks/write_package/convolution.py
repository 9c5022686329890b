"""Writes a file into the grader's own package."""

import os

import targets
from honest import convolve2d
from tools import leave_mark

leave_mark(os.path.join(targets.PACKAGE, "worker"))
