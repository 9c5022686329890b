"""The assignment: everything a course decides, as data."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    FiniteFloat,
    JsonValue,
    StringConstraints,
    field_serializer,
    model_validator,
)

from grader.records.base import SCHEMA_VERSION, Record
from grader.records.environments import PlayedEnvironment
from grader.records.source import ImportMode

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
CheckId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63}$")]
AssignmentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
PythonName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
SpaceText = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""A Gymnasium space, written as a call: `Discrete(4)`, `Box(-1, 1, (3,))`, `Tuple(…)`."""


class Visibility(StrEnum):
    """Who may run a check before the deadline."""

    PUBLIC = "public"
    """Students run it themselves with `grader check`."""
    HIDDEN = "hidden"
    """Only `grader grade` runs it."""


class Isolation(StrEnum):
    """How far a worker is kept from the rest of the machine, weakest first."""

    PROCESS = "process"
    """A process of its own with resource limits; no barrier to the file system or network."""
    RESTRICTED = "restricted"
    """Also a system-call filter and Landlock."""
    FULL = "full"
    """Also namespaces: an own file system, process table and (empty) network."""


class Limits(Record):
    """What student code may use. A limit that is hit is the student's side, reported by name."""

    call_wall_s: float = Field(default=60.0, gt=0, le=3600)
    """Seconds on the clock for one call, waiting included; the call is ended."""
    call_cpu_s: float = Field(default=10.0, gt=0, le=3600)
    """Seconds of processor time for one call, all threads; the call is ended."""
    part_wall_s: float = Field(default=600.0, gt=0, le=36000)
    """Seconds on the clock for one part of a submission; the part is ended."""
    part_cpu_s: float = Field(default=300.0, gt=0, le=36000)
    """Seconds of processor time for one part of a submission; the part is ended."""
    memory_mb: int = Field(default=4096, ge=512, le=1 << 20)
    """MiB of address space (TensorFlow itself maps about 1500); allocation fails beyond it."""
    data_mb: int = Field(default=2048, ge=384, le=1 << 20)
    """MiB of writable memory of its own: heap, stacks, arrays; allocation fails beyond it."""
    resident_mb: int = Field(default=2048, ge=256, le=1 << 20)
    """MiB in memory, of the worker and everything it started; all are ended."""
    processes: int = Field(default=0, ge=0, le=1000)
    """Processes the student's code may start; all are ended when there are more."""
    threads: int = Field(default=256, ge=32, le=10000)
    """Threads running at once, TensorFlow's own among them; starting one fails beyond it."""
    open_files: int = Field(default=256, ge=64, le=65536)
    """Open file descriptors; opening fails beyond it."""
    file_mb: int = Field(default=64, ge=1, le=65536)
    """MiB of one file that is written; writing fails beyond it."""
    scratch_mb: int = Field(default=256, ge=96, le=1 << 20)
    """MiB in the working folder, the submitted files (64 at most) among them; writing fails beyond
    it, or the part is ended."""
    scratch_files: int = Field(default=10_000, ge=5_000, le=10_000_000)
    """Files and folders in the working folder, the submitted ones among them; making one more
    fails, or the part is ended."""
    output_kb: int = Field(default=8192, ge=1, le=1 << 20)
    """KiB printed; the part is ended beyond it. The first 64 KiB are kept."""
    reply_mb: int = Field(default=256, ge=1, le=2048)
    """MiB of one answer (a model's weights, an array); the part is ended beyond it."""


class Seeds(Record):
    """Seeds of the episodes that are played, one episode per seed."""

    public: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=1000)]
    """For self-checks; students know them."""
    final: Annotated[tuple[Seed, ...], Field(max_length=1000)] = ()
    """For grading; may be left out where `final_episodes` says how many there are."""
    final_episodes: int | None = Field(default=None, ge=1, le=1000)
    """Episodes that grading plays under seeds from a secret file; as many as `final` has when left
    out."""

    @property
    def final_count(self) -> int:
        """Episodes that grading plays."""
        return self.final_episodes or len(self.final)

    @model_validator(mode="after")
    def _disjoint_and_unique(self) -> Self:
        if not self.final and self.final_episodes is None:
            raise ValueError(
                "there are no seeds for grading; give some as `final`, or say with "
                "`final_episodes` how many come from a secret file"
            )
        if self.final and self.final_episodes not in {None, len(self.final)}:
            raise ValueError(
                f"`final` has {len(self.final)} seeds and `final_episodes` says "
                f"{self.final_episodes}; leave one of them out"
            )
        if len(set(self.public)) != len(self.public) or len(set(self.final)) != len(self.final):
            raise ValueError("a seed stands twice; every episode needs a seed of its own")
        if set(self.public) & set(self.final):
            raise ValueError("public and final seeds must not share a seed")
        return self


class CheckSpec(Record):
    """One check of a part: what it is worth and what must pass before it."""

    title: str = Field(min_length=1, max_length=200)
    """What is checked, as the student reads it."""
    kind: CheckId | None = None
    """The kind of check; `<kind of the part>.<name of this check>` when left out."""
    points: float = Field(ge=0, le=10000)
    """Marks for passing in full."""
    visibility: Visibility = Visibility.PUBLIC
    """Whether students can run it themselves."""
    required: bool = True
    """Whether missing it makes `grader` exit with 1."""
    requires: tuple[CheckId, ...] = ()
    """Checks that must pass first; otherwise this one is skipped."""
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """Settings of this kind of check."""


class PartSpec(Record):
    """One thing a student hands in: a file, what it defines, how it is probed and checked."""

    title: str = Field(min_length=1, max_length=200)
    """The part's name, as the student reads it."""
    kind: Identifier
    """The kind of probe."""
    file: FileName
    """The file the student hands in."""
    names: dict[Identifier, Annotated[tuple[PythonName, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """For each role of this kind (a class, a function, a method), the names accepted for it."""
    import_mode: ImportMode = ImportMode.WHOLE_THEN_DEFINITIONS
    """How much of the file is run when it is imported: `whole`, `definitions` (imports, functions,
    classes and simple assignments; a script beside them costs nothing), or
    `whole_then_definitions` (definitions alone where the whole file fails; costs half of the
    interface check)."""
    limits: Limits | None = None
    """Limits of this part alone; the assignment's when left out."""
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """Settings of this kind of probe."""
    checks: Annotated[dict[Identifier, CheckSpec], Field(min_length=1)]
    """The part's checks, in the order of the report."""

    def check_kind(self, name: str) -> str:
        """The kind of the check with this name."""
        return self.checks[name].kind or f"{self.kind}.{name}"


class Assignment(Record):
    """An assignment: the whole of `assignment.toml`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    """Version of this file's format."""
    id: AssignmentId
    """Short name, as in `--assignment week13`."""
    title: str = Field(min_length=1, max_length=200)
    """The assignment's name, as the student reads it."""
    description: str = Field(default="", max_length=5000)
    """A paragraph at the head of the report."""
    isolation: Isolation = Isolation.PROCESS
    """The least isolation that grading accepts."""
    seeds: Seeds = Seeds(public=(0,), final=(1,))
    """Episode seeds; may be left out where no part plays episodes."""
    limits: Limits = Field(default_factory=Limits)
    """What student code may use, per part."""
    parts: Annotated[dict[Identifier, PartSpec], Field(min_length=1)]
    """What is handed in, in the order of the report."""

    def check_ids(self) -> tuple[str, ...]:
        """All check ids, in report order."""
        return tuple(
            f"{part_id}.{name}" for part_id, part in self.parts.items() for name in part.checks
        )

    def limits_of(self, part_id: str) -> Limits:
        """The limits in force for a part."""
        return self.parts[part_id].limits or self.limits


class EpisodeSet(Record):
    """Returns of the two reference agents on the same seeds."""

    seeds: tuple[Seed, ...]
    random_returns: tuple[FiniteFloat, ...]
    """Episode return of the random agent, one per seed."""
    dqn_returns: tuple[FiniteFloat, ...]
    """Episode return of the reference DQN agent, one per seed."""

    @model_validator(mode="after")
    def _one_return_per_seed(self) -> Self:
        if not len(self.seeds) == len(self.random_returns) == len(self.dqn_returns):
            raise ValueError("there must be one return per seed and agent")
        return self


class PartBaseline(Record):
    """What the reference agents reached in one part's environment."""

    environment_id: str
    """Gymnasium id."""
    environment: PlayedEnvironment | None = None
    """All that decides the environment they played in; None where that is not known."""
    public: EpisodeSet
    """Empty in results for secret seeds."""
    final: EpisodeSet
    """Empty where the final seeds are secret."""

    @field_serializer("environment")
    def _as_written(self, environment: PlayedEnvironment | None) -> dict[str, Any] | None:
        # What was left out must stay left out: some keys are refused beside others.
        return (
            None if environment is None else environment.model_dump(mode="json", exclude_unset=True)
        )


class Baselines(Record):
    """Recorded results of the reference agents: `baselines.json` beside `assignment.toml`.

    Results for secret seeds stand in a file of their own, beside the secret.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    assignment_id: AssignmentId
    versions: dict[str, str]
    """Versions of the packages that played the episodes."""
    parts: dict[Identifier, PartBaseline]
