from __future__ import annotations

import sys
import textwrap

import pytest

from grader.records.barriers import Barrier
from grader.worker.confinement import landlock

pytestmark = pytest.mark.skipif(
    landlock.abi() == 0, reason=f"no Landlock in this kernel ({sys.platform})"
)

_RESTRICTED = """
def restricted(readable=(), writable=(), devices=()):
    become_ordinary()
    capabilities.no_new_privileges()
    return landlock.restrict(list(readable), list(writable), list(devices))

scratch = Path({scratch!r})
shown = scratch / "shown"
own = scratch / "own"
become_ordinary()
for folder in (shown, own, own / "inner", scratch / "hidden"):
    folder.mkdir()
(shown / "text").write_text("shown")
(scratch / "hidden" / "text").write_text("hidden")
"""


@pytest.fixture
def script(run_script, scratch):
    """Runs a script with `shown`, `own` and `scratch` in place."""

    def run(text: str):
        return run_script(_RESTRICTED.format(scratch=str(scratch)) + textwrap.dedent(text))

    return run


def test_what_is_in_force_is_told(script):
    told = script("tell(sorted(restricted()))")

    expected = {Barrier.LANDLOCK_FILES}
    if landlock.abi() >= 4:
        expected.add(Barrier.LANDLOCK_NETWORK)
    if landlock.abi() >= 6:
        expected.add(Barrier.LANDLOCK_SCOPES)
    assert told == sorted(expected)


def test_readable_paths_can_be_read_and_listed(script):
    assert script("""
        restricted(readable=[str(shown)])
        tell([(shown / "text").read_text(), os.listdir(shown)])
    """) == ["shown", ["text"]]


@pytest.mark.parametrize(
    "attempt",
    [
        "(shown / 'text').write_text('changed')",
        "os.open(shown / 'text', os.O_RDWR)",
        "os.truncate(shown / 'text', 0)",
        "os.open(shown / 'text', os.O_RDONLY | os.O_TRUNC)",
        "(shown / 'new').touch()",
        "(shown / 'new').mkdir()",
        "(shown / 'text').unlink()",
        "(shown / 'text').rename(shown / 'other')",
        "(shown / 'new').symlink_to('text')",
        "os.execv('/bin/true', ['true'])",
        "os.listdir('/')",
        "os.listdir(scratch)",
        "(scratch / 'hidden' / 'text').read_text()",
        "Path('/etc/passwd').read_text()",
        "Path('/dev/null').read_bytes()",
        "Path('/proc/self/environ').read_bytes()",
    ],
)
def test_what_was_not_given_is_refused(script, attempt):
    if "TRUNC" in attempt.upper() and landlock.abi() < 3:
        pytest.skip("this kernel's Landlock leaves emptying files to the system-call filter")
    assert (
        script(f"""
        restricted(readable=[str(shown), "/usr", "/lib", "/lib64", "/bin"])
        tell(error_of(lambda: {attempt}))
    """)
        == "EACCES"
    )


def test_programs_can_be_read_but_not_executed(script):
    assert script("""
        program = shown / "program"
        program.write_text("#!/bin/sh\\n")
        program.chmod(0o755)
        restricted(readable=[str(shown)], writable=[str(own)])
        copied = Path(shutil.copy(program, own))
        tell([error_of(os.execv, str(path), ["x"]) for path in (program, copied)])
    """) == ["EACCES", "EACCES"]


def test_ordinary_file_work_goes_on_in_writable_folders(script):
    assert script("""
        restricted(writable=[str(own)])
        file = own / "file"
        file.write_text("one")
        with file.open("r+") as stream:
            stream.truncate(2)
        os.truncate(file, 1)
        file.rename(own / "renamed")
        (own / "link").symlink_to("renamed")
        os.link(own / "renamed", own / "hard")
        (own / "folder").mkdir()
        (own / "folder").rmdir()
        (own / "hard").unlink()
        tell([sorted(os.listdir(own)), (own / "link").read_text()])
    """) == [["inner", "link", "renamed"], "o"]


@pytest.mark.skipif(landlock.abi() < 2, reason="this kernel's Landlock has no right for it")
def test_files_move_between_folders_of_a_writable_one(script):
    assert (
        script("""
        restricted(writable=[str(own)])
        (own / "file").write_text("moved")
        (own / "file").rename(own / "inner" / "file")
        tell((own / "inner" / "file").read_text())
    """)
        == "moved"
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "os.mkfifo(own / 'pipe')",
        "os.mknod(own / 'device', 0o600 | 0o020000, os.makedev(1, 3))",
        "socket.socket(socket.AF_UNIX).bind(str(own / 'socket'))",
    ],
)
def test_writable_folders_get_no_pipes_devices_or_sockets(script, attempt):
    assert (
        script(f"""
        restricted(writable=[str(own)])
        tell(error_of(lambda: {attempt}))
    """)
        == "EACCES"
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "os.link(shown / 'text', own / 'stolen')",
        "os.rename(shown / 'text', own / 'stolen')",
        "os.rename(own / 'file', shown / 'file')",
    ],
)
def test_files_do_not_cross_from_readable_to_writable(script, attempt):
    refused = script(f"""
        (own / "file").touch()
        restricted(readable=[str(shown)], writable=[str(own)])
        tell(error_of(lambda: {attempt}))
    """)
    assert refused in {"EACCES", "EXDEV"}


def test_a_symbolic_link_leads_nowhere_new(script):
    assert (
        script("""
        restricted(writable=[str(own)])
        (own / "link").symlink_to(scratch / "hidden" / "text")
        tell(error_of((own / "link").read_text))
    """)
        == "EACCES"
    )


def test_devices_can_be_read_and_written(script):
    assert script("""
        restricted(devices=["/dev/null", "/dev/zero"])
        with open("/dev/null", "w") as stream:
            stream.write("x")
        tell([len(open("/dev/zero", "rb", buffering=0).read(3)),
              error_of(open, "/dev/full", "w")])
    """) == [3, "EACCES"]


def test_single_files_can_be_given_and_missing_ones_are_left_out(script):
    assert script("""
        restricted(readable=[str(shown / "text"), "/nowhere", "/etc/passwd/below"],
                   writable=[str(own / "nothing")])
        tell([(shown / "text").read_text(), error_of(os.listdir, shown)])
    """) == ["shown", "EACCES"]


def test_what_is_started_is_restricted_as_well(script):
    assert (
        script("""
        restricted()
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.write(writing, error_of(open, "/etc/passwd").encode())
            os._exit(0)
        os.wait()
        tell(os.read(reading, 10).decode())
    """)
        == "EACCES"
    )


@pytest.mark.skipif(landlock.abi() < 4, reason="this kernel's Landlock knows no network")
def test_tcp_is_refused_in_both_directions(script):
    assert script("""
        def bind():
            socket.create_server(("127.0.0.1", 0)).close()
        def connect():
            socket.socket().connect(("127.0.0.1", port))
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        before = [error_of(bind), error_of(connect)]
        restricted()
        tell([before, [error_of(bind), error_of(connect)]])
    """) == [[None, None], ["EACCES", "EACCES"]]


@pytest.mark.skipif(landlock.abi() < 6, reason="this kernel's Landlock knows no scopes")
def test_signals_and_abstract_sockets_end_at_the_barrier(script):
    assert script("""
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(b"\\0" + str(scratch).encode())
        listening.listen()
        name = listening.getsockname()
        def connect():
            socket.socket(socket.AF_UNIX).connect(name)
        parent = os.getpid()
        before = [error_of(connect), error_of(os.kill, parent, 0)]
        reading, writing = os.pipe()
        if os.fork() == 0:
            restricted()
            told = [error_of(connect), error_of(os.kill, parent, 0)]
            os.write(writing, json.dumps(told).encode())
            os._exit(0)
        os.wait()
        tell([before, json.loads(os.read(reading, 100))])
    """) == [[None, None], ["EPERM", "EPERM"]]


def test_a_refusal_by_the_kernel_says_what_was_tried(script):
    told = script("""
        try:
            landlock.restrict([], [], [])
        except OSError as error:
            tell(str(error))
    """)
    assert "entering the Landlock ruleset" in told
