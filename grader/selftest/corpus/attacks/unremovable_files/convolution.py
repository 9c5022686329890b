"""Leaves folders that cannot be listed and files that cannot be deleted."""

import array
import fcntl
import os

from honest import convolve2d
from tools import attempt

os.makedirs("locked/inside/deeper")
with open("locked/inside/deeper/file", "w") as file:
    file.write("stays")
os.chmod("locked/inside/deeper", 0)
os.chmod("locked/inside", 0)
os.chmod("locked", 0)
kept = os.open("immutable", os.O_CREAT | os.O_RDWR)
attempt(fcntl.ioctl, kept, 0x40086602, array.array("l", [0x10]))
