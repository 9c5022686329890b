"""Runs a command on a machine that has less: `poorer_machine.py WHAT... -- COMMAND...`.

WHAT is one of

    no-user-namespaces   as with `user.max_user_namespaces = 0`, set for real
    no-other-users       root of a container that was given a single user
    covered-proc         a part of /proc is covered, as container engines do
    CALL=ERROR           a system call answers an error, as a filter or another kernel has it
    user=ID              the command runs as an ordinary user; libraries are brought within reach

They are put into force in the order given.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from pathlib import Path

from grader.worker.confinement import mounts, user
from grader.worker.confinement import system_calls as calls
from grader.worker.confinement.capabilities import no_new_privileges
from grader.worker.confinement.places import needed_places
from grader.worker.confinement.system_call_table import NUMBERS

NEWER = {"landlock_create_ruleset": 444}
LOAD, AND, JUMP_EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
FIRST_ARGUMENT = 16


def enter_user_namespace(all_users=True):
    """One where everybody keeps their number; only from outside can root map all of them."""
    maps = {"uid_map": os.getuid(), "gid_map": os.getgid()}
    waiting, entered = os.pipe()
    process, is_root = os.getpid(), os.getuid() == 0
    helper = os.fork()
    if helper == 0:
        os.read(waiting, 1)
        if not is_root:
            Path(f"/proc/{process}/setgroups").write_text("deny")
        for file, own in maps.items():
            line = "0 0 4294967295" if is_root and all_users else f"{own} {own} 1"
            Path(f"/proc/{process}/{file}").write_text(line)
        os._exit(0)
    calls.unshare(calls.CLONE_NEWUSER, "a user namespace")
    os.write(entered, b"x")
    assert os.waitpid(helper, 0)[1] == 0


def no_user_namespaces():
    enter_user_namespace()
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def covered_proc():
    if os.getuid() != 0:
        enter_user_namespace()
    calls.unshare(calls.CLONE_NEWNS, "a mount namespace")
    mounts.make_private()
    mounts.bind("/dev/null", "/proc/version")


def refuse(name, error):
    """A filter that answers an error to one call; of `unshare`, to user namespaces alone."""
    number = NUMBERS[os.uname().machine].get(name) or NEWER[name]
    answer = (RETURN, 0, 0, ERRNO | getattr(errno, error))
    if name == "unshare":
        condition = [(LOAD, 0, 0, FIRST_ARGUMENT), (AND, 0, 0, calls.CLONE_NEWUSER),
                     (JUMP_EQUAL, 1, 0, 0), answer]  # fmt: skip
    else:
        condition = [answer]
    program = [(LOAD, 0, 0, 0), (JUMP_EQUAL, 0, len(condition), number), *condition,
               (RETURN, 0, 0, ALLOW)]  # fmt: skip
    packed = b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
    code = ctypes.create_string_buffer(packed, len(packed))
    no_new_privileges()
    calls.system_call(
        "installing a filter", NUMBERS[os.uname().machine]["seccomp"], 1, 0,
        struct.pack("@HP", len(program), ctypes.addressof(code)),
    )  # fmt: skip


def become(number):
    places = needed_places()
    programs = {str(Path(sys.executable).parent), str(Path(sys.executable).resolve().parent),
                str(Path(places.package).parent), sys.prefix}  # fmt: skip
    wanted = sorted({*places.all(), *programs})
    user.open_the_way(
        [path for path in wanted if not any(path.startswith(f"{other}/") for other in wanted)],
        number,
    )
    os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)
    calls.prctl("PR_SET_DUMPABLE", calls.PR_SET_DUMPABLE, 1)  # or /proc/self belongs to root


def main():
    split = sys.argv.index("--")
    for what in sys.argv[1:split]:
        name, _, value = what.partition("=")
        if name == "no-user-namespaces":
            no_user_namespaces()
        elif name == "no-other-users":
            enter_user_namespace(all_users=False)
        elif name == "covered-proc":
            covered_proc()
        elif name == "user":
            become(int(value))
        else:
            refuse(name, value)
    os.execv(sys.argv[split + 1], sys.argv[split + 1 :])


if __name__ == "__main__":
    main()
