from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from grader.worker.confinement import seccomp
from grader.worker.confinement.system_call_table import NUMBERS

_installable = pytest.mark.skipif(
    sys.platform != "linux" or not seccomp.supported(os.uname().machine),
    reason="no filter for this machine",
)

_NEVER_LISTED = """
    execve execveat ptrace process_vm_readv process_vm_writev process_madvise kcmp memfd_create
    memfd_secret shmget shmat shmctl semget semop msgget msgsnd mq_open mq_unlink
    io_uring_setup io_uring_enter io_uring_register io_setup keyctl add_key request_key unshare
    setns mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick
    mount_setattr swapon swapoff bpf perf_event_open userfaultfd seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self chown lchown fchown
    fchownat mknod mknodat truncate sync syncfs acct quotactl name_to_handle_at
    open_by_handle_at inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark
    setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr sched_setaffinity
    setrlimit mlock mlockall mbind set_mempolicy migrate_pages move_pages setuid setgid
    setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset setsid setpgid
    personality tkill rt_tgsigqueueinfo pidfd_open pidfd_getfd pidfd_send_signal socket connect
    bind listen accept accept4 sendmsg recvmsg sendmmsg recvmmsg setsockopt splice tee vmsplice
    syslog reboot kexec_load kexec_file_load init_module finit_module delete_module iopl ioperm
    modify_ldt settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname
    vhangup lookup_dcookie utime utimes futimesat
"""
_NEVER = _NEVER_LISTED.split()

_FORKING = ["fork", "vfork", "wait4", "waitid"]

_REFUSED_HERE = [
    call for call in (*_NEVER, *_FORKING, "clone") if call in NUMBERS.get(os.uname().machine, {})
]

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_REFUSE = 0x00050000 | errno.EPERM
_ABSENT = 0x00050000 | errno.ENOSYS
_PRETEND = 0x00050000

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_PID = 4321
_UPPER = 1 << 32

_CLONE_THREAD = 0x00010000
_THREAD = 0x003D0F00  # what pthread_create asks for, CLONE_THREAD included
_FORK = 0x01200011  # what fork asks for
_NEW = {
    "ns": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000,
    "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000,
}  # fmt: skip


def _evaluate(program: bytes, number: int, arguments: tuple[int, ...], architecture: int) -> int:
    """What the kernel's interpreter of classic BPF would return."""
    words = [number, architecture, 0, 0]
    for value in (*arguments, 0, 0, 0, 0, 0, 0)[:6]:
        words += [value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF]
    accumulator = place = 0
    while True:
        size = 8
        code = int.from_bytes(program[place * size : place * size + 2], "little")
        if_true, if_false = program[place * size + 2 : place * size + 4]
        operand = int.from_bytes(program[place * size + 4 : place * size + 8], "little")
        place += 1
        match code:
            case 0x20:
                assert operand % 4 == 0
                accumulator = words[operand // 4]
            case 0x54:
                accumulator &= operand
            case 0x05:
                place += operand
            case 0x15:
                place += if_true if accumulator == operand else if_false
            case 0x35:
                place += if_true if accumulator >= operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"instruction {code:#x} at {place - 1}")


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request):
    return request.param


def _on_both(*calls: str):
    """A case for each machine and each call that it has."""
    pairs = [(machine, call) for machine in NUMBERS for call in calls if call in NUMBERS[machine]]
    return pytest.mark.parametrize(("machine", "call"), pairs)


def _with_machines(*cases: tuple[str, tuple[int, ...], bool]):
    return [
        (machine, *case) for machine in NUMBERS for case in cases if case[0] in NUMBERS[machine]
    ]


def _answer(machine: str, call: str, *arguments: int, may_start: bool = False) -> int:
    program = seccomp.filter_program(machine, may_start=may_start, pid=_PID)
    return _evaluate(program, NUMBERS[machine][call], arguments, _ARCHITECTURES[machine])


@pytest.mark.parametrize("may_start", [False, True])
def test_the_program_answers_every_number_and_is_short_enough(machine, may_start):
    program = seccomp.filter_program(machine, may_start=may_start, pid=_PID)

    assert len(program) // 8 <= 4096  # BPF_MAXINSNS
    for number in (*range(1024), 1 << 20, _KILL, 0xFFFFFFFF):
        answer = _evaluate(program, number, (), _ARCHITECTURES[machine])
        assert answer & 0xFFFF0000 in {_ALLOW, _KILL, _PRETEND}


def test_calls_of_another_architecture_end_the_process(machine):
    program = seccomp.filter_program(machine, may_start=False, pid=_PID)

    for architecture in (0x40000003, 0x40000028, *_ARCHITECTURES.values()):  # i386, 32-bit ARM
        if architecture != _ARCHITECTURES[machine]:
            getpid = NUMBERS[machine]["getpid"]
            assert _evaluate(program, getpid, (), architecture) == _KILL


def test_calls_of_x32_end_the_process():
    program = seccomp.filter_program("x86_64", may_start=False, pid=_PID)
    x32 = [0x40000000 + number for number in (*range(335), *range(512, 548))]

    for number in x32:
        assert _evaluate(program, number, (), _ARCHITECTURES["x86_64"]) == _KILL


@_on_both(*_NEVER)
@pytest.mark.parametrize("may_start", [False, True])
def test_dangerous_calls_are_refused_whatever_they_ask_for(machine, call, may_start):
    for value in (0, 1, 2, _PID, 0xFFFFFFFF, (1 << 64) - 1):
        assert _answer(machine, call, *[value] * 6, may_start=may_start) == _REFUSE


def test_newer_calls_than_the_table_s_do_not_exist(machine):
    program = seccomp.filter_program(machine, may_start=True, pid=_PID)
    newest = max(NUMBERS[machine].values())

    for number in (newest + 1, newest + 10, 1000):
        assert _evaluate(program, number, (), _ARCHITECTURES[machine]) == _ABSENT


@_on_both("clone3", "openat2")
def test_calls_with_a_fallback_do_not_exist(machine, call):
    assert _answer(machine, call) == _ABSENT


@_on_both("chmod", "fchmod", "fchmodat", "utimensat")
def test_modes_and_times_of_files_only_seem_to_change(machine, call):
    assert _answer(machine, call, 1, 2, 3) == _PRETEND


@pytest.mark.parametrize(
    ("machine", "call", "arguments", "allowed"),
    _with_machines(
        ("clone", (_THREAD,), True),
        ("clone", (_FORK,), False),
        ("clone", (_THREAD & ~_CLONE_THREAD,), False),
        ("clone", (_CLONE_THREAD << 32,), False),
        *(("clone", (_THREAD | flag,), False) for flag in _NEW.values()),
        ("clone", (_THREAD | 0x2000,), False),  # CLONE_PTRACE
        ("open", (0, 0), True),
        ("open", (0, 0o1000), False),  # O_RDONLY | O_TRUNC
        ("openat", (0, 0, 0), True),
        ("openat", (0, 0, 0o1101), True),  # O_WRONLY | O_CREAT | O_TRUNC
        ("openat", (0, 0, 0o1102), True),
        ("openat", (0, 0, 0o1000), False),
        ("openat", (0, 0, 0o1000 | _UPPER), False),
        ("openat", (0, 0, 0o1003), False),  # neither for reading nor for writing
        ("kill", (_PID, 15), True),
        ("kill", (_PID + 1, 15), False),
        ("kill", (0, 15), False),
        ("kill", (0xFFFFFFFF, 15), False),
        ("kill", (-_PID & 0xFFFFFFFFFFFFFFFF, 15), False),
        ("kill", (1, 0), False),
        ("tgkill", (_PID, _PID, 6), True),
        ("tgkill", (_PID + 1, _PID, 6), False),
        ("rt_sigqueueinfo", (_PID, 6), True),
        ("rt_sigqueueinfo", (1, 6), False),
        ("fcntl", (3, 0), True),  # F_DUPFD
        ("fcntl", (3, 4), True),  # F_SETFL
        ("fcntl", (3, 6), True),  # F_SETLK
        ("fcntl", (3, 1030), True),  # F_DUPFD_CLOEXEC
        ("fcntl", (3, 8), False),  # F_SETOWN
        ("fcntl", (3, 10), False),  # F_SETSIG
        ("fcntl", (3, 15), False),  # F_SETOWN_EX
        ("fcntl", (3, 1024), False),  # F_SETLEASE
        ("fcntl", (3, 1026), False),  # F_NOTIFY
        ("fcntl", (3, 1031), False),  # F_SETPIPE_SZ
        ("ioctl", (0, 0x5401), True),  # TCGETS
        ("ioctl", (0, 0x5413), True),  # TIOCGWINSZ
        ("ioctl", (0, 0x5421), True),  # FIONBIO
        ("ioctl", (0, 0x5412), False),  # TIOCSTI
        ("ioctl", (0, 0x5412 | _UPPER), False),
        ("ioctl", (0, 0x541C), False),  # TIOCLINUX
        ("ioctl", (0, 0x5402), False),  # TCSETS
        ("ioctl", (0, 0x8901), False),  # FIOSETOWN
        ("prctl", (15,), True),  # PR_SET_NAME
        ("prctl", (16,), True),  # PR_GET_NAME
        ("prctl", (1,), False),  # PR_SET_PDEATHSIG
        ("prctl", (4,), False),  # PR_SET_DUMPABLE
        ("prctl", (22,), False),  # PR_SET_SECCOMP
        ("prctl", (36,), False),  # PR_SET_CHILD_SUBREAPER
        ("prctl", (35,), False),  # PR_SET_MM
        ("prctl", (0x59616D61,), False),  # PR_SET_PTRACER
        ("arch_prctl", (0x1023,), True),  # ARCH_REQ_XCOMP_PERM
        ("arch_prctl", (0x1002,), False),  # ARCH_SET_FS
        ("prlimit64", (0, 9, 0, 4096), True),
        ("prlimit64", (_PID, 9, 0, 4096), True),
        ("prlimit64", (0, 1, 4096, 0), True),  # RLIMIT_FSIZE
        ("prlimit64", (0, 9, 4096, 0), False),
        ("prlimit64", (0, 9, _UPPER, 0), False),
        ("prlimit64", (1, 9, 0, 4096), False),
        ("prlimit64", (1, 1, 4096, 0), False),
        ("socketpair", (1, 1, 0), True),
        ("socketpair", (2, 1, 0), False),
        ("sendto", (3, 4096, 1, 0, 0, 0), True),
        ("sendto", (3, 4096, 1, 0, 4096, 16), False),
        ("sendto", (3, 4096, 1, 0, _UPPER, 16), False),
        ("recvfrom", (3, 4096, 1, 0, 0, 0), True),
        ("recvfrom", (3, 4096, 1, 0, 4096, 0), False),
    ),
)
def test_arguments_decide(machine, call, arguments, allowed):
    assert _answer(machine, call, *arguments) == (_ALLOW if allowed else _REFUSE)


@_on_both(*_FORKING)
def test_forking_is_a_matter_of_being_allowed_to(machine, call):
    assert _answer(machine, call) == _REFUSE
    assert _answer(machine, call, may_start=True) == _ALLOW


def test_a_fork_never_comes_with_a_namespace_or_as_a_sibling(machine):
    assert _answer(machine, "clone", _FORK, may_start=True) == _ALLOW
    assert _answer(machine, "clone", _THREAD, may_start=True) == _ALLOW
    for flag in (*_NEW.values(), 0x1000, 0x2000, 0x8000):
        for flags in (_FORK | flag, _THREAD | flag, flag):
            assert _answer(machine, "clone", flags, may_start=True) == _REFUSE


def test_programs_differ_by_the_process_they_are_for(machine):
    own = seccomp.filter_program(machine, may_start=False, pid=_PID)
    other = seccomp.filter_program(machine, may_start=False, pid=_PID + 1)
    kill, architecture = NUMBERS[machine]["kill"], _ARCHITECTURES[machine]

    assert _evaluate(own, kill, (_PID,), architecture) == _ALLOW
    assert _evaluate(other, kill, (_PID,), architecture) == _REFUSE


def test_other_machines_have_no_filter():
    assert seccomp.supported("x86_64")
    assert seccomp.supported("aarch64")
    assert not seccomp.supported("riscv64")


@pytest.fixture(scope="module")
def refusals(run_script):
    """What the kernel answers to calls with senseless arguments, before the filter and behind."""
    script = """
        become_ordinary()
        answers = {{}}
        {barrier}
        for name in {names!r}:
            answers[name] = raw(name, *[-1] * 6)
        tell(answers)
    """
    filtered = script.format(barrier="filtered()", names=_REFUSED_HERE)
    return run_script(script.format(barrier="", names=_REACHABLE)), run_script(filtered)


_REACHABLE = ["execve", "memfd_create", "inotify_init1", "setpriority", "setuid", "sendmsg",
              "tkill", "mlock", "shmget", "truncate", "socket", "setpgid", "splice"]  # fmt: skip
"""Calls that nobody needs a right for, so that a refusal can only come from the filter."""


@_installable
@pytest.mark.parametrize("call", _REFUSED_HERE)
def test_the_kernel_refuses_dangerous_calls(refusals, call):
    before, behind = refusals
    assert behind[call] == "EPERM"
    if call in _REACHABLE:
        assert before[call] != "EPERM"


@_installable
@pytest.mark.parametrize(
    "attempt",
    [
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "subprocess.run(['/bin/true'])",
        "multiprocessing.get_context('fork').Process(target=print).start()",
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "os.kill(os.getppid(), 0)",
        "os.kill(0, 0)",
        "os.kill(-1, 0)",
        "os.killpg(os.getpgid(0), 0)",
        "os.memfd_create('name')",
        "os.nice(1)",
        "os.setsid()",
        "os.sched_setaffinity(0, {0})",
        "os.truncate('/dev/null', 0)",
        "os.open('/dev/null', os.O_RDONLY | os.O_TRUNC)",
        "os.mkfifo('/nowhere/pipe')",
        "os.chown('/dev/null', -1, -1)",
        "fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())",
        "fcntl.ioctl(0, 0x5412, b'x')",
        "os.pidfd_open(os.getpid())",
        "socket.send_fds(socket.socketpair()[0], [b'x'], [0])",
        "resource.prlimit(os.getppid(), resource.RLIMIT_CPU)",
        "libc_prctl(1, 9)",
    ],
)
def test_python_meets_the_refusal_as_a_permission_error(run_script, attempt):
    assert (
        run_script(f"""
        def libc_prctl(*arguments):
            if libc.prctl(*arguments) == -1:
                raise OSError(ctypes.get_errno(), "prctl")
        filtered()
        tell(error_of(lambda: {attempt}))
    """)
        == "EPERM"
    )


@_installable
def test_limits_can_be_read_but_not_set(run_script):
    assert run_script("""
        filtered()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        refused = False
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        except (OSError, ValueError):
            refused = True
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        tell([len(limits), refused, resource.getrlimit(resource.RLIMIT_FSIZE)])
    """) == [2, True, [4096, 4096]]


_WORK = {
    "files": """
        Path("a").write_text("x")
        os.replace("a", "b")
        os.link("b", "c")
        os.symlink("c", "d")
        os.makedirs("e/f")
        assert sorted(os.listdir()) == ["b", "c", "d", "e"]
        os.removedirs("e/f")
        assert os.stat("b").st_size == os.path.getsize("d") == 1
        os.statvfs(".")
        with open("b", "r+") as stream:
            stream.truncate(0)
            stream.flush()
            os.fsync(stream.fileno())
        assert os.access("b", os.R_OK)
    """,
    "copies": """
        Path("a").write_text("x")
        shutil.copy("a", "b")
        shutil.copy2("a", "c")
        shutil.copytree(".", "tree")
        shutil.rmtree("tree")
        shutil.move("a", "moved")
        assert Path("c").read_text() == "x"
    """,
    "modes and times that stay": """
        Path("a").touch()
        Path("a").touch()
        before = os.stat("a")
        os.chmod("a", 0)
        os.utime("a", (1, 1))
        after = os.stat("a")
        assert (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)
    """,
    "temporary files": """
        tempfile.tempdir = os.getcwd()
        tempfile.NamedTemporaryFile().close()
        tempfile.TemporaryFile().close()
        tempfile.TemporaryDirectory().cleanup()
    """,
    "archives": """
        with zipfile.ZipFile("z", "w") as archive:
            archive.writestr("a", "b")
        zipfile.ZipFile("z").extractall("out")
        assert Path("out/a").read_text() == "b"
    """,
    "databases": """
        base = sqlite3.connect("x.db")
        base.execute("create table t (a)")
        base.execute("insert into t values (1)")
        base.commit()
        base.close()
    """,
    "memory maps": """
        with open("m", "w+b") as stream:
            stream.truncate(4096)
            shared = mmap.mmap(stream.fileno(), 4096)
            shared[0] = 1
            shared.flush()
            shared.resize(8192)
        mmap.mmap(-1, 4096).close()
    """,
    "locks": """
        fcntl.flock(open("a", "w"), fcntl.LOCK_EX)
        fcntl.lockf(open("b", "w"), fcntl.LOCK_EX)
        lock = multiprocessing.get_context("fork").Lock()
        assert lock.acquire()
    """,
    "threads": """
        assert list(ThreadPoolExecutor(4).map(abs, [-1, 2])) == [1, 2]
        timer = threading.Timer(0.01, print)
        timer.start()
        timer.join()
    """,
    "event loops": """
        assert asyncio.run(asyncio.wait_for(asyncio.to_thread(abs, -1), 5)) == 1
    """,
    "socket pairs": """
        one, other = socket.socketpair()
        one.sendall(b"x")
        assert other.recv(1) == b"x"
        one.settimeout(1)
        other.shutdown(socket.SHUT_WR)
        assert one.recv(1) == b""
        assert socket.socket(fileno=os.dup(other.fileno())).family == socket.AF_UNIX
    """,
    "pipes and polling": """
        reading, writing = os.pipe()
        os.write(writing, b"x")
        assert select.select([reading], [], [], 1)[0]
        for kind in (select.poll, select.epoll):
            polling = kind()
            polling.register(reading)
            assert polling.poll(1)
        os.set_blocking(reading, False)
        os.dup2(reading, os.dup(reading))
        os.eventfd(1)
    """,
    "alarms and signals to itself": """
        rung = []
        signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while not rung:
            time.sleep(0.01)
        signal.alarm(60)
        assert signal.alarm(0) == 60
        signal.raise_signal(signal.SIGALRM)
        os.kill(os.getpid(), signal.SIGALRM)
        assert len(rung) == 3
    """,
    "facts": """
        os.getppid(), os.getpgid(0), os.getsid(0), os.getgroups(), os.uname(), os.getloadavg()
        os.times(), os.urandom(1), os.getrandom(1), os.cpu_count(), os.isatty(0), os.umask(0o22)
        time.process_time(), time.thread_time(), time.time(), time.sleep(0)
        resource.getrusage(resource.RUSAGE_SELF)
        assert os.sched_getaffinity(0)
    """,
}


@_installable
@pytest.mark.parametrize("work", _WORK)
def test_ordinary_python_goes_on(run_script, scratch, work):
    script = f"os.chdir({str(scratch)!r})\nfiltered()\n{textwrap.dedent(_WORK[work])}\ntell(True)"
    assert run_script(script)


@_installable
def test_libraries_can_be_loaded_behind_the_filter(run_script):
    assert run_script("""
        import importlib.util
        spec = importlib.util.find_spec("_testcapi") or importlib.util.find_spec("audioop")
        path = spec.origin
        capabilities.no_new_privileges()
        seccomp.install(False)
        ctypes.CDLL(path)
        tell("loaded")
    """)


@_installable
def test_processes_can_be_forked_and_awaited_where_that_is_allowed(run_script):
    assert run_script("""
        filtered(may_start=True)
        child = os.fork()
        if child == 0:
            os._exit(7)
        _, status = os.waitpid(child, 0)
        reading, writing = os.pipe()
        if os.fork() == 0:
            told = [error_of(os.execv, "/bin/true", ["true"]),
                    error_of(os.kill, 1, 0), error_of(os.kill, os.getppid(), 0)]
            os.write(writing, json.dumps(told).encode())
            os._exit(0)
        tell([os.waitstatus_to_exitcode(status), json.loads(os.read(reading, 100))])
    """) == [7, ["EPERM", "EPERM", None]]


@_installable
def test_the_filter_needs_the_promise_not_to_gain_privileges(run_script):
    told = run_script("""
        become_ordinary()
        try:
            seccomp.install(False)
        except OSError as error:
            tell(str(error))
    """)
    assert "installing the system-call filter" in told


@_installable
@pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="x86_64 has siblings"
)
def test_a_call_of_x32_is_deadly(run_script):
    assert (
        run_script("""
        child = os.fork()
        if child == 0:
            filtered()
            libc.syscall(ctypes.c_long(0x40000000 + 39))
            os._exit(0)
        tell(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
        == -31
    )  # SIGSYS


@_installable
def test_networks_are_trained_saved_and_loaded_behind_the_barriers(tmp_path):
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("training_behind_barriers.py"), tmp_path],
        capture_output=True, text=True, timeout=300, check=False,
        env={
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path),
            "KERAS_HOME": str(tmp_path), "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("trained\n")
