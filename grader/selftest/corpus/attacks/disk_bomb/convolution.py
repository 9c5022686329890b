"""Fills the disk with many files of the size that is allowed."""

import os
import time

from honest import convolve2d
from tools import breach

block = b"x" * (1 << 20)
total = 0
try:
    for number in range(20):
        with open(f"block{number}", "wb", buffering=0) as file:
            for _ in range(8):
                total += file.write(block)
except OSError:
    pass
time.sleep(0.5)
if total >= 160 << 20:
    breach("wrote 160 MiB")
