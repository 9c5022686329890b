"""Connects to a TCP server on this machine."""

import socket

import targets
from honest import convolve2d
from tools import attempt

attempt(socket.create_connection, ("127.0.0.1", targets.TCP_PORT), 2)
