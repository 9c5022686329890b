"""Starts a command with subprocess, os.system and os.fork."""

import os
import subprocess

import targets
from honest import convolve2d
from tools import attempt, breach

command = f'w=BREACH; echo "$w-{targets.WORD} a command ran"'
attempt(subprocess.run, ["/bin/sh", "-c", command])
attempt(os.system, command)
child = attempt(os.fork)
if child == 0:
    breach("forked")
    os._exit(0)
