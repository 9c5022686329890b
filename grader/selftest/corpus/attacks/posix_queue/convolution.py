"""Leaves a POSIX message queue for the next worker."""

import os

import targets
from honest import convolve2d
from tools import call

call("mq_open", targets.MARK.encode(), os.O_CREAT | os.O_RDWR, 0o666, None)
