"""What every probe starts from: the part, the submission, and workers to run it in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from grader.assignments.registry import ProbeKind, Role
from grader.records.base import Record
from grader.records.evidence import PartEvidence, Symbol, Unresolved
from grader.records.incident import Incident, IncidentKind
from grader.records.messages import Found, ImportFile, ReadFile, Resolve
from grader.records.report import SeedSet
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


@dataclass
class PartUsage:
    """What a part cost, for `timings.json` and never for a score, and how far it was kept in."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    calls: int = 0
    running: list[Worker] = field(default_factory=list)
    printed: str = ""
    isolation: Isolation | None = None
    """The weakest isolation of the part's workers; None before the first one."""

    def spent(self) -> Spent:
        """What the part has used in all of its workers so far."""
        return Spent(
            cpu_s=self.cpu_s + sum(worker.cpu_s for worker in self.running),
            wall_s=self.wall_s + sum(worker.wall_s for worker in self.running),
        )

    def confined(self, isolation: Isolation) -> None:
        """Notes the isolation of one more worker."""
        order = list(Isolation)
        found = [isolation] if self.isolation is None else [isolation, self.isolation]
        self.isolation = min(found, key=order.index)


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

    @contextmanager
    def worker(self, entropy: int) -> Iterator[Worker]:
        """A fresh worker that holds the submission's files.

        Args:
            entropy: start of all the worker's random generators. Two workers with different
                entropy agree only where the student's code is reproducible by itself.
        """
        worker = self.source.student(self.limits, entropy, self.usage.spent())
        self.usage.confined(worker.isolation)
        self.usage.running.append(worker)
        try:
            worker.put_files(tuple((file.path, file.content) for file in self.submission.files))
            yield worker
        finally:
            self.usage.running.remove(worker)
            self.usage.cpu_s += worker.cpu_s
            self.usage.wall_s += worker.wall_s
            self.usage.calls += worker.calls
            worker.close()
            if not self.usage.printed:
                self.usage.printed = worker.printed()

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
        if role.owner is not None and not any(found.role == role.owner for found in symbols):
            continue  # a method of a class that is missing: one cause is told once
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
