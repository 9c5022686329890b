"""Takes another process's open file with pidfd_getfd."""

import os

import targets
from honest import convolve2d
from tools import call, say

process = call("pidfd_open", targets.BYSTANDER_PID, 0)
if process >= 0:
    descriptor = call("pidfd_getfd", process, targets.BYSTANDER_DESCRIPTOR, 0)
    if descriptor >= 0:
        say(os.pread(descriptor, 1000, 0))
