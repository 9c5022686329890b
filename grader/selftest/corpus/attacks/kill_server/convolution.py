"""Ends the process that forked it."""

import os
import signal

from honest import convolve2d
from tools import attempt

attempt(os.kill, os.getppid(), signal.SIGKILL)
