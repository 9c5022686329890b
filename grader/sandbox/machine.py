"""What a machine tells about itself: the facts that advice on isolation depends on.

Nothing here decides whether a barrier holds; that is tried.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from grader.records.examination import Machine

_SETTINGS: Final = (
    "kernel.apparmor_restrict_unprivileged_userns",
    "kernel.unprivileged_userns_clone",
    "user.max_user_namespaces",
    "user.max_pid_namespaces",
    "user.max_mnt_namespaces",
    "user.max_net_namespaces",
    "user.max_ipc_namespaces",
    "user.max_uts_namespaces",
)
_MARKS: Final = ("/.dockerenv", "/run/.containerenv")
_VARIABLES: Final = ("container", "KUBERNETES_SERVICE_HOST")
_PACKAGES: Final = ("grader", "tensorflow", "tensorflow-cpu", "keras", "gymnasium", "numpy",
                    "scipy", "pydantic", "msgpack")  # fmt: skip
_MEBIBYTE: Final = 1 << 20
_NO_LIMIT: Final = 1 << 62


def machine() -> Machine:
    """The facts of the machine that this process runs on."""
    temporary, problem, free_mb = _temporary()
    return Machine(
        system=sys.platform,
        release=platform.release(),
        architecture=platform.machine(),
        container=_container(),
        is_filtered=_field(_text("/proc/self/status"), "Seccomp") == "2",
        covered=_covered(),
        settings=_settings(),
        security_modules=tuple(
            name for name in _text("/sys/kernel/security/lsm").strip().split(",") if name
        ),
        temporary=temporary,
        temporary_problem=problem,
        temporary_free_mb=free_mb,
        memory_mb=_memory_mb(),
        cores=len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
        versions={"python": platform.python_version()} | _versions(),
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _field(text: str, name: str) -> str:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return value.strip()
    return ""


def _container() -> tuple[str, ...]:
    marks = [mark for mark in _MARKS if Path(mark).exists()]
    return (*marks, *(f"${name}" for name in _VARIABLES if name in os.environ))


def _covered() -> tuple[str, ...]:
    places = [fields[4] for line in _text("/proc/self/mountinfo").splitlines()
              if len(fields := line.split()) > 4]  # fmt: skip
    # What a desktop's kernel mounts there by itself hides nothing.
    return tuple(sorted({place for place in places if place.startswith("/proc/")}
                        - {"/proc/sys/fs/binfmt_misc"}))  # fmt: skip


def _settings() -> dict[str, str]:
    texts = {name: _text(f"/proc/sys/{name.replace('.', '/')}").strip() for name in _SETTINGS}
    return {name: text for name, text in texts.items() if text}


def _temporary() -> tuple[str, str, int | None]:
    """The folder for temporary files, why nothing can be written there, and the free MiB."""
    try:
        folder = tempfile.gettempdir()
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
            file.flush()
        return folder, "", shutil.disk_usage(folder).free // _MEBIBYTE
    except OSError as error:
        return os.environ.get("TMPDIR", "/tmp"), error.strerror or str(error), None  # noqa: S108


def _memory_mb() -> int | None:
    """Memory that is free, of the machine or of what a control group leaves."""
    said = _field(_text("/proc/meminfo"), "MemAvailable").split()
    found = [int(said[0]) // 1024] if said else []
    for most, used in _control_groups():
        if 0 < most < _NO_LIMIT:
            found.append(max(0, most - used) // _MEBIBYTE)
    return min(found, default=None)


def _control_groups() -> list[tuple[int, int]]:
    """Limits and use in bytes of this process's own control group, in either version."""
    found = []
    for line in _text("/proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        if not kinds:
            roots, names = ("/sys/fs/cgroup",), ("memory.max", "memory.current")
        elif "memory" in kinds.split(","):
            roots = ("/sys/fs/cgroup/memory",)
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        for root in roots:
            # In a container the path may be that of the host, and the group lie at the root.
            for folder in {f"{root}{path}", root}:
                texts = [_text(f"{folder}/{name}").strip() for name in names]
                if all(text.isdigit() for text in texts):
                    found.append((int(texts[0]), int(texts[1])))
    return found


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
