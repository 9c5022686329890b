"""Leaves a note for the second worker of the same submission."""

import os

import targets
from honest import DQNAgent
from tools import breach, leave_mark

# The second worker is there to find out whether an agent repeats itself by itself.
folders = {targets.TEMPORARY, "/dev/shm", "/var/tmp", "/tmp", os.environ.get("KERAS_HOME", "/")}
if any(os.path.exists(os.path.join(folder, targets.MARK)) for folder in folders):
    breach("found what another worker left")
for folder in folders:
    leave_mark(folder)
