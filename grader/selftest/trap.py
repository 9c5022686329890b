"""The surroundings of an attack: everything it could aim at, and whether it was touched."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

import grader
from grader.errors import GraderFault
from grader.selftest.breach import Breach, Canary
from grader.selftest.bystander import Bystander
from grader.selftest.leftovers import kernel_objects
from grader.selftest.listeners import Listeners

SECRET_PREFIX: Final = "grader-secret-"  # noqa: S105  begins every planted secret
_ENVIRONMENT: Final = "GRADER_SELFTEST_SECRET"
_KEY_BITS: Final = 30


class Trap:
    """Planted secrets, a bystander, listeners, and the places where marks would show.

    While it is in place, temporary folders of this process are made inside it, so that whatever a
    worker leaves in its own is seen.
    """

    def __init__(self) -> None:
        token = secrets.token_hex(6)
        self.mark = f"gst{token}"
        """Name of files, objects and tags that attacks leave."""
        self.word = secrets.token_hex(8)
        """What an attack says when it succeeds."""
        self.secrets = {
            place: f"{SECRET_PREFIX}{secrets.token_hex(16)}"
            for place in ("a guarded file", "another submission", "an earlier report",
                          "a process's memory", "a process's environment",
                          "the grader's environment")
        }  # fmt: skip
        self._host_temporary = tempfile.gettempdir()
        self.root = Path(tempfile.mkdtemp(prefix="grader-selftest-"))
        # Workers of another user must reach their own folders below it.
        self.root.chmod(0o711)
        self.guarded = self.root / "guarded"
        self.submissions = self.root / "submissions"
        self.out = self.root / "reports"
        self.home = self.root / "home"
        """Stands for the home folder of the user that workers run as."""
        self.temporary = self.root / "temporary"
        for folder in (self.submissions, self.out, self.temporary):
            folder.mkdir()
        self.temporary.chmod(0o755)
        self._key = secrets.randbits(_KEY_BITS)
        self._user = os.geteuid()
        self._before: dict[str, tuple[object, ...]] = {}
        self.listeners = Listeners(self.root, self.mark)
        self._bystander: Bystander | None = None

    @property
    def bystander(self) -> Bystander:
        """The bystander; there is one once the trap is set."""
        if self._bystander is None:
            raise GraderFault("the self-test's trap is not set")
        return self._bystander

    def set(self, user: int) -> None:
        """Plants everything.

        A grader that runs as root has its workers run as somebody else. What they could reach is
        then what belongs to that user, as all of an instructor's own files would without root, so
        the bait belongs to them.

        Args:
            user: id of the user that workers run as.

        Raises:
            GraderFault: it could not be done; the operator must act.
        """
        self._user = user
        self._plant()
        self._own(self.listeners.unix_path)
        self._renew_bystander()
        self._before = self._state()

    def _own(self, path: Path) -> None:
        if self._user != os.geteuid():
            os.chown(path, self._user, self._user)

    # --- putting it up ------------------------------------------------------------------------

    def _plant(self) -> None:
        """Writes the guarded files anew."""
        planted = {
            self.guarded / "secret.txt": self.secrets["a guarded file"],
            self.guarded / "notes" / "rubric.toml": "points = 100\n",
            self.submissions / "neighbour" / "agent.py":
                f"# {self.secrets['another submission']}\n",
            self.out / "earlier" / "report.json":
                f'{{"note": "{self.secrets["an earlier report"]}"}}\n',
        }  # fmt: skip
        for folder in {file.parent for file in planted} | {self.guarded}:
            with contextlib.suppress(OSError):
                folder.chmod(0o700)
            shutil.rmtree(folder, ignore_errors=True)
        for file, text in planted.items():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600)
        for folder in (self.home, self.submissions, self.out, *self._guarded_folders()):
            folder.mkdir(exist_ok=True, mode=0o700)
            for path in (folder, *folder.rglob("*")):
                self._own(path)

    def _renew_bystander(self) -> None:
        if self._bystander is not None:
            self._bystander.close()
        self._bystander = Bystander(
            self.guarded, self.secrets["a process's memory"],
            self.secrets["a process's environment"], self._user,
        )  # fmt: skip

    @contextlib.contextmanager
    def own_temporary_folder(self) -> Iterator[None]:
        """Has this process make its temporary folders inside the trap, and hold a secret."""
        before, variable = tempfile.tempdir, os.environ.get(_ENVIRONMENT)
        tempfile.tempdir = str(self.temporary)
        os.environ[_ENVIRONMENT] = self.secrets["the grader's environment"]
        try:
            yield
        finally:
            tempfile.tempdir = before
            os.environ.pop(_ENVIRONMENT)
            if variable is not None:
                os.environ[_ENVIRONMENT] = variable

    def targets(self) -> dict[str, Any]:
        """What attacks are told to aim at, as constants of their `targets.py`."""
        return {
            "MARK": self.mark,
            "WORD": self.word,
            "SECRET_PREFIX": SECRET_PREFIX,
            "GUARDED_FOLDER": str(self.guarded),
            "GUARDED_FILE": str(self.guarded / "secret.txt"),
            "NEIGHBOUR_FILE": str(self.submissions / "neighbour" / "agent.py"),
            "REPORTS_FOLDER": str(self.out),
            "EARLIER_REPORT": str(self.out / "earlier" / "report.json"),
            "HOME": str(self.home),
            "REAL_HOME": str(Path.home()),
            "TEMPORARY": self._host_temporary,
            "PACKAGE": str(Path(grader.__file__).parent),
            "SITE_PACKAGES": sysconfig.get_paths()["purelib"],
            "PYTHON": sys.executable,
            "GRADER_PID": os.getpid(),
            "BYSTANDER_PID": self.bystander.pid,
            "BYSTANDER_ADDRESS": self.bystander.address,
            "BYSTANDER_SIZE": self.bystander.size_bytes,
            "BYSTANDER_DESCRIPTOR": self.bystander.descriptor,
            "TCP_PORT": self.listeners.tcp_port,
            "UDP_PORT": self.listeners.udp_port,
            "UNIX_PATH": str(self.listeners.unix_path),
            "ABSTRACT_NAME": self.listeners.abstract_name,
            "ABSTRACT_DATAGRAM_NAME": self.listeners.abstract_datagram_name,
            "IPC_KEY": self._key,
        }

    # --- looking at it ------------------------------------------------------------------------

    def breaches(self) -> list[Breach]:
        """What has been touched since it was put up; it is put up anew where it was."""
        found = [Breach(Canary.FILES, what) for what in self._changes()]
        if found:
            self._plant()
        found += [Breach(Canary.FILES, f"left in {place}") for place in self._marks()]
        harm = self.bystander.harm()
        if harm is not None:
            found.append(Breach(Canary.BYSTANDER, harm))
        if harm is not None or found:
            # Its working folder and its open file may be other ones by now.
            self._renew_bystander()
        found += [Breach(Canary.CONTACT, what) for what in self.listeners.contacts()]
        found += [Breach(Canary.OBJECTS, what) for what in kernel_objects(self._key, self.mark)]
        self._before = self._state()
        return found

    def _guarded_folders(self) -> tuple[Path, ...]:
        return self.guarded, self.submissions / "neighbour", self.out / "earlier"

    def _state(self) -> dict[str, tuple[object, ...]]:
        """Everything about the guarded files that a change of them would change."""
        state: dict[str, tuple[object, ...]] = {}
        for folder in self._guarded_folders():
            for path in (folder, *sorted(folder.rglob("*"))):
                name = str(path.relative_to(self.root))
                try:
                    is_file = path.is_file() and not path.is_symlink()
                    about = path.lstat()
                    state[name] = (
                        about.st_mode, about.st_uid, about.st_gid, about.st_nlink,
                        about.st_mtime_ns, about.st_ino,
                        hashlib.sha256(path.read_bytes()).hexdigest() if is_file else None,
                        _attributes(path),
                    )  # fmt: skip
                except OSError as error:
                    state[name] = (error.errno,)
        return state

    def _changes(self) -> list[str]:
        after = self._state()
        names = sorted(after.keys() | self._before.keys())
        changed = [name for name in names if after.get(name) != self._before.get(name)]
        words = {(True, True): "changed", (True, False): "deleted", (False, True): "made"}
        return [f"{name} {words[name in self._before, name in after]}" for name in changed]

    def _marks(self) -> list[str]:
        """Places outside a worker's own folder where a mark was left; the marks are removed."""
        package = Path(grader.__file__).parent
        # Shown by what they are: the report of a self-test should tell nothing of the machine.
        places = {
            "the home folder": self.home,
            "the grader's home folder": Path.home(),
            "the trap": self.root,
            "the temporary folder": Path(self._host_temporary),
            "/var/tmp": Path("/var/tmp"),  # noqa: S108  looked at, not used
            "shared memory": Path("/dev/shm"),  # noqa: S108  same
            "the grader's package": package,
            "the worker's package": package / "worker",
            "the installed packages": Path(sysconfig.get_paths()["purelib"]),
            "the user's packages": Path(site.getusersitepackages()),
            "the reports": self.out,
            "the submissions": self.submissions,
            "the grader's working folder": Path.cwd(),
        }
        found = []
        for what, place in places.items():
            for file in place.glob(f"*{self.mark}*"):
                found.append(what)
                with contextlib.suppress(OSError):
                    file.unlink()
        return found

    # --- taking it down -----------------------------------------------------------------------

    def close(self) -> None:
        """Takes everything down and removes it."""
        if self._bystander is not None:
            self._bystander.close()
        self.listeners.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> Self:
        """The trap itself; it is taken down on leaving."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _attributes(path: Path) -> tuple[tuple[str, bytes], ...]:
    """Extended attributes that a user can set."""
    if sys.platform != "linux":
        return ()
    with contextlib.suppress(OSError):
        return tuple(
            (name, os.getxattr(path, name, follow_symlinks=False))
            for name in os.listxattr(path, follow_symlinks=False)
            if name.startswith("user.")
        )
    return ()
