"""Deletes the guarded folder."""

import shutil

import targets
from honest import convolve2d

shutil.rmtree(targets.GUARDED_FOLDER, ignore_errors=True)
