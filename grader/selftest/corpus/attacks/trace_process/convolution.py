"""Attaches to another process with ptrace."""

import targets
from honest import convolve2d
from tools import breach, call

if call("ptrace", 16, targets.BYSTANDER_PID, 0, 0) == 0:
    breach("traces another process")
