"""Reaches guarded files by way of /proc/PID/root, cwd and fd of other processes."""

import targets
from honest import convolve2d
from tools import read

process = f"/proc/{targets.BYSTANDER_PID}"
read(f"{process}/cwd/secret.txt")
read(f"{process}/fd/{targets.BYSTANDER_DESCRIPTOR}")
read(f"{process}/root{targets.GUARDED_FILE}")
read(f"/proc/1/root{targets.GUARDED_FILE}")
