"""Keeps a key in the kernel's keyring, where the next worker finds it."""

import targets
from honest import convolve2d
from tools import breach, call

for keyring in (-4, -5):
    key = call("add_key", b"user", targets.MARK.encode(), b"letter", 6, keyring)
    if key > 0:
        call("keyctl", 15, key, 5, 0, 0)
        breach("left a key in a keyring")
