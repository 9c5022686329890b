"""Leaves a .pth file and a sitecustomize.py for the next interpreter."""

import os
import site

import targets
from honest import convolve2d
from tools import attempt

# Harmless on purpose: what counts is that the file could have been written.
for folder in (targets.SITE_PACKAGES, site.getusersitepackages()):
    for name in (f"{targets.MARK}.pth", f"sitecustomize_{targets.MARK}.py"):
        file = attempt(open, os.path.join(folder, name), "w")
        if file is not None:
            file.write("# a .pth file runs at every start of Python")
            file.close()
