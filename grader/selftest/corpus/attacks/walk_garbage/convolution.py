"""Looks through all objects for expected answers, seeds and secrets."""

import gc
import socket

import targets
from honest import convolve2d
from tools import breach, say

for thing in gc.get_objects():
    if isinstance(thing, dict):
        for value in list(thing.values()):
            if isinstance(value, str) and value.startswith(targets.SECRET_PREFIX):
                if value != targets.SECRET_PREFIX:
                    say(value)
    elif isinstance(thing, socket.socket) and thing.fileno() > 3:
        breach(f"found a socket on descriptor {thing.fileno()}")
