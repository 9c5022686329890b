"""Fills the disk in folders whose path is too long to be looked up."""

import os
import time

from tools import breach

for _ in range(20):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
block = b"x" * (1 << 20)
total = 0
try:
    for number in range(20):
        with open(f"block{number}", "wb", buffering=0) as file:
            for _ in range(8):
                total += file.write(block)
except OSError:
    pass
time.sleep(0.6)
if total >= 160 << 20:
    breach("holds 160 MiB")
