"""Ends its first thread, so that the kernel tells nothing of the memory of others."""

import mmap
import threading
import time

from tools import breach, call


def fill():
    time.sleep(0.3)
    held = []
    for _ in range(60):
        piece = mmap.mmap(-1, 16 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for page in range(0, 16 << 20, 4096):
            piece[page] = 1
        held.append(piece)
    time.sleep(0.5)
    breach("holds 960 MiB")
    time.sleep(10)


threading.Thread(target=fill).start()
call("exit", 0)
