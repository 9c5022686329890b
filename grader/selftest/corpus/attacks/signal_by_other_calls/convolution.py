"""Signals another process by tgkill, rt_sigqueueinfo and pidfd_send_signal."""

import ctypes
import signal

import targets
from honest import convolve2d
from tools import call

other = targets.BYSTANDER_PID
call("tgkill", other, other, int(signal.SIGURG))
about = (ctypes.c_int * 32)(int(signal.SIGURG), 0, -1)
call("rt_sigqueueinfo", other, int(signal.SIGURG), about)
process = call("pidfd_open", other, 0)
if process >= 0:
    call("pidfd_send_signal", process, int(signal.SIGURG), None, 0)
