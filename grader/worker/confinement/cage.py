"""The fork server's cage: namespaces in which nothing is mounted that it does not need.

Workers are forked inside it, so that whatever a worker might break out of, there is no file of
the machine's users, no other process and no network beyond.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from grader.worker.confinement import system_calls as calls
from grader.worker.confinement.mounts import bind, make_private, place_for, read_only
from grader.worker.confinement.namespaces import (
    STUDENT_ID,
    end_with_parent,
    enter_user_namespace,
    separate,
)
from grader.worker.confinement.places import DEVICES, Places
from grader.worker.confinement.rooms import SCRATCH, Rooms, keep_rooms

HOME: Final = "/home"
"""An empty folder nobody can write to: no settings of anybody's are read from it."""
ACCOUNTS: Final = "/etc"
"""A folder with what programs look up about users and hosts, made up."""
_ACCOUNTS: Final = {
    "/etc/passwd": f"student:x:{STUDENT_ID}:{STUDENT_ID}::{SCRATCH}:/\n",
    "/etc/group": f"student:x:{STUDENT_ID}:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
}


def enter(
    places: Places,
    mount_point: str,
    body: Callable[[Rooms], NoReturn],
    *,
    started: Callable[[], None] = lambda: None,
    refused: Callable[[BaseException], None],
) -> int:
    """Runs `body` inside a new cage and waits for it.

    The calling process must be single-threaded and unprivileged. It moves into a user namespace
    of its own, and keeps its file system.

    Args:
        places: what must be readable inside.
        mount_point: an empty folder; what is mounted on it is seen by no other process.
        body: runs in a process of its own, with the cage as its root, and can have rooms made for
            others; never returns.
        started: called in this process when the cage's init has been started.
        refused: called in the cage's init with the error that kept it from being built.

    Returns:
        The exit code of the cage's init.

    Raises:
        OSError: the machine refuses a namespace or a mount.
    """
    enter_user_namespace()
    calls.unshare(calls.CLONE_NEWPID, "a process namespace")
    init = os.fork()
    if init == 0:
        try:
            end_with_parent()
            separate()  # here and not before: the calling process keeps its view of the machine
            build_root(places, mount_point)
            _fork_off(body)
        except BaseException as error:  # noqa: BLE001  a forked process must end here
            refused(error)
        finally:
            os._exit(70)
    started()
    return os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])


def _fork_off(body: Callable[[Rooms], NoReturn]) -> NoReturn:
    """Runs `body` in a child; this process, the cage's init, keeps rooms until that ends."""
    asking, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        answering.close()
        body(Rooms(asking))
    # Whatever else is open here belongs to the child.
    service = os.dup2(answering.fileno(), 0)
    os.closerange(1, 1 << 20)
    keep_rooms(socket.socket(fileno=service))


def build_root(places: Places, root: str) -> None:
    """Builds a read-only root of nothing but `places` and makes it this process's own.

    Args:
        places: what to show, at the paths where it lies.
        root: an empty folder to build on.

    Raises:
        OSError: the machine refuses a mount.
    """
    make_private()
    calls.mount("tmpfs", root, "tmpfs", calls.MS_NOSUID | calls.MS_NODEV, "mode=755,size=1m")
    for path in places.libraries:
        place_for(root + path, is_folder=True)
        bind(path, root + path)
        read_only(root + path)
    if any(places.package.startswith(f"{path}/") for path in places.libraries):
        calls.mount("tmpfs", root + places.package, "tmpfs", calls.MS_NOSUID | calls.MS_NODEV,
                    "mode=755,size=64k")  # fmt: skip
    for path in (*places.parts, *DEVICES):
        place_for(root + path, is_folder=Path(path).is_dir())
        bind(path, root + path)
    for path in places.parts:
        read_only(root + path)
    for path, leads_to in places.links:
        place_for(root + path, is_folder=True)
        Path(root + path).rmdir()
        Path(root + path).symlink_to(leads_to)
    for path in ("/proc", "/tmp", "/dev/shm", HOME, SCRATCH):  # noqa: S108  where programs look
        place_for(root + path, is_folder=True)
    for path, text in _ACCOUNTS.items():
        place_for(root + path, is_folder=False)
        Path(root + path).write_text(text)
    Path(f"{root}/dev/fd").symlink_to("/proc/self/fd")
    # Imports of TensorFlow look for a temporary folder; each worker's own covers it.
    temporary = f"{root}/tmp"  # noqa: S108  inside the cage
    calls.mount("tmpfs", temporary, "tmpfs", calls.MS_NOSUID | calls.MS_NODEV,
                "mode=700,size=1m")  # fmt: skip
    calls.mount("proc", f"{root}/proc", "proc",
                calls.MS_NOSUID | calls.MS_NODEV | calls.MS_NOEXEC)  # fmt: skip
    _become_root(root)


def _become_root(root: str) -> None:
    os.chdir(root)
    # With both names the same the old root lies on top of the new one, and needs no folder in it.
    calls.pivot_root(".", ".")
    calls.detach(".")
    os.chdir("/")
    read_only("/", recursive=False)
