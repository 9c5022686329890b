"""Changes mode, owner and times of a guarded file."""

import os

import targets
from honest import convolve2d
from tools import attempt

attempt(os.chmod, targets.GUARDED_FILE, 0o666)
attempt(os.chmod, targets.GUARDED_FOLDER, 0o777)
attempt(os.utime, targets.GUARDED_FILE, (0, 0))
attempt(os.chown, targets.GUARDED_FILE, 12345, 12345)
