"""Ends its first thread, so that the files others hold are not found."""

import os
import threading
import time

from tools import breach, call


def fill():
    time.sleep(0.3)
    block = b"x" * (1 << 20)
    for number in range(20):
        descriptor = os.open(f"block{number}", os.O_RDWR | os.O_CREAT)
        os.unlink(f"block{number}")
        for _ in range(8):
            os.write(descriptor, block)
    time.sleep(0.6)
    breach("holds 160 MiB of deleted files")
    time.sleep(10)


threading.Thread(target=fill).start()
call("exit", 0)
