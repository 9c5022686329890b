"""Takes the refusal of new processes out of Python's audit hooks."""

import os
import sys

from honest import convolve2d
from tools import attempt, breach

limits = sys.modules["grader.worker.confinement.limits"]
limits._STARTING = frozenset()
child = attempt(os.fork)
if child == 0:
    breach("forked from Python")
    os._exit(0)
if child:
    os.waitpid(child, 0)
