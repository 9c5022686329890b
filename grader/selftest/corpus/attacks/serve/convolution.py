"""Waits for connections from outside."""

import socket

from honest import convolve2d
from tools import attempt, breach


def listen():
    channel = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    channel.bind(("0.0.0.0", 0))
    channel.listen()
    return channel


if attempt(listen) is not None:
    breach("waits for connections")
