"""Announces an answer of four gigabytes."""

import os
import time


def convolve2d(image, kernel, stride=1):
    os.write(3, b"\xff\xff\xff\xff" + b"x" * 1000)
    time.sleep(1)
