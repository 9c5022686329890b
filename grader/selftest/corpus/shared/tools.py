"""What attacks share: a word to say on success, and system calls that pass Python by."""

import ctypes
import os
import platform

import targets

libc = ctypes.CDLL(None, use_errno=True)

# Number on x86_64, number on aarch64; one number where they agree.
NUMBERS = {
    "fork": (57, None),
    "execve": (59, 221),
    "kill": (62, 129),
    "ptrace": (101, 117),
    "setpriority": (141, 140),
    "mount": (165, 40),
    "chroot": (161, 51),
    "add_key": (248, 217),
    "keyctl": (250, 219),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "mq_open": (240, 180),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "semget": (64, 190),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "memfd_create": (319, 279),
    "bpf": (321, 280),
    "execveat": (322, 281),
    "userfaultfd": (323, 282),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "exit": (60, 93),
    "close_range": 436,
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "pidfd_open": 434,
    "pidfd_getfd": 438,
    "ioprio_set": (251, 30),
    "setxattr": (188, 5),
}

_COLUMN = 0 if platform.machine() == "x86_64" else 1


def breach(how):
    """Says that the attack succeeded; the word is put together here and stands in no file."""
    say(f"{'BREACH'}-{targets.WORD} {how}\n")


def say(text):
    """Prints without Python's own streams, so that forked processes can do it too."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    os.write(1, data[:4000])


def call(name, *arguments):
    """A system call by name; answers -errno for an error."""
    number = NUMBERS[name]
    number = number if isinstance(number, int) else number[_COLUMN]
    if number is None:
        return -38
    libc.syscall.restype = ctypes.c_long
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *converted)
    return -ctypes.get_errno() if result == -1 else result


def fork():
    """A fork that no audit hook of Python sees; -1 where it is refused."""
    return libc.fork()


def attempt(function, *arguments):
    """Calls a function and answers None for any error: a refusal is what most attacks get."""
    try:
        return function(*arguments)
    except Exception:
        return None


def read(path):
    """Reads a file with system calls and prints it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    data = os.read(descriptor, 4000)
    os.close(descriptor)
    say(data)
    return data


def leave_mark(folder, content=b"mark"):
    """Writes a file that the trap looks for, into any folder."""
    try:
        with open(os.path.join(folder, targets.MARK), "wb") as file:
            file.write(content)
    except OSError:
        return False
    return True
