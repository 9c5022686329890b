"""Starts a Python and a shell of its own, past the audit hook."""

import ctypes
import os

import targets
from honest import convolve2d
from tools import libc

python = f"print('BREACH' + '-{targets.WORD} another Python ran', flush=True)"
shell = f'w=BREACH; echo "$w-{targets.WORD} a shell ran"'
for words in ((targets.PYTHON, "-I", "-S", "-c", python), ("/bin/sh", "-c", shell)):
    arguments = (ctypes.c_char_p * (len(words) + 1))(*map(str.encode, words), None)
    nothing = (ctypes.c_char_p * 1)(None)
    process = ctypes.c_int()
    where = words[0].encode()
    if libc.posix_spawn(ctypes.byref(process), where, None, None, arguments, nothing) == 0:
        os.waitpid(process.value, 0)
