"""Takes a lock on a file that every worker can open, as a letter box between them."""

import fcntl
import os

import targets
from honest import convolve2d
from tools import attempt, breach

# Two processes that see one another's locks can talk, so a lock may not outlive its process.
for path in (targets.GUARDED_FILE, targets.EARLIER_REPORT):
    file = attempt(open, path, "r+")
    if file is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        breach(f"locked {os.path.basename(path)}")
