"""Leaves a message queue and semaphores of System V for the next worker."""

import targets
from honest import convolve2d
from tools import call

call("msgget", targets.IPC_KEY, 0o1666)
call("semget", targets.IPC_KEY, 1, 0o1666)
