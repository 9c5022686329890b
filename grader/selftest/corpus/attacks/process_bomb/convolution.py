"""Starts processes until nothing is left."""

import os
import time

from honest import convolve2d
from tools import breach, fork

for number in range(60):
    child = fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    if child < 0:
        break
else:
    breach("60 processes run")
