"""Nests a thousand folders, so that what removes them runs out of stack or path."""

import os

from honest import convolve2d
from tools import attempt

start = os.getcwd()
for _ in range(1200):
    if attempt(os.mkdir, "a" * 200) == "never":
        break
    if attempt(os.chdir, "a" * 200) == "never":
        break
os.chdir(start)
