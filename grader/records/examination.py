"""What became of trying each barrier on a machine, and what the machine is like."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from grader.records.barriers import Barrier
from grader.records.base import SCHEMA_VERSION, Record
from grader.records.spec import Isolation


class TrialState(StrEnum):
    """How the trial of a barrier ended."""

    HOLDS = "holds"
    REFUSED = "does not hold"
    NOT_TRIED = "not tried"


class Trial(Record):
    """One barrier, tried."""

    barrier: Barrier
    state: TrialState
    seen: str = ""
    """What showed that it holds."""
    why: str = ""
    """Why it does not hold, or was not tried."""
    error: str = ""
    """The kernel's name of the error, such as `EPERM`, where there was one."""
    needs: Barrier | None = None
    """The barrier without which it was not tried."""


class Examination(Record):
    """What the worker's program finds out; only a program that ends afterwards can."""

    trials: tuple[Trial, ...]
    isolation: Isolation
    """The strongest level at which all its barriers hold together."""
    refused: dict[Isolation, str]
    """Why stronger levels are not to be had."""
    landlock_abi: int
    """Version of Landlock's interface, 0 for none."""
    is_root: bool
    """Whether the grader runs as root."""
    user: int
    """The user that workers run as."""
    closed_folders: tuple[str, ...] = ()
    """Folders that only root can enter and that hold the interpreter or its packages."""
    variables: tuple[str, ...] = ()
    """Names of the environment variables that the worker's program sees."""


class Machine(Record):
    """What is known about a machine without trying anything."""

    system: str
    """Such as `linux` or `darwin`."""
    release: str
    """Of the kernel."""
    architecture: str
    container: tuple[str, ...] = ()
    """What suggests that this is a container; an image of one may leave such marks elsewhere."""
    is_filtered: bool = False
    """Whether a system-call filter of somebody else's is in force already."""
    covered: tuple[str, ...] = ()
    """Parts of `/proc` that are covered, as container engines do."""
    settings: dict[str, str] = Field(default_factory=dict)
    """Kernel settings that decide about namespaces, by name; absent ones are left out."""
    security_modules: tuple[str, ...] = ()
    """Such as `landlock`, `apparmor`; empty where the kernel does not tell."""
    temporary: str
    """Folder for temporary files."""
    temporary_problem: str = ""
    """Why nothing can be written there."""
    temporary_free_mb: int | None = None
    memory_mb: int | None = None
    """MiB that can be had at present, by the machine and by the limits of a container."""
    cores: int
    versions: dict[str, str] = Field(default_factory=dict)
    """Of Python and the packages, by name."""


class Attempt(Record):
    """Something forbidden, attempted inside a worker."""

    what: str
    refused: bool
    how: str
    """The error, or what came of it."""


class Proof(Record):
    """What a worker of the real fork server could do."""

    isolation: Isolation
    attempts: tuple[Attempt, ...] = ()
    wall_s: float = 0.0
    problem: str = ""
    """Why no worker could be had, or what it did instead of answering."""

    @property
    def holds(self) -> bool:
        """Whether workers run and everything was refused."""
        return not self.problem and all(attempt.refused for attempt in self.attempts)


class Advice(Record):
    """What keeps a machine from full isolation, and what to do about it."""

    about: str
    """A barrier, or another thing that grading needs."""
    text: str
    necessary: bool
    """Whether full isolation, or grading at all, depends on it."""


class Diagnosis(Record):
    """Everything that `grader doctor` found."""

    schema_version: int = SCHEMA_VERSION
    isolation: Isolation
    """The level that `grader grade` would use."""
    exit_code: int
    machine: Machine
    examination: Examination
    advice: tuple[Advice, ...]
    proof: Proof
