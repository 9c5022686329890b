"""Makes a file of a terabyte that takes no room yet."""

import os

from honest import convolve2d
from tools import attempt, breach

descriptor = os.open("large", os.O_CREAT | os.O_RDWR)
attempt(os.ftruncate, descriptor, 1 << 40)
attempt(os.posix_fallocate, descriptor, 0, 64 << 20)
if os.fstat(descriptor).st_size > 1 << 30:
    breach("has a file of a terabyte")
