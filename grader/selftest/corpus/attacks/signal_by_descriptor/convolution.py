"""Has the kernel signal another process when a pipe becomes readable (F_SETOWN)."""

import fcntl
import os
import signal
import time

import targets
from honest import convolve2d
from tools import attempt

reading, writing = os.pipe()
attempt(fcntl.fcntl, reading, fcntl.F_SETOWN, targets.BYSTANDER_PID)
attempt(fcntl.fcntl, reading, 10, int(signal.SIGURG))
attempt(fcntl.fcntl, reading, fcntl.F_SETFL, os.O_ASYNC)
os.write(writing, b"x")
time.sleep(0.1)
