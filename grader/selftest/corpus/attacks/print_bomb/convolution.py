"""Prints without end."""

import os


def convolve2d(image, kernel, stride=1):
    while True:
        os.write(1, b"more and more of the same\n" * 2000)
