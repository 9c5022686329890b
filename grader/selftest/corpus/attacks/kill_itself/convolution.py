"""Sends itself a signal that cannot be caught."""

import os
import signal


def convolve2d(image, kernel, stride=1):
    os.kill(os.getpid(), signal.SIGKILL)
