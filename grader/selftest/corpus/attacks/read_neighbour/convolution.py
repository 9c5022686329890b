"""Reads another student's submission."""

import targets
from honest import convolve2d
from tools import read

read(targets.NEIGHBOUR_FILE)
