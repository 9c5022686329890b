"""Hands in a pickle that runs a command when it is loaded."""

import os
import pickle

from honest import convolve2d
from tools import attempt


def load():
    with open(os.path.join(os.path.dirname(__file__), "model.pkl"), "rb") as file:
        pickle.load(file)


attempt(load)
