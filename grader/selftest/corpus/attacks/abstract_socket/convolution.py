"""Contacts Unix sockets by abstract names, which no file permission guards."""

import socket

import targets
from honest import convolve2d
from tools import attempt


def connect():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.connect(f"\0{targets.ABSTRACT_NAME}")


def send():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"hello", f"\0{targets.ABSTRACT_DATAGRAM_NAME}")


attempt(connect)
attempt(send)
