"""What every probe starts from: the part, the submission, and workers to run it in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from grader.assignments.registry import ProbeKind, Role
from grader.records.evidence import Incident, IncidentKind, PartEvidence, Symbol, Unresolved
from grader.records.report import SeedSet
from grader.records.spec import Isolation, Limits, PartSpec
from grader.records.submission import Submission
from grader.records.wire import Found, ImportFile, Resolve
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import WorkerSource
from grader.sandbox.worker import Worker


@dataclass
class PartUsage:
    """What a part cost, for `timings.json`; never for a score."""

    cpu_s: float = 0.0
    calls: int = 0
    printed: str = ""


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
    usage: PartUsage = field(default_factory=PartUsage)

    @contextmanager
    def worker(self, entropy: int) -> Iterator[Worker]:
        """A fresh worker that holds the submission's files.

        Args:
            entropy: start of all the worker's random generators. Two workers with different
                entropy agree only where the student's code is reproducible by itself.
        """
        worker = self.source.student(self.limits, entropy)
        try:
            worker.put_files(tuple((file.path, file.content) for file in self.submission.files))
            yield worker
        finally:
            self.usage.cpu_s += worker.cpu_s
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
            "isolation": Isolation.PROCESS,
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
        }


def missing(context: ProbeContext) -> Incident | None:
    """Why there is nothing to run: a refused submission, or a file that was not handed in."""
    if context.submission.refusal is not None:
        refusal = context.submission.refusal
        message = f"{refusal.reason} {refusal.advice}".strip()
        return Incident(kind=IncidentKind.REFUSED, stage="taking it in", message=message)
    if not context.submission.has(context.part.file):
        return Incident(kind=IncidentKind.MISSING_FILE, stage=context.part.file)
    return None


def load(context: ProbeContext, worker: Worker) -> Loaded:
    """Imports the part's file and finds what it must define."""
    try:
        worker.ask(ImportFile(file=context.part.file), f"importing {context.part.file}")
    except WorkerIncident as incident:
        return Loaded(incident.incident)
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
                f"importing {context.part.file}",
            )
        except WorkerIncident as incident:
            return Loaded(incident.incident)
        found = _found(answer)
        if found.name is not None:
            symbols.append(
                Symbol(
                    role=role.name, name=found.name, line=found.line, parameters=found.parameters
                )
            )
        else:
            unresolved.append(
                Unresolved(
                    role=role.name,
                    accepted=context.names(role),
                    available=found.available,
                    wrong_kind=found.wrong_kind,
                )
            )
    return Loaded(None, tuple(symbols), tuple(unresolved))


def _found(answer: Any) -> Found:
    try:
        return Found.model_validate(answer, strict=True)
    except ValueError as error:
        incident = Incident(
            kind=IncidentKind.PROTOCOL, stage="looking for names", message="malformed answer"
        )
        raise WorkerIncident(incident) from error


def expect(condition: bool, stage: str, message: str) -> None:
    """Turns an answer of the wrong form into an incident on the student's side.

    Raises:
        WorkerIncident: the condition does not hold.
    """
    if not condition:
        raise WorkerIncident(Incident(kind=IncidentKind.PROTOCOL, stage=stage, message=message))
