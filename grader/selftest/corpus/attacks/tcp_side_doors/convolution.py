"""Connects by MPTCP and by TCP fast open, which some filters of connections miss."""

import socket

import targets
from honest import convolve2d
from tools import attempt

server = ("127.0.0.1", targets.TCP_PORT)


def by_multipath():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) as channel:
        channel.settimeout(1)
        channel.connect(server)


def by_fast_open():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as channel:
        channel.settimeout(1)
        channel.sendto(b"hello", 0x20000000, server)


attempt(by_multipath)
attempt(by_fast_open)
