"""Leaves a daemon behind that has a session of its own."""

import os
import time

from honest import convolve2d
from tools import breach, fork

if fork() == 0:
    os.setsid()
    if fork() == 0:
        breach("a daemon runs")
        time.sleep(60)
    os._exit(0)
