"""Reads a guarded file through a symbolic link and a relative path."""

import os

import targets
from honest import convolve2d
from tools import attempt, read

attempt(os.symlink, targets.GUARDED_FILE, "innocent.txt")
read("innocent.txt")
read("../" * 40 + targets.GUARDED_FILE.lstrip("/"))
