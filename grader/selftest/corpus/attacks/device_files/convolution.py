"""Makes device nodes for the disks and memory, and reads those."""

import os
import stat

from honest import convolve2d
from tools import attempt, breach

for name, major, minor in (("mem", 1, 1), ("kmsg", 1, 11), ("disk", 254, 0), ("sda", 8, 0)):
    attempt(
        os.mknod,
        name,
        stat.S_IFBLK | 0o600 if name in {"disk", "sda"} else stat.S_IFCHR | 0o600,
        os.makedev(major, minor),
    )
    descriptor = attempt(os.open, name, os.O_RDONLY | os.O_NONBLOCK)
    if descriptor is not None:
        breach(f"opened the device {name}")
for path in ("/dev/tty", "/dev/kmsg", "/dev/mem", "/dev/vda", "/dev/sda", "/dev/fuse"):
    if attempt(os.open, path, os.O_RDONLY | os.O_NONBLOCK) is not None:
        breach(f"opened {path}")
