"""Sets an extended attribute on a guarded file."""

import os

import targets
from honest import convolve2d
from tools import attempt

attempt(os.setxattr, targets.GUARDED_FILE, b"user.mark", b"mark")
