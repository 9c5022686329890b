"""Makes files until the disk takes no more of them."""

import os
import time

from honest import convolve2d
from tools import breach

made = 0
try:
    for made in range(8000):
        os.close(os.open(f"f{made}", os.O_CREAT | os.O_WRONLY))
except OSError:
    pass
time.sleep(0.5)
if made >= 7999:
    breach("made 8000 files")
