"""Reads the memory of another process with process_vm_readv."""

import ctypes

import targets
from honest import convolve2d
from tools import call, say


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


here = ctypes.create_string_buffer(targets.BYSTANDER_SIZE)
local = Piece(ctypes.addressof(here), targets.BYSTANDER_SIZE)
remote = Piece(targets.BYSTANDER_ADDRESS, targets.BYSTANDER_SIZE)
pieces = ctypes.byref(local), 1, ctypes.byref(remote), 1
if call("process_vm_readv", targets.BYSTANDER_PID, *pieces, 0) > 0:
    say(here.raw)
