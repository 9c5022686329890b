"""Gives itself priority over everybody else."""

import os

from honest import convolve2d
from tools import attempt, breach

attempt(os.setpriority, os.PRIO_PROCESS, 0, -20)
if attempt(os.getpriority, os.PRIO_PROCESS, 0) == -20:
    breach("runs with the highest priority")
attempt(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(50))
if attempt(os.sched_getscheduler, 0) == os.SCHED_FIFO:
    attempt(os.sched_setscheduler, 0, os.SCHED_OTHER, os.sched_param(0))
    breach("runs in real time")
