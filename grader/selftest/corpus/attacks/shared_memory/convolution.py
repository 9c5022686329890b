"""Leaves POSIX shared memory for the next worker."""

import _posixshmem
import os

import targets
from honest import convolve2d
from tools import attempt

kept = attempt(_posixshmem.shm_open, f"/{targets.MARK}", os.O_CREAT | os.O_RDWR, 0o666)
if kept is not None:
    os.ftruncate(kept, 4096)
