"""The system-call filter: an allow-list, and the program for it that the kernel runs.

A filter is a program in classic BPF that sees a call's number and its six arguments, but nothing
that these point to. Sources: seccomp(2), linux/seccomp.h, linux/filter.h, linux/audit.h.

The list holds what Python, NumPy, TensorFlow, Keras and Gymnasium need to build, train, save and
load networks, found by tracing them, and what ordinary Python does with files in its own folder,
threads, time and pipes. It matters most where Landlock is silent: file modes, owners and times,
signals, priorities, limits of other processes, sockets other than TCP, memory that counts as
nobody's.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from grader.worker.confinement.system_call_table import NUMBERS
from grader.worker.confinement.system_calls import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    system_call,
)

_SET_MODE_FILTER: Final = 1

# What a filter answers, by linux/seccomp.h.
_KILL_PROCESS: Final = 0x80000000
_ERRNO: Final = 0x00050000
_ALLOW: Final = 0x7FFF0000
_DENY: Final = _ERRNO | errno.EPERM
_ABSENT: Final = _ERRNO | errno.ENOSYS
_UNSUPPORTED: Final = _ERRNO | errno.ENOTSUP
_PRETEND: Final = _ERRNO | 0
"""The call succeeds and does nothing."""

_AUDIT_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32: Final = 0x40000000
"""From here on x86_64 counts the calls of its 32-bit sibling."""

_ALLOWED: Final = """
    read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek sendfile
    copy_file_range creat close dup dup2 dup3 flock fsync fdatasync
    ftruncate fallocate fadvise64 stat lstat fstat newfstatat statx statfs fstatfs
    access faccessat faccessat2 readlink readlinkat getcwd chdir fchdir getdents getdents64
    mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat
    umask

    brk mmap munmap mremap mprotect madvise msync membarrier

    futex futex_waitv set_robust_list set_tid_address rseq sched_yield restart_syscall exit
    exit_group

    poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
    epoll_pwait2 eventfd eventfd2 pipe pipe2 timerfd_create timerfd_settime timerfd_gettime
    shutdown getsockname

    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait
    sigaltstack pause

    time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep times alarm getitimer
    setitimer

    getpid getppid gettid getpgrp getpgid getsid getuid geteuid getgid getegid getresuid
    getresgid getgroups getpriority getrlimit getrusage getcpu getrandom sysinfo uname
    sched_getaffinity sched_getscheduler sched_getparam sched_get_priority_max
    sched_get_priority_min
"""
"""Calls that are allowed whatever their arguments."""

_ALLOWED_WITH_PROCESSES: Final = "fork vfork wait4 waitid"

_PRETENDED: Final = "chmod fchmod fchmodat"
"""`shutil.copy` and the like end with these. Landlock lets them reach any file of the same user."""

_ATTRIBUTES: Final = """
    getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr setxattr lsetxattr fsetxattr
    removexattr lremovexattr fremovexattr
"""
"""Extended attributes, which Python expects not every file system to have."""

_FALLEN_BACK_FROM: Final = "clone3 openat2"
"""The C library makes do without, where it is told that they do not exist. What they are asked
for lies in memory, where a filter does not see it."""


class _OwnPid:
    """Stands for the number of the process that installs the filter."""


_OWN_PID: Final = _OwnPid()


@dataclass(frozen=True)
class _Is:
    """Holds where 32 bits of an argument, seen through a mask, have a value.

    The kernel takes numbers and flags from the lower half of their argument, and so must a filter.
    """

    argument: int
    value: int | _OwnPid
    mask: int = 0xFFFFFFFF
    upper_half: bool = False
    differs: bool = False
    """Holds where the value is another one."""


@dataclass(frozen=True)
class _Rule:
    """What is answered where all of one of the tuples holds, and where none does."""

    cases: tuple[tuple[_Is, ...], ...]
    answer: int = _ALLOW
    otherwise: int = _DENY


def _where(*cases: tuple[_Is, ...]) -> _Rule:
    return _Rule(cases)


def _null(argument: int) -> tuple[_Is, _Is]:
    return _Is(argument, 0), _Is(argument, 0, upper_half=True)


def _one_of(argument: int, *values: int) -> _Rule:
    return _Rule(tuple((_Is(argument, value),) for value in values))


_CLONE_THREAD: Final = 0x00010000
_CLONE_FS: Final = 0x00000200
_CLONE_FILES: Final = 0x00000400
# Not those of linux/sched.h that make a namespace, a sibling or a descriptor of the new process,
# or have it traced.
_CLONE_PIDFD: Final = 0x00001000
_CLONE_PTRACE: Final = 0x00002000
_CLONE_PARENT: Final = 0x00008000
_CLONE_NEVER: Final = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID
    | CLONE_NEWNET | _CLONE_PIDFD | _CLONE_PTRACE | _CLONE_PARENT
)  # fmt: skip
_CLONE_SHARED: Final = _CLONE_THREAD | _CLONE_FS | _CLONE_FILES
_CLOSE_RANGE_CLOEXEC: Final = 4
_O_WRONLY: Final = 0o1
_O_RDWR: Final = 0o2
_O_ACCMODE: Final = 0o3
_O_TRUNC: Final = 0o1000
_RLIMIT_FSIZE: Final = 1
_AF_UNIX: Final = 1
_SOL_SOCKET: Final = 1
_SIGKILL: Final = 9


def _opening(flags: int) -> _Rule:
    """Lets a file be emptied only where it is opened for writing.

    Landlock does not look at more than that before its third version, and what may only be read
    may belong to the same user.
    """
    return _where(
        (_Is(flags, 0, mask=_O_TRUNC),),
        (_Is(flags, _O_WRONLY, mask=_O_ACCMODE),),
        (_Is(flags, _O_RDWR, mask=_O_ACCMODE),),
    )


_RULES: Final = {
    # A thread with descriptors of its own would have a limit of its own on their number.
    "clone": _where((_Is(0, _CLONE_SHARED, mask=_CLONE_SHARED | _CLONE_NEVER),)),
    "close_range": _one_of(2, 0, _CLOSE_RANGE_CLOEXEC),
    "open": _opening(1),
    "openat": _opening(2),
    # Nobody kills himself by the one signal that cannot be caught: a worker that ended by it was
    # ended from outside, and its mark is withheld.
    "kill": _where((_Is(0, _OWN_PID), _Is(1, _SIGKILL, differs=True))),
    "tgkill": _where((_Is(0, _OWN_PID), _Is(2, _SIGKILL, differs=True))),
    "rt_sigqueueinfo": _where((_Is(0, _OWN_PID), _Is(1, _SIGKILL, differs=True))),
    # F_DUPFD to F_SETLKW, F_OFD_GETLK to F_OFD_SETLKW, F_DUPFD_CLOEXEC, F_GETPIPE_SZ: nothing
    # that sends signals, takes leases or watches folders.
    "fcntl": _one_of(1, *range(8), *range(36, 39), 1030, 1032),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, TCGETS2.
    "ioctl": _one_of(1, 0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A),
    # PR_SET_NAME, PR_GET_NAME: what threads are called.
    "prctl": _one_of(0, 15, 16),
    # ARCH_GET_XCOMP_SUPP, ARCH_GET_XCOMP_PERM, ARCH_REQ_XCOMP_PERM: the matrix unit of a processor.
    "arch_prctl": _one_of(0, 0x1021, 0x1022, 0x1023),
    # A look at one's own limits, or a tighter limit on the size of files.
    "prlimit64": _where(
        (_Is(0, 0), *_null(2)),
        (_Is(0, _OWN_PID), *_null(2)),
        (_Is(0, 0), _Is(1, _RLIMIT_FSIZE)),
    ),
    # `shutil.copy2` ends with setting given times: nothing happens. `Path.touch` asks for the
    # present time, and makes the file once it is told that this did not succeed.
    "utimensat": _Rule((_null(2),), answer=_DENY, otherwise=_PRETEND),
    # Event loops wake themselves by a pair; through neither end does anything reach an address.
    "socketpair": _one_of(0, _AF_UNIX),
    # SO_TYPE, SO_ERROR, SO_SNDBUF, SO_RCVBUF, SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN: what Python
    # asks of a socket. Others tell who is at the other end, or give a descriptor of it.
    "getsockopt": _where(
        *((_Is(1, _SOL_SOCKET), _Is(2, option)) for option in (3, 4, 7, 8, 30, 38, 39))
    ),
    "sendto": _where(_null(4)),
    "recvfrom": _where(_null(4)),
}

_CLONE_WITH_PROCESSES: Final = _where(
    (_Is(0, _CLONE_SHARED, mask=_CLONE_SHARED | _CLONE_NEVER),),
    (_Is(0, 0, mask=_CLONE_THREAD | _CLONE_NEVER),),
)


_Answer = int | _Rule


def _policy(machine: str, *, may_start: bool) -> dict[int, _Answer]:
    """Answers by number, for the calls that the machine has."""
    answers: dict[str, _Answer] = dict.fromkeys(NUMBERS["x86_64"], _DENY)
    listed = [
        (_ALLOWED, _ALLOW),
        (_ALLOWED_WITH_PROCESSES, _ALLOW if may_start else _DENY),
        (_PRETENDED, _PRETEND),
        (_ATTRIBUTES, _UNSUPPORTED),
        (_FALLEN_BACK_FROM, _ABSENT),
    ]
    for names, answer in listed:
        answers.update(dict.fromkeys(names.split(), answer))
    answers.update(_RULES)
    if may_start:
        answers["clone"] = _CLONE_WITH_PROCESSES
    return {number: answers[name] for name, number in NUMBERS[machine].items()}


class _Instruction(NamedTuple):
    """`struct sock_filter`; the jumps count the instructions to pass over."""

    code: int
    operand: int | _OwnPid
    if_true: int = 0
    if_false: int = 0


# linux/bpf_common.h: load a word of the call's data, and with a constant, jump, jump if equal,
# jump if greater or equal, return.
_LOAD: Final = 0x20
_AND: Final = 0x54
_JUMP: Final = 0x05
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06

# Places in `struct seccomp_data`, on a little-endian machine.
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16


def _program(machine: str, *, may_start: bool) -> list[_Instruction]:
    answers = _policy(machine, may_start=may_start)
    beyond = max(answers) + 1
    code = [
        _Instruction(_LOAD, _ARCHITECTURE),
        _Instruction(_JUMP_EQUAL, _AUDIT_ARCH[machine], if_true=1),
        _Instruction(_RETURN, _KILL_PROCESS),
        _Instruction(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        code += [
            _Instruction(_JUMP_AT_LEAST, _X32, if_false=1),
            _Instruction(_RETURN, _KILL_PROCESS),
        ]
    segments: list[tuple[int, _Answer]] = []
    for number in range(beyond):
        answer = answers.get(number, _DENY)
        if not segments or segments[-1][1] != answer:
            segments.append((number, answer))
    # Libraries try newer calls first and go by this error, not by a refusal.
    return [*code, *_search([*segments, (beyond, _ABSENT)])]


def _search(segments: list[tuple[int, _Answer]]) -> list[_Instruction]:
    """Finds the call's segment by halving; each begins at a number and ends at the next."""
    if len(segments) == 1:
        return _leaf(segments[0][1])
    middle = len(segments) // 2
    below, above = _search(segments[:middle]), _search(segments[middle:])
    # The distance of a conditional jump has eight bits only.
    return [
        _Instruction(_JUMP_AT_LEAST, segments[middle][0], if_false=1),
        _Instruction(_JUMP, len(below)),
        *below,
        *above,
    ]


def _leaf(answer: _Answer) -> list[_Instruction]:
    if isinstance(answer, int):
        return [_Instruction(_RETURN, answer)]
    code: list[_Instruction] = []
    for conditions in answer.cases:
        code += _return_where(conditions, answer.answer)
    return [*code, _Instruction(_RETURN, answer.otherwise)]


def _return_where(conditions: tuple[_Is, ...], answer: int) -> list[_Instruction]:
    code = [_Instruction(_RETURN, answer)]
    for condition in reversed(conditions):
        word = _ARGUMENTS + 8 * condition.argument + (4 if condition.upper_half else 0)
        code = [
            _Instruction(_LOAD, word),
            _Instruction(_AND, condition.mask),
            _jump_past(condition, len(code)),
            *code,
        ]
    return code


def _jump_past(condition: _Is, distance: int) -> _Instruction:
    """Passes over so many instructions where the condition does not hold."""
    if condition.differs:
        return _Instruction(_JUMP_EQUAL, condition.value, if_true=distance)
    return _Instruction(_JUMP_EQUAL, condition.value, if_false=distance)


@cache
def _assembled(machine: str, may_start: bool) -> tuple[bytes, tuple[int, ...]]:
    """The program's bytes, and where in them the process's own number belongs."""
    packed, places = bytearray(), []
    for code, operand, if_true, if_false in _program(machine, may_start=may_start):
        if isinstance(operand, _OwnPid):
            places.append(len(packed) + 4)
            operand = 0
        packed += struct.pack("<HBBI", code, if_true, if_false, operand)
    return bytes(packed), tuple(places)


def supported(machine: str) -> bool:
    """Whether there is a filter for a machine, named as `os.uname()` names it."""
    return machine in _AUDIT_ARCH


def filter_program(machine: str, *, may_start: bool, pid: int) -> bytes:
    """The filter as an array of `struct sock_filter`.

    All but the process's number is built once; who forks many processes that install a filter
    calls this before.

    Args:
        machine: one that is `supported`.
        may_start: whether processes may be forked. Programs can never be executed, and signals
            be sent to none but the process with the number `pid`.
        pid: the number of the process that the filter is for, as the process itself sees it.
    """
    packed, places = _assembled(machine, may_start)
    patched = bytearray(packed)
    for place in places:
        struct.pack_into("<I", patched, place, pid)
    return bytes(patched)


def install(may_start: bool) -> None:
    """Puts this thread, and what it starts, behind the filter, for good.

    The process must have one thread, since the others would stay outside, and must have called
    `no_new_privileges`. Landlock comes first: the filter refuses it.

    Args:
        may_start: whether processes may be forked.

    Raises:
        OSError: the kernel refuses, or there is no filter for this machine; the grader's operator
            must act.
    """
    machine = os.uname().machine
    if sys.platform != "linux" or sys.maxsize < 1 << 32 or not supported(machine):
        raise OSError(
            errno.ENOTSUP, f"no system-call filter for {sys.platform} on {machine} is known"
        )
    code = filter_program(machine, may_start=may_start, pid=os.getpid())
    instructions = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions))
    system_call(
        "installing the system-call filter",
        NUMBERS[machine]["seccomp"], _SET_MODE_FILTER, 0, program,
    )  # fmt: skip
