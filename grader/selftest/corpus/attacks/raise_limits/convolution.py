"""Raises its own limits and the limits of the process that forked it."""

import os
import resource

from honest import convolve2d
from tools import attempt, breach

for kind in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU):
    before = resource.getrlimit(kind)
    unlimited = resource.RLIM_INFINITY
    attempt(
        resource.setrlimit, kind, (before[1], unlimited if kind != resource.RLIMIT_NOFILE else 4096)
    )
    if resource.getrlimit(kind)[1] != before[1]:
        breach(f"raised limit {kind}")
        break
attempt(resource.prlimit, os.getppid(), resource.RLIMIT_NOFILE, (30, 30))
