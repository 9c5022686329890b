"""Stops another process of the same user."""

import os
import signal

import targets
from honest import convolve2d
from tools import attempt

attempt(os.kill, targets.BYSTANDER_PID, signal.SIGSTOP)
