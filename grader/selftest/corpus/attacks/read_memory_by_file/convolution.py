"""Reads the memory of other processes through /proc/PID/mem."""

import os

import targets
from honest import convolve2d
from tools import attempt, say

memory = attempt(os.open, f"/proc/{targets.BYSTANDER_PID}/mem", os.O_RDONLY)
if memory is not None:
    say(attempt(os.pread, memory, targets.BYSTANDER_SIZE, targets.BYSTANDER_ADDRESS) or b"")
