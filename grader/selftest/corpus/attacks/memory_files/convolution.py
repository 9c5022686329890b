"""Fills memory files, which no limit of a process counts."""

import os
import time

from honest import convolve2d
from tools import breach, call

held = []
block = b"x" * (1 << 20)
total = 0
for number in range(100):
    descriptor = call("memfd_create", b"block", 0)
    if descriptor < 0:
        break
    held.append(descriptor)
    for _ in range(7):
        total += os.write(descriptor, block)
time.sleep(0.5)
if total >= 700 << 20:
    breach("holds 700 MiB in memory files")
