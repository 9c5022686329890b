"""What every probe starts from: the part, the submission, and workers to run it in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from grader.assignments.registry import ProbeKind, Role
from grader.episodes.lanes import SpareJobs
from grader.records.agent_requests import Prepare
from grader.records.base import Record
from grader.records.evidence import PartEvidence, Symbol, Unresolved
from grader.records.incident import Incident, IncidentKind
from grader.records.messages import Found, ImportFile, ReadFile, Resolve
from grader.records.report import SeedSet
from grader.records.running_settings import GymImport, GymSettings, PredictSettings
from grader.records.source import (
    MAX_TEXT_CHARS,
    Definitions,
    LayerCall,
    LeftOut,
    Reading,
    SourceHint,
)
from grader.records.spec import Isolation, Limits, PartSpec
from grader.records.submission import Submission
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.meter import Spent
from grader.sandbox.server import WorkerSource
from grader.sandbox.worker import Worker

Answer = TypeVar("Answer", bound=Record)

_NAMES_SHOWN: Final = 50
_NAME_CHARS: Final = 100
_SHOWN_FILES: Final = 8


@dataclass(frozen=True)
class EpisodeTiming:
    """What one episode cost the student's code."""

    n: int
    """Number of the episode, from 1, as in the names of receipts."""
    cpu_s: float
    """Processor time of the worker, the agent's making included."""
    steps_us: tuple[int, ...]
    """Microseconds waited for each action; of a batch, its share."""


@dataclass
class PartUsage:
    """What a part cost, for `timings.json` and never for a score, and how far it was kept in.

    For use by several threads, each with workers of its own.
    """

    cpu_s: float = 0.0
    wall_s: float = 0.0
    calls: int = 0
    running: list[Worker] = field(default_factory=list)
    printed: str = ""
    isolation: Isolation | None = None
    """The weakest isolation of the part's workers; None before the first one."""
    episodes: list[EpisodeTiming] = field(default_factory=list)
    """In no particular order."""
    _free_cpu_s: float = 0.0
    _free_wall_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def spent(self) -> Spent:
        """What the part has used of its limits in all of its workers so far."""
        with self._lock:
            return Spent(
                cpu_s=self.cpu_s + sum(each.cpu_s for each in self.running) - self._free_cpu_s,
                wall_s=self.wall_s + sum(each.wall_s for each in self.running) - self._free_wall_s,
            )

    @contextmanager
    def free(self, worker: Worker) -> Iterator[None]:
        """What a worker does in here does not count for the part's limits.

        For what the grader does again for reasons of its own.
        """
        cpu_s, wall_s = worker.cpu_s, worker.wall_s
        try:
            yield
        finally:
            with self._lock:
                self._free_cpu_s += worker.cpu_s - cpu_s
                self._free_wall_s += worker.wall_s - wall_s

    def confined(self, isolation: Isolation) -> None:
        """Notes the isolation of one more worker."""
        order = list(Isolation)
        with self._lock:
            self.isolation = min(isolation, self.isolation or isolation, key=order.index)

    def begun(self, worker: Worker) -> None:
        """Notes one more worker."""
        self.confined(worker.isolation)
        with self._lock:
            self.running.append(worker)

    def ended(self, worker: Worker) -> None:
        """Notes what a worker has used, before it is closed."""
        with self._lock:
            self.running.remove(worker)
            self.cpu_s += worker.cpu_s
            self.wall_s += worker.wall_s
            self.calls += worker.calls


@dataclass(frozen=True)
class ProbeContext:
    """One part of one submission, and the means to run it."""

    part_id: str
    part: PartSpec
    kind: ProbeKind
    settings: Any
    """Instance of the kind's settings."""
    limits: Limits
    submission: Submission
    source: WorkerSource
    seed_set: SeedSet
    seeds: tuple[int, ...]
    """Seeds of the episodes to play."""
    definitions_only: bool = False
    """Whether the file's definitions alone are run when it is imported."""
    usage: PartUsage = field(default_factory=PartUsage)
    spare: SpareJobs = field(default_factory=SpareJobs)
    """Jobs that nobody uses, for parts that can do several things side by side."""
    films: bool = True
    """Whether films of episodes are wanted; they decide nothing, and take time."""

    @contextmanager
    def worker(self, entropy: int) -> Iterator[Worker]:
        """A fresh worker that holds the submission's files.

        Args:
            entropy: start of all the worker's random generators. Two workers with different
                entropy agree only where the student's code is reproducible by itself.
        """
        worker = self.source.student(self.limits, entropy, self.usage.spent())
        self.usage.begun(worker)
        try:
            worker.put_files(tuple((file.path, file.content) for file in self.submission.files))
            if (prepared := self._prepared()) is not None:
                worker.ask(prepared, "getting ready")
            yield worker
        finally:
            self.usage.ended(worker)
            worker.close()
            if not self.usage.printed:
                self.usage.printed = worker.printed()

    def _prepared(self) -> Prepare | None:
        """How the assignment wants this part's code to be run, where it has a say in that."""
        gym = isinstance(self.settings, GymSettings) and self.settings.gym
        fast = isinstance(self.settings, PredictSettings)
        if not fast and gym is not GymImport.COMPATIBILITY:
            return None
        return Prepare(
            gym=gym is GymImport.COMPATIBILITY,
            fast_predict=self.settings.fast_predict if fast else None,
        )

    def names(self, role: Role) -> tuple[str, ...]:
        """Names accepted for a role."""
        return self.part.names.get(role.name, role.default_names)

    def base(self, **fields: Any) -> dict[str, Any]:
        """The fields that all evidence starts with."""
        return {
            "part": self.part_id,
            "file": self.part.file,
            "isolation": self.usage.isolation or Isolation.PROCESS,
            **fields,
        }

    def empty(self, load: Incident) -> PartEvidence:
        """Evidence of a part that could not be loaded."""
        return self.kind.evidence.model_validate(
            self.base(kind=self.kind.id, load=load), strict=True
        )


@dataclass(frozen=True)
class Loaded:
    """Whether the part's file could be imported and what it defines."""

    incident: Incident | None = None
    symbols: tuple[Symbol, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    reading: Reading = field(default_factory=Reading)
    definitions: Definitions = field(default_factory=Definitions)

    @property
    def complete(self) -> bool:
        """Whether everything the part must define is there."""
        return self.incident is None and not self.unresolved

    def fields(self) -> dict[str, Any]:
        """The evidence fields this decides."""
        return {
            "load": self.incident,
            "symbols": self.symbols,
            "unresolved": self.unresolved,
            "hints": self.reading.hints,
            "layer_calls": self.reading.layer_calls,
            "left_out": self.definitions.left_out,
        }


def missing(context: ProbeContext) -> Incident | None:
    """Why there is nothing to run: a refused submission, or a file that was not handed in."""
    if context.submission.refusal is not None:
        refusal = context.submission.refusal
        message = f"{refusal.reason} {refusal.advice}".strip()
        return Incident(kind=IncidentKind.REFUSED, stage="taking it in", message=message)
    if not context.submission.has(context.part.file):
        return Incident(
            kind=IncidentKind.MISSING_FILE,
            stage=context.part.file,
            message=_handed_in(context.submission),
        )
    return None


def _handed_in(submission: Submission) -> str:
    """The Python files that are there, for a student who misspelt a name."""
    names = [clean_line(file.path, 80) for file in submission.files if file.path.endswith(".py")]
    more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    return ", ".join(names[:_SHOWN_FILES]) + more if names else "no Python file at all"


def load(context: ProbeContext, worker: Worker) -> Loaded:
    """Reads the part's source text, imports the file and finds what it must define."""
    file = context.part.file
    stage = f"importing {file}"
    reading = Reading()
    try:
        reading = _reading(worker.ask(ReadFile(file=file), stage), stage)
        imported = ImportFile(file=file, definitions_only=context.definitions_only)
        definitions = _definitions(parsed(Definitions, worker.ask(imported, stage), stage))
    except WorkerIncident as incident:
        return Loaded(incident.incident, reading=reading)
    symbols: list[Symbol] = []
    unresolved: list[Unresolved] = []
    for role in context.kind.roles:
        if not _is_wanted(role, symbols):
            continue
        try:
            answer = worker.ask(
                Resolve(
                    role=role.name, what=role.what, names=context.names(role), owner=role.owner
                ),
                stage,
            )
            found = parsed(Found, answer, f"looking for `{role.name}`")
            _resolve(context, role, found, symbols, unresolved)
        except WorkerIncident as incident:
            return Loaded(incident.incident, reading=reading)
    return Loaded(None, tuple(symbols), tuple(unresolved), reading, definitions)


def _is_wanted(role: Role, symbols: list[Symbol]) -> bool:
    """Whether a role is to be looked for, after what was found for those before it."""
    there = {found.role for found in symbols}
    if role.owner is not None and role.owner not in there:
        return False  # a method of a class that is missing: one cause is told once
    return role.instead_of is None or role.instead_of not in there


def _reading(answer: object, stage: str) -> Reading:
    """What the source text shows, its texts bounded and cleaned."""
    try:
        told = Reading.parse(answer)
    except (TypeError, ValueError, RecursionError) as error:
        message = "the answer has another form"
        raise WorkerIncident(
            Incident(kind=IncidentKind.PROTOCOL, stage=stage, message=message)
        ) from error
    return Reading(
        hints=tuple(
            SourceHint(kind=hint.kind, line=hint.line, text=clean_line(hint.text, MAX_TEXT_CHARS))
            for hint in told.hints
        ),
        layer_calls=tuple(
            LayerCall(kind=clean_line(call.kind, MAX_TEXT_CHARS), line=call.line)
            for call in told.layer_calls
        ),
    )


def _definitions(told: Definitions) -> Definitions:
    return Definitions(
        left_out=tuple(
            LeftOut(
                first_line=each.first_line,
                last_line=each.last_line,
                text=clean_line(each.text, MAX_TEXT_CHARS),
            )
            for each in told.left_out
        )
    )


def load_again(context: ProbeContext, worker: Worker) -> None:
    """Loads a file that was complete once into a further worker.

    Raises:
        WorkerIncident: this time it did not load, or did not define the same.
    """
    again = load(context, worker)
    if again.incident is not None:
        raise WorkerIncident(again.incident)
    expect(
        again.complete,
        f"importing {context.part.file} in a second process",
        "the file defines something else than the first time",
    )


def _resolve(
    context: ProbeContext,
    role: Role,
    found: Found,
    symbols: list[Symbol],
    unresolved: list[Unresolved],
) -> None:
    """Notes what was found for a role. The worker's words are a claim: bounded and cleaned."""
    accepted = context.names(role)
    if found.name is None:
        if role.optional or role.instead_of is not None:
            return
        wrong_kind = found.wrong_kind
        unresolved.append(
            Unresolved(
                role=role.name,
                accepted=accepted,
                available=_cleaned(found.available),
                wrong_kind=None if wrong_kind is None else clean_line(wrong_kind, _NAME_CHARS),
            )
        )
        return
    expect(found.name in accepted, f"looking for `{role.name}`", "another name was found")
    symbols.append(
        Symbol(
            role=role.name,
            name=found.name,
            line=found.line,
            parameters=_cleaned(found.parameters),
        )
    )
    unresolved[:] = [missed for missed in unresolved if missed.role != role.instead_of]


def _cleaned(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean_line(name, _NAME_CHARS) for name in names[:_NAMES_SHOWN])


def parsed(kind: type[Answer], answer: object, stage: str) -> Answer:
    """A worker's answer as the record it should be.

    Args:
        kind: the record.
        answer: what came back.
        stage: what was being done.

    Raises:
        WorkerIncident: the answer has another form.
    """
    try:
        return kind.model_validate(answer, strict=True)
    except ValueError as error:
        incident = Incident(
            kind=IncidentKind.PROTOCOL, stage=stage, message="the answer has another form"
        )
        raise WorkerIncident(incident) from error


def expect(condition: bool, stage: str, message: str) -> None:
    """Turns an answer of the wrong form into an incident on the student's side.

    Raises:
        WorkerIncident: the condition does not hold.
    """
    if not condition:
        raise WorkerIncident(Incident(kind=IncidentKind.PROTOCOL, stage=stage, message=message))
