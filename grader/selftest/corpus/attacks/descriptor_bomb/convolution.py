"""Opens files until no descriptor is left on the machine."""

import os

from honest import convolve2d
from tools import breach

opened = 0
try:
    for opened in range(10_000):
        os.dup(1)
except OSError:
    pass
if opened > 5000:
    breach("holds 5000 descriptors")
os.closerange(20, 10_000)
