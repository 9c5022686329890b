"""Collect: run a submission's parts in workers and gather the evidence."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from grader import __version__
from grader.assignments.loader import LoadedAssignment
from grader.assignments.registry import probe_kind, settings_of
from grader.episodes.lanes import SpareJobs
from grader.errors import GraderFault
from grader.probes.context import EpisodeTiming, PartUsage, ProbeContext, missing
from grader.probes.importing import collect_evidence
from grader.records.evidence import Evidence, PartEvidence
from grader.records.incident import Incident, IncidentKind
from grader.records.report import SeedSet, SubmissionRef
from grader.records.spec import Isolation
from grader.records.submission import Submission
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import WorkerSource


@dataclass(frozen=True)
class PartTiming:
    """What one part cost."""

    wall_s: float
    cpu_s: float
    calls: int
    printed: str
    episodes: tuple[EpisodeTiming, ...] = ()
    """In their order; empty for parts that play none."""


@dataclass
class Collected:
    """Evidence, and what it cost to get."""

    evidence: Evidence
    timings: dict[str, PartTiming] = field(default_factory=dict)
    retries: list[str] = field(default_factory=list)
    """Why it was run more than once."""

    def fault(self) -> str | None:
        """The first fault that kept a part from being run to its end, if one did."""
        incidents = (part.load for part in self.evidence.parts)
        faults = (found for found in incidents if found and found.kind is IncidentKind.FAULT)
        return next((found.message for found in faults), None)


def collect_part(context: ProbeContext) -> PartEvidence:
    """Evidence of one part. Whatever goes wrong ends as an incident in it.

    An exception that is neither an incident nor a fault is a mistake in this program; it withholds
    the mark like any other fault.
    """
    nothing = missing(context)
    if nothing is not None:
        return context.empty(nothing)
    try:
        return collect_evidence(context)
    except WorkerIncident as error:
        message = f"an incident was not handled: {error}"
    except GraderFault as error:
        message = str(error)
    except Exception as error:  # noqa: BLE001  a mistake of ours must not become a mark
        message = f"{type(error).__name__}: {error}"
    return context.empty(
        Incident(
            kind=IncidentKind.FAULT, stage=f"probing {context.part_id}",
            message=clean_line(message, 500),
        )
    )  # fmt: skip


def probing_digest(loaded: LoadedAssignment, seed_set: SeedSet) -> str:
    """SHA-256 of what decides how a submission is run: parts, names, settings, limits, seeds.

    Points, titles, requirements, visibility and the settings of checks are left out: evidence can
    be judged again when they change. Of secret seeds it is the seeds that count, not the secret.
    """
    assignment = loaded.assignment
    seeds: object = assignment.seeds.public
    if seed_set is SeedSet.FINAL:
        seeds = assignment.seeds.final if loaded.secret_seeds is None else loaded.secret_seeds
    decisive = {
        "seeds": seeds,
        "parts": {
            part_id: {
                "kind": part.kind,
                "file": part.file,
                "import_mode": part.import_mode,
                "names": part.names,
                "settings": part.settings,
                "limits": assignment.limits_of(part_id).plain(),
            }
            for part_id, part in assignment.parts.items()
        },
    }
    text = json.dumps(decisive, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def part_digest(loaded: LoadedAssignment, part_id: str, seed_set: SeedSet) -> str:
    """SHA-256 of what decides how one part is run, whatever becomes of the others.

    Seeds count for kinds that play them alone.
    """
    assignment = loaded.assignment
    part = assignment.parts[part_id]
    decisive = {
        "part": part_id,
        "kind": part.kind,
        "file": part.file,
        "import_mode": part.import_mode,
        "names": part.names,
        "settings": part.settings,
        "limits": assignment.limits_of(part_id).plain(),
        "seeds": loaded.seeds_of(part_id, seed_set) if probe_kind(part.kind).uses_seeds else None,
    }
    text = json.dumps(decisive, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def nothing_collected(
    submission: Submission,
    loaded: LoadedAssignment,
    *,
    seed_set: SeedSet,
    message: str,
    stage: str,
) -> Collected:
    """Evidence that nothing could be run, for a reason on the grader's side.

    Args:
        submission: as far as it is known.
        loaded: the assignment.
        seed_set: which seeds would have been played.
        message: the reason.
        stage: what was being done.
    """
    parts = tuple(
        probe_kind(part.kind).evidence(
            part=part_id, kind=part.kind, file=part.file, isolation=Isolation.PROCESS,
            load=Incident(
                kind=IncidentKind.FAULT, stage=stage, message=clean_line(message, 500)
            ),
        )
        for part_id, part in loaded.assignment.parts.items()
    )  # fmt: skip
    return Collected(_evidence(submission, loaded, seed_set, parts))


def _evidence(
    submission: Submission,
    loaded: LoadedAssignment,
    seed_set: SeedSet,
    parts: tuple[PartEvidence, ...],
) -> Evidence:
    secret = loaded.secret_seeds if seed_set is SeedSet.FINAL else None
    return Evidence(
        grader_version=__version__,
        probing_digest=probing_digest(loaded, seed_set),
        submission=SubmissionRef(
            id=submission.id,
            digest=submission.digest(),
            files=tuple(file.record() for file in submission.files),
        ),
        seeds=seed_set,
        secret_seeds=None if secret is None else dict(secret),
        references=None if secret is None else loaded.baselines,
        parts=parts,
    )


def collect(
    submission: Submission,
    loaded: LoadedAssignment,
    source: WorkerSource | None,
    *,
    seed_set: SeedSet,
    parts: frozenset[str],
    kept: Mapping[str, PartEvidence] = MappingProxyType({}),
    on_part: Callable[[str], None] = lambda _: None,
    films: bool = True,
    spare: SpareJobs | None = None,
) -> Collected:
    """Runs the parts of a submission, one after the other.

    Args:
        submission: what was handed in.
        loaded: the assignment.
        source: starts the workers; None when there is evidence of all parts already.
        seed_set: which seeds to play.
        parts: ids of the parts that evidence is wanted of.
        kept: evidence of parts that need not be run again, by id.
        on_part: called with a part's id before it is run.
        films: whether films of episodes are wanted.
        spare: jobs that nobody uses, for parts that can do several things side by side.
    """
    assignment = loaded.assignment
    evidence: list[PartEvidence] = []
    timings: dict[str, PartTiming] = {}
    for part_id, part in assignment.parts.items():
        if part_id not in parts:
            continue
        if part_id in kept:
            evidence.append(kept[part_id])
            continue
        if source is None:
            raise ValueError(f"there is nothing to run {part_id} with")
        on_part(part_id)
        kind = probe_kind(part.kind)
        context = ProbeContext(
            part_id=part_id,
            part=part,
            kind=kind,
            settings=settings_of(kind.settings, part.settings),
            limits=assignment.limits_of(part_id),
            submission=submission,
            source=source,
            seed_set=seed_set,
            seeds=loaded.seeds_of(part_id, seed_set),
            usage=PartUsage(),
            films=films,
            spare=spare or SpareJobs(),
        )
        begun = time.monotonic()
        evidence.append(collect_part(context))
        timings[part_id] = PartTiming(
            wall_s=round(time.monotonic() - begun, 3),
            cpu_s=round(context.usage.cpu_s, 3),
            calls=context.usage.calls,
            printed=context.usage.printed,
            episodes=tuple(sorted(context.usage.episodes, key=lambda each: each.n)),
        )
    return Collected(_evidence(submission, loaded, seed_set, tuple(evidence)), timings)
