"""Takes memory and writes to all of it."""

import mmap
import time

from tools import breach

held = []
for _ in range(60):
    piece = mmap.mmap(-1, 16 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(0, 16 << 20, 4096):
        piece[page] = 1
    held.append(piece)
time.sleep(0.5)
breach("holds 960 MiB")
