"""Runs a program that lies in no file, by memfd_create and execveat."""

import ctypes
import os

import targets
from honest import convolve2d
from tools import call

descriptor = call("memfd_create", b"program", 0)
if descriptor >= 0:
    os.write(
        descriptor,
        f'#!/bin/sh\nw=BREACH\necho "$w-{targets.WORD} a program in memory ran"\n'.encode(),
    )
    os.lseek(descriptor, 0, 0)
    words = (ctypes.c_char_p * 2)(b"program", None)
    nothing = (ctypes.c_char_p * 1)(None)
    call("execveat", descriptor, b"", words, nothing, 0x1000)
