"""Opens bpf, performance counters, userfaultfd and other rarely used interfaces."""

import ctypes

from honest import convolve2d
from tools import breach, call

attributes = ctypes.create_string_buffer(128)
for number, value in ((0, 1), (4, 4), (8, 4), (12, 1)):
    attributes[number] = value
if call("bpf", 0, attributes, 72) >= 0:
    breach("made a bpf map")
events = ctypes.create_string_buffer(128)
events[0], events[4] = 1, 112
if call("perf_event_open", events, 0, -1, -1, 0) >= 0:
    breach("counts performance events")
if call("userfaultfd", 0) >= 0 or call("userfaultfd", 1) >= 0:
    breach("handles page faults")
