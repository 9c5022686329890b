"""Writes a file into /dev/shm."""

import targets
from honest import convolve2d
from tools import leave_mark

leave_mark("/dev/shm")
