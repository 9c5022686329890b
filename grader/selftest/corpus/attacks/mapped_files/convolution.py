"""Fills the disk with deleted files that nothing but its memory still refers to."""

import ctypes
import os
import time

from tools import breach, libc

libc.mmap.restype = ctypes.c_void_p
block = b"x" * (1 << 20)
total = 0
try:
    for number in range(20):
        with open("block", "wb+", buffering=0) as file:
            for _ in range(8):
                total += file.write(block)
            libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file.fileno(), ctypes.c_long(0))
        os.unlink("block")
except OSError:
    pass
time.sleep(1.2)
if total >= 160 << 20:
    breach("holds 160 MiB of deleted files")
