"""Starts threads until nothing is left."""

import threading
import time

from honest import convolve2d
from tools import breach

threading.stack_size(64 << 10)
started = 0
try:
    for started in range(1500):
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
except RuntimeError:
    pass
time.sleep(0.5)
if started > 1400:
    breach("1500 threads run")
