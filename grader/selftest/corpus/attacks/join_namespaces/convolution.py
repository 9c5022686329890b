"""Joins the namespaces of other processes."""

import os

import targets
from honest import convolve2d
from tools import attempt, breach, call

for process in (1, targets.BYSTANDER_PID, os.getppid()):
    for kind in ("net", "ipc", "uts", "mnt", "cgroup"):
        descriptor = attempt(os.open, f"/proc/{process}/ns/{kind}", os.O_RDONLY)
        if descriptor is not None and call("setns", descriptor, 0) == 0:
            breach(f"joined the {kind} namespace of process {process}")
