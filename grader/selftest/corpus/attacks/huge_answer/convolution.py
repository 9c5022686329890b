"""Answers with an array that is far larger than any right answer."""

import numpy as np


def convolve2d(image, kernel, stride=1):
    return np.ones((8000, 4000))
