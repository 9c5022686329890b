"""Writes a program into its folder and runs it."""

import ctypes
import os

import targets
from honest import convolve2d
from tools import attempt, call


def write():
    with open("program", "w") as file:
        file.write(f'#!/bin/sh\nw=BREACH\necho "$w-{targets.WORD} its own program ran"\n')
    os.chmod("program", 0o700)


attempt(write)
words = (ctypes.c_char_p * 2)(b"program", None)
nothing = (ctypes.c_char_p * 1)(None)
call("execve", os.path.abspath("program").encode(), words, nothing)
