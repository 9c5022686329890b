"""Sends its answer one byte at a time."""

import os
import time


def convolve2d(image, kernel, stride=1):
    os.write(3, b"\x00\x01\x00\x00")
    while True:
        os.write(3, b"\xc0")
        time.sleep(0.2)
