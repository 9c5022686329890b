"""Looks for the grader's secrets in what it inherited: environment, arguments, descriptors."""

import os
import stat
import sys

from honest import convolve2d
from tools import attempt, breach, read, say

say(repr(dict(os.environ)))
say(repr(sys.orig_argv))
read("/proc/self/environ")
read("/proc/self/cmdline")
for number in range(4, 256):
    about = attempt(os.fstat, number)
    if about is not None and (stat.S_ISSOCK(about.st_mode) or stat.S_ISFIFO(about.st_mode)):
        breach(f"descriptor {number} is open")
