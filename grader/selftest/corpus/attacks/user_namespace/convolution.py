"""Becomes root in a user namespace of its own."""

from honest import convolve2d
from tools import breach, call

for name, flag in (("user", 0x10000000), ("network", 0x40000000), ("mount", 0x20000)):
    if call("unshare", flag) == 0:
        breach(f"has a {name} namespace of its own")
