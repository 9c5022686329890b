"""Watches a guarded folder with inotify and fanotify."""

import targets
from honest import convolve2d
from tools import breach, call

descriptor = call("inotify_init1", 0)
if (
    descriptor >= 0
    and call("inotify_add_watch", descriptor, targets.GUARDED_FOLDER.encode(), 0xFFF) > 0
):
    breach("inotify watches the guarded folder")
if call("fanotify_init", 0, 0) >= 0:
    breach("fanotify is open")
