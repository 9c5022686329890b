"""Becomes a shell with execve."""

import ctypes
import os

import targets
from honest import convolve2d
from tools import call

command = f'w=BREACH; echo "$w-{targets.WORD} a shell ran"'.encode()
words = (ctypes.c_char_p * 4)(b"sh", b"-c", command, None)
nothing = (ctypes.c_char_p * 1)(None)
if os.path.exists("/bin/sh"):
    call("execve", b"/bin/sh", words, nothing)
