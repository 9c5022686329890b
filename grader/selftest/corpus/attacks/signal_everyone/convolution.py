"""Signals every process that it may signal, with kill(-1)."""

import os
import signal

from honest import convolve2d
from tools import attempt

# A signal that programs ignore unless they ask for it; SIGKILL would go the same way.
attempt(os.kill, -1, signal.SIGURG)
