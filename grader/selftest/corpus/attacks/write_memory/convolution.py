"""Writes into the memory of another process."""

import ctypes

import targets
from honest import convolve2d
from tools import breach, call


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


here = ctypes.create_string_buffer(b"x" * 4)
local = Piece(ctypes.addressof(here), 4)
remote = Piece(targets.BYSTANDER_ADDRESS, 4)
pieces = ctypes.byref(local), 1, ctypes.byref(remote), 1
if call("process_vm_writev", targets.BYSTANDER_PID, *pieces, 0) > 0:
    breach("wrote into another process")
