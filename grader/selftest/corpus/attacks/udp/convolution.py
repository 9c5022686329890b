"""Sends a packet to a UDP server on this machine."""

import socket

import targets
from honest import convolve2d
from tools import attempt


def send():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"seeds, please", ("127.0.0.1", targets.UDP_PORT))


attempt(send)
