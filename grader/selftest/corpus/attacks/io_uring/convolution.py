"""Opens an io_uring, which does file and network work past system-call filters."""

import ctypes

from honest import convolve2d
from tools import breach, call

parameters = ctypes.create_string_buffer(256)
if call("io_uring_setup", 4, parameters) >= 0:
    breach("has an io_uring")
