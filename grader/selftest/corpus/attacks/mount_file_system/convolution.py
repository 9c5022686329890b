"""Mounts file systems and moves its root."""

import os

from honest import convolve2d
from tools import breach, call

os.makedirs("root", exist_ok=True)
if call("unshare", 0x20000) == 0 and call("mount", b"none", b"root", b"tmpfs", 0, None) == 0:
    breach("mounted a file system")
if call("chroot", b"root") == 0:
    breach("moved its root")
