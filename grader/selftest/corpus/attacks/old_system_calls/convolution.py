"""Forks by the 32-bit and x32 doors, whose calls have other numbers."""

import ctypes
import mmap
import os
import platform

from honest import convolve2d
from tools import attempt, breach, libc


def by_interrupt(number):
    # mov eax, number; int 0x80; ret
    code = b"\xb8" + number.to_bytes(4, "little") + b"\xcd\x80\xc3"
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    return function()


def told(child, door):
    if child == 0:
        os._exit(0)
    if child > 0:
        breach(f"forked by {door}")


if platform.machine() == "x86_64":
    libc.syscall.restype = ctypes.c_long
    told(libc.syscall(ctypes.c_long(0x40000000 + 57)), "x32")
    told(attempt(by_interrupt, 2) or -1, "int 0x80")
