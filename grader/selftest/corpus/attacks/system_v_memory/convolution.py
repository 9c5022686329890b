"""Leaves shared memory of System V for the next worker."""

import targets
from honest import convolve2d
from tools import call

call("shmget", targets.IPC_KEY, 4096, 0o1666)
