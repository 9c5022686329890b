"""Makes a hard link to a guarded file and reads that."""

import os

import targets
from honest import convolve2d
from tools import attempt, read

for place in (os.getcwd(), targets.TEMPORARY, os.path.dirname(targets.GUARDED_FOLDER)):
    attempt(os.link, targets.GUARDED_FILE, os.path.join(place, targets.MARK))
    read(os.path.join(place, targets.MARK))
