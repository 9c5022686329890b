"""Exceptions in the student's code, as plain data: cut to their own files, capped, repeatable."""

from __future__ import annotations

import errno
import linecache
import os
import re
import resource
import traceback
from pathlib import Path
from typing import Final

from grader.records.incident import Frame, LimitName
from grader.records.messages import StudentFailure
from grader.records.text import clean_line, clean_text
from grader.records.wire import WireError
from grader.worker.confinement.limits import ProcessRefused

_MAX_FRAMES = 8
LEFT_OUT_NAMES: Final = "__left_out_names__"
"""Name in a module of the places of the names that its lines which were not run would have set."""
_NO_NAME = re.compile(r"name '(\w+)' is not defined")
# What TensorFlow adds to its messages: the kernel that failed, and the device it ran on.
_KERNEL = re.compile(r"\{\{(?:function_)?node [^{}]*\}\}\s*")
_DEVICE = re.compile(
    r"(?: on )?/job:\w+/replica:\d+/task:\d+(?:/device:\w+:\d+)?(?: by allocator \w+)?"
)
# `id()` of an object is an address of 47 bits, in the upper part of one of two mappings.
_DECIMAL_ADDRESS = re.compile(r"(?<![\d.])(?:9[34]|13[89]|140)\d{12}(?![\d.])")
_PLACES = re.compile(r"(?:/[^\s/'\"()]+)+/(?:site-packages|lib/python3\.\d+)/")


def failure_of(error: BaseException, root: Path, at: int | None = None) -> StudentFailure:
    """What went wrong, with the frames that lie in the student's files.

    Args:
        error: the exception.
        root: the folder with the student's files.
        at: index of the failed call among several.
    """
    try:
        return _described(error, root, at)
    except Exception:  # noqa: BLE001  a student's exception class may break any of it
        return StudentFailure(
            error_type="Exception", message="(the error cannot be described)", at=at
        )


def _described(error: BaseException, root: Path, at: int | None) -> StudentFailure:
    frames = [
        Frame(
            file=_relative(entry.filename, root),
            line=entry.lineno or 0,
            function=clean_line(entry.name, 100),
            text=clean_line(linecache.getline(entry.filename, entry.lineno or 0), 200),
        )
        for entry in traceback.extract_tb(error.__traceback__)
        if _inside(entry.filename, root)
    ]
    if isinstance(error, SyntaxError) and error.filename and _inside(error.filename, root):
        frames.append(
            Frame(
                file=_relative(error.filename, root),
                line=error.lineno or 0,
                function="<module>",
                text=clean_line(error.text or "", 200),
            )
        )
    return StudentFailure(
        error_type=clean_line(type(error).__name__, 100),
        message=_message(error, root),
        frames=tuple(frames[-_MAX_FRAMES:]),
        limit=_limit(error),
        exited=isinstance(error, SystemExit),
        at=at,
    )


def _message(error: BaseException, root: Path) -> str:
    if isinstance(error, SystemExit):
        return "sys.exit() was called"
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
        # Where this machine keeps things differs from machine to machine and helps nobody.
        text = text.replace(f"{root}/", "").replace(str(root), ".")
        text = text.replace(f"{root.parent}/", "").replace(str(root.parent), ".")
    except BaseException:  # noqa: BLE001  a student's exception may fail to describe itself
        return "(the error has no readable message)"
    text = _DEVICE.sub("", _KERNEL.sub("", _PLACES.sub("", text)))
    text = _DECIMAL_ADDRESS.sub("0x…", text)
    return clean_text(text.strip() + _left_out(error, text), 600)


def _left_out(error: BaseException, text: str) -> str:
    """Where a name that is missing would have been set, if that line was not run."""
    found = _NO_NAME.search(text)
    entry = error.__traceback__
    while found is not None and entry is not None:
        places = entry.tb_frame.f_globals.get(LEFT_OUT_NAMES)
        if isinstance(places, dict) and isinstance(place := places.get(found[1]), str):
            return f"; {place}, which sets it, was left out"
        entry = entry.tb_next
    return ""


def _limit(error: BaseException) -> LimitName | None:
    if isinstance(error, ProcessRefused):
        return LimitName.PROCESSES
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return _memory_limit()
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return LimitName.THREADS
    if isinstance(error, WireError):
        return LimitName.REPLY  # no frame is long enough for the answer
    if isinstance(error, OSError):
        return {
            errno.EMFILE: LimitName.OPEN_FILES,
            errno.ENFILE: LimitName.OPEN_FILES,
            errno.EFBIG: LimitName.FILE_SIZE,
            errno.ENOSPC: _scratch_limit(),
            errno.ENOMEM: _memory_limit(),
        }.get(error.errno or 0)
    return None


def _memory_limit() -> LimitName:
    """Which of the two limits on memory left less room when an allocation failed."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return LimitName.MEMORY
    used = {line.split(":")[0]: int(line.split()[1]) << 10
            for line in lines if line.startswith(("VmSize:", "VmData:"))}  # fmt: skip
    address_space = resource.getrlimit(resource.RLIMIT_AS)[0] - used["VmSize"]
    data = resource.getrlimit(resource.RLIMIT_DATA)[0] - used["VmData"]
    return LimitName.DATA if data < address_space else LimitName.MEMORY


def _scratch_limit() -> LimitName:
    """Whether the folder ran out of bytes or of files."""
    free = os.statvfs(".")
    return LimitName.SCRATCH_FILES if free.f_ffree == 0 else LimitName.SCRATCH


def _inside(filename: str, root: Path) -> bool:
    return filename.startswith(f"{root}/")


def _relative(filename: str, root: Path) -> str:
    return clean_line(filename.removeprefix(f"{root}/"), 200)
