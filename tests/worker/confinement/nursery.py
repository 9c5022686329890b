"""Started by the tests: runs each script that it is sent in a fork of its own.

The interpreter may lie where only root can read, so what scripts need is imported beforehand.
"""

from __future__ import annotations

import asyncio  # noqa: F401
import ctypes
import encodings.cp437
import encodings.idna  # noqa: F401
import errno
import fcntl  # noqa: F401
import json
import mmap  # noqa: F401
import multiprocessing.popen_fork
import multiprocessing.synchronize  # noqa: F401
import os
import resource  # noqa: F401
import select
import shutil  # noqa: F401
import signal
import socket  # noqa: F401
import sqlite3  # noqa: F401
import subprocess  # noqa: F401
import sys
import tempfile
import threading  # noqa: F401
import time  # noqa: F401
import traceback
import zipfile  # noqa: F401
from concurrent.futures import ThreadPoolExecutor  # noqa: F401
from pathlib import Path  # noqa: F401

from grader.worker.confinement import capabilities, landlock, seccomp  # noqa: F401
from grader.worker.confinement.system_call_table import NUMBERS

ORDINARY_USER = 65534


def become_ordinary():
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(ORDINARY_USER)
        os.setuid(ORDINARY_USER)


def filtered(may_start=False):
    become_ordinary()
    capabilities.no_new_privileges()
    seccomp.install(may_start)


def error_of(function, *arguments, **named):
    try:
        function(*arguments, **named)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def raw(name, *arguments):
    number = NUMBERS[os.uname().machine][name]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    return errno.errorcode[ctypes.get_errno()] if result == -1 else None


def tell(value):
    os.write(told_to, json.dumps(value).encode())


def tried(script):
    """Runs a script in a fork; gives how it ended, what it told and what it printed."""
    global told_to
    reading, told_to = os.pipe()
    with tempfile.TemporaryFile("w+") as printed:
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
            try:
                exec(compile(script, "script", "exec"), globals())
            except BaseException:  # noqa: BLE001  scripts end in any way
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(told_to)
        with os.fdopen(reading) as stream:
            told = stream.read() if select.select([stream], [], [], 60)[0] else ""
        os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        printed.seek(0)
        return status, told, printed.read()


def serve():
    for line in sys.stdin:
        print(json.dumps(tried(json.loads(line))), flush=True)


if __name__ == "__main__":
    serve()
