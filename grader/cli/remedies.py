"""What to do where a barrier does not hold: the exact package, command or setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from grader.records.barriers import REQUIRED, Barrier
from grader.records.examination import Advice, Examination, Machine, Trial, TrialState
from grader.records.spec import Isolation

_LINUX_VM: Final = (
    "Grade in a Linux virtual machine, which has it all: with Multipass, `multipass launch --name "
    "grader --memory 4G && multipass shell grader`."
)
_WSL: Final = "Grade inside WSL 2, which is Linux: `wsl --install`, then install Python there."
_KEEP: Final = "To keep it over a restart, put the setting into /etc/sysctl.d/90-grader.conf."
_CONTAINER: Final = (
    "The container engine, or whatever else started this program, refuses it. With Docker, start "
    "the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined` (that takes the container's own walls down, so use a "
    "machine for it that does nothing else), or grade in a virtual machine."
)
_ENOUGH_MEMORY_MB: Final = 1024
_ENOUGH_DISK_MB: Final = 512
_DENIED: Final = frozenset({"EPERM", "EACCES"})
_UNSUPPORTED: Final = frozenset({"ENOTSUP", "EOPNOTSUPP"})
"""One number has both names."""
_NAMESPACES: Final = {
    Barrier.USER_NAMESPACE: ("user", "CONFIG_USER_NS"),
    Barrier.PROCESS_NAMESPACE: ("pid", "CONFIG_PID_NS"),
    Barrier.MOUNT_NAMESPACE: ("mnt", "CONFIG_NAMESPACES"),
    Barrier.NETWORK_NAMESPACE: ("net", "CONFIG_NET_NS"),
    Barrier.IPC_NAMESPACE: ("ipc", "CONFIG_IPC_NS"),
    Barrier.HOST_NAMESPACE: ("uts", "CONFIG_UTS_NS"),
}


def advise(examination: Examination, machine: Machine) -> tuple[Advice, ...]:
    """What to do, the most basic first; each remedy once.

    A barrier that was not tried has the remedy of what it builds on.
    """
    if machine.system != "linux":
        text = _WSL if machine.system == "win32" else _LINUX_VM
        return (Advice(about="isolation", text=text, necessary=True), *_resources(machine))
    found: list[Advice] = []
    for trial in examination.trials:
        if trial.state is TrialState.REFUSED:
            text = remedy(trial, machine, examination)
            if text not in {advice.text for advice in found}:
                necessary = trial.barrier in REQUIRED[Isolation.FULL]
                found.append(Advice(about=trial.barrier, text=text, necessary=necessary))
    if not any(advice.necessary for advice in found) and examination.refused:
        why = next(iter(examination.refused.values()))
        text = (
            f"Every barrier holds by itself, but not all together ({why}). Please report this "
            "with the output of `grader doctor --format json`."
        )
        found.append(Advice(about="isolation", text=text, necessary=True))
    return (*found, *_resources(machine))


def remedy(trial: Trial, machine: Machine, examination: Examination) -> str:
    """What to do about a barrier that does not hold.

    Args:
        trial: what was seen.
        machine: the machine it was seen on.
        examination: all that was seen there.
    """
    if trial.barrier in _NAMESPACES:
        return _namespace(trial, machine)
    return _BY_BARRIER[trial.barrier](trial, machine, examination)


def _in_container(machine: Machine) -> bool:
    """Marks alone may be left over in the image of a machine; a filter or a cover is an engine."""
    return machine.is_filtered or bool(machine.covered)


def _namespace(trial: Trial, machine: Machine) -> str:
    name, option = _NAMESPACES[trial.barrier]
    setting = f"user.max_{name}_namespaces"
    if trial.error == "ENOSPC":
        return (
            f"`sudo sysctl -w {setting}=15000` (it is {machine.settings.get(setting, 'used up')}). "
            f"{_KEEP}"
        )
    if trial.error in {"EINVAL", "ENOSYS"}:
        return f"The kernel was built without namespaces; use a distribution's own ({option}=y)."
    if machine.settings.get("kernel.unprivileged_userns_clone") == "0":
        return f"`sudo sysctl -w kernel.unprivileged_userns_clone=1`. {_KEEP}"
    # With a filter in force the refusal is the engine's, whatever the host is set to.
    restricted = machine.settings.get("kernel.apparmor_restrict_unprivileged_userns") == "1"
    if restricted and not machine.is_filtered:
        return (
            "AppArmor refuses it to programs without a profile, as Ubuntu sets it up: "
            f"`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`. {_KEEP}"
        )
    if _in_container(machine) or machine.container:
        return _CONTAINER
    return (
        "A security module or a parent process refuses it to ordinary users; look for it in "
        "`sudo dmesg | tail`, or grade in a virtual machine with a stock kernel."
    )


def _unprivileged(trial: Trial, machine: Machine, examination: Examination) -> str:
    if examination.closed_folders and "mount" in trial.why:
        return (
            f"Use an interpreter outside of {', '.join(examination.closed_folders)}: "
            "`/usr/bin/python3 -m venv /opt/grader && /opt/grader/bin/pip install .`; or run the "
            "grader as an ordinary user."
        )
    if machine.temporary in trial.why:
        return "Choose a folder for temporary files that everyone can enter: `export TMPDIR=/tmp`."
    if trial.error == "EINVAL":
        return (
            "This root knows too few other users. Give the account that runs the container "
            "subordinate ones, `sudo usermod --add-subuids 100000-165535 --add-subgids "
            "100000-165535 $USER && podman system migrate`, or run the grader as an ordinary user."
        )
    return (
        "Run the grader as an ordinary user, in a container with `--user 1000:1000`; or let the "
        "container's root change users: `--cap-add SETUID --cap-add SETGID`."
    )


def _kernel(trial: Trial, machine: Machine, _: Examination) -> str:
    return f"Linux {machine.release} refuses it ({trial.error or trial.why}); use 5.13 or newer."


def _limits(trial: Trial, _: Machine, __: Examination) -> str:
    return f"The kernel does not keep to its limits here ({trial.why}); grade on another machine."


def _environment(_: Trial, __: Machine, ___: Examination) -> str:
    return "Something sets variables for every Python program: look for `.pth` files and wrappers."


def _landlock_files(trial: Trial, machine: Machine, _: Examination) -> str:
    if trial.error in _UNSUPPORTED:
        others = [name for name in machine.security_modules if name != "capability"]
        modules = ",".join(["landlock", *others]) if others else "landlock,…"
        kept = "" if others else " (in place of … what `cat /sys/kernel/security/lsm` shows)"
        return (
            f"Landlock is switched off. Add `lsm={modules}`{kept} to GRUB_CMDLINE_LINUX in "
            "/etc/default/grub, run `sudo update-grub`, and restart."
        )
    if trial.error == "ENOSYS" and _version(machine.release) < (5, 13):
        return f"Linux {machine.release} has no Landlock; use 5.13 or newer."
    if trial.error in {"ENOSYS", *_DENIED} and machine.is_filtered:
        return (
            "The container engine hides it. Docker 23 and Podman 4 let it through; or start the "
            "container with `--security-opt seccomp=unconfined`."
        )
    return (
        "The kernel was built without Landlock; use one of a distribution "
        "(CONFIG_SECURITY_LANDLOCK=y)."
    )


def _version(release: str) -> tuple[int, int]:
    numbers = release.split(".")
    major, minor = (*numbers, "0")[:2]
    digits = minor[: next((at for at, sign in enumerate(minor) if not sign.isdigit()), len(minor))]
    return (int(major), int(digits or "0")) if major.isdigit() else (0, 0)


def _landlock_more(trial: Trial, _: Machine, __: Examination) -> str:
    first = "6.7" if trial.barrier is Barrier.LANDLOCK_NETWORK else "6.12"
    return (
        f"Nothing need be done: the system-call filter refuses the same. Linux {first} and newer "
        "refuse it twice."
    )


def _system_calls(trial: Trial, machine: Machine, _: Examination) -> str:
    if trial.error in _UNSUPPORTED:
        return (
            f"The filter is written for 64-bit x86_64 and aarch64, and this is "
            f"{machine.architecture}; grade on one of these."
        )
    return (
        "The kernel was built without filters; use one of a distribution (CONFIG_SECCOMP=y and "
        "CONFIG_SECCOMP_FILTER=y)."
    )


def _own_root(trial: Trial, machine: Machine, _: Examination) -> str:
    if "mounting proc" in trial.why and trial.error in _DENIED:
        if machine.covered:
            return (
                f"The container engine covers parts of /proc ({machine.covered[0]}, say), and the "
                "kernel then refuses another one. Start the container with `--security-opt "
                "systempaths=unconfined` (Podman: `--security-opt unmask=ALL`, Kubernetes: "
                "`procMount: Unmasked`)."
            )
        return "Something is mounted over parts of /proc; `grep ' /proc/' /proc/self/mountinfo`."
    if "pivot_root" in trial.why and trial.error not in _DENIED:
        return f"Full isolation needs x86_64 or aarch64; this is {machine.architecture}."
    if _in_container(machine) or machine.container:
        return _CONTAINER
    if machine.settings.get("kernel.apparmor_restrict_unprivileged_userns") == "1":
        return f"`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`. {_KEEP}"
    return "A security module refuses mounts in a user namespace; look in `sudo dmesg | tail`."


def _own_init(trial: Trial, machine: Machine, _: Examination) -> str:
    if _version(machine.release) < (5, 8):
        return f"Linux {machine.release} cannot enter a room by its process; use 5.8 or newer."
    if _in_container(machine) or machine.container:
        return _CONTAINER
    return f"The kernel refuses it ({trial.why}); look in `sudo dmesg | tail`."


_BY_BARRIER: Final[dict[Barrier, Callable[[Trial, Machine, Examination], str]]] = {
    Barrier.LIMITS: _limits,
    Barrier.ENVIRONMENT: _environment,
    Barrier.UNPRIVILEGED: _unprivileged,
    Barrier.NO_CAPABILITIES: _kernel,
    Barrier.NO_NEW_PRIVILEGES: _kernel,
    Barrier.LANDLOCK_FILES: _landlock_files,
    Barrier.LANDLOCK_NETWORK: _landlock_more,
    Barrier.LANDLOCK_SCOPES: _landlock_more,
    Barrier.SYSTEM_CALLS: _system_calls,
    Barrier.OWN_ROOT: _own_root,
    Barrier.OWN_INIT: _own_init,
    Barrier.SIZED_SCRATCH: _own_init,
}


def _resources(machine: Machine) -> tuple[Advice, ...]:
    """What else grading needs."""
    found: list[Advice] = []
    if (machine.temporary_free_mb or 0) < _ENOUGH_DISK_MB:
        text = (
            f"{machine.temporary} has {machine.temporary_free_mb} MiB left, and grading wants "
            f"{_ENOUGH_DISK_MB}: choose another folder with `export TMPDIR=FOLDER`."
        )
        found.append(Advice(about="temporary files", text=text, necessary=False))
    if machine.memory_mb is not None and machine.memory_mb < _ENOUGH_MEMORY_MB:
        text = (
            f"{machine.memory_mb} MiB are free, and one submission at a time wants "
            f"{_ENOUGH_MEMORY_MB}: give the machine or the container more (`--memory 4g`)."
        )
        found.append(Advice(about="memory", text=text, necessary=False))
    elif machine.memory_mb is not None and machine.memory_mb < _ENOUGH_MEMORY_MB * machine.cores:
        slots = machine.memory_mb // _ENOUGH_MEMORY_MB
        text = f"{machine.memory_mb} MiB are enough for {slots} at a time: `grade --jobs {slots}`."
        found.append(Advice(about="memory", text=text, necessary=False))
    return tuple(found)
