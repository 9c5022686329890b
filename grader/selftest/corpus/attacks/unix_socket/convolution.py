"""Connects to a Unix socket by its path, as of a database or a container daemon."""

import socket

import targets
from honest import convolve2d
from tools import attempt


def connect(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.connect(path)


for path in (targets.UNIX_PATH, "/run/docker.sock", "/run/dbus/system_bus_socket"):
    attempt(connect, path)
