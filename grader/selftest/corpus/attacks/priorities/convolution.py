"""Changes priority, cores and limits of another process."""

import os
import resource

import targets
from honest import convolve2d
from tools import attempt, call

other = targets.BYSTANDER_PID
attempt(os.setpriority, os.PRIO_PROCESS, other, 19)
attempt(os.sched_setaffinity, other, {0})
attempt(resource.prlimit, other, resource.RLIMIT_NOFILE, (5, 5))
call("ioprio_set", 1, other, 3 << 13)
file = attempt(open, f"/proc/{other}/oom_score_adj", "w")
if file is not None:
    attempt(file.write, "1000")
    attempt(file.close)
