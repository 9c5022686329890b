"""Sleeps for an hour."""

import time


def convolve2d(image, kernel, stride=1):
    time.sleep(3600)
