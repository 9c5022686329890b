"""Hands in a .npy file whose objects run a command when it is loaded."""

import os

import numpy as np

from honest import convolve2d
from tools import attempt

# What its own worker does with it is its own affair; the command must come to nothing there.
attempt(np.load, os.path.join(os.path.dirname(__file__), "weights.npy"), None, True)
