"""Gives each thread a table of descriptors, and with it a limit, of its own."""

import os
import threading

from honest import convolve2d
from tools import breach, call

UNSHARE = 2
counts = []
ready = threading.Event()


def fill():
    call("close_range", 1_000_000, 1_000_001, UNSHARE)
    held = 0
    try:
        while held < 2_000:
            os.dup(1)
            held += 1
    except OSError:
        pass
    counts.append(held)
    ready.wait(2)


threads = [threading.Thread(target=fill) for _ in range(8)]
for thread in threads:
    thread.start()
while len(counts) < len(threads):
    pass
if sum(counts) > 500:
    breach(f"holds {sum(counts)} descriptors")
ready.set()
for thread in threads:
    thread.join()
os.closerange(20, 10_000)
