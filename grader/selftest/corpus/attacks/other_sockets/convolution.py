"""Opens sockets to the kernel and to hypervisors: netlink, packet, crypto, vsock."""

import socket

from honest import convolve2d
from tools import attempt, breach

kinds = {
    "netlink": (16, 3, 0),
    "packet": (17, 3, 0),
    "kernel crypto": (38, 5, 0),
    "vsock": (40, 1, 0),
    "raw": (2, 3, 1),
    "bluetooth": (31, 3, 1),
}
for name, kind in kinds.items():
    if attempt(socket.socket, *kind) is not None:
        breach(f"has a {name} socket")
