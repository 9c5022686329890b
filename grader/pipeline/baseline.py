"""Records what the reference agents reach: both play every seed, through the ordinary workers."""

from __future__ import annotations

import json
from pathlib import Path

from grader.assignments.loader import BASELINES_FILE, LoadedAssignment
from grader.assignments.registry import probe_kind, settings_of
from grader.assignments.seal import sealed
from grader.episodes.rollout import versions
from grader.errors import GraderFault, UsageError
from grader.intake.discovery import Source, take_in
from grader.pipeline.batch import Observer
from grader.probes.agent import play_all
from grader.probes.context import ProbeContext
from grader.records.report import SeedSet
from grader.records.spec import Baselines, EpisodeSet, PartBaseline, PartSpec, Seeds
from grader.records.submission import Submission
from grader.sandbox.server import WorkerSource, best_source


def record_baselines(loaded: LoadedAssignment, reference: Path, observer: Observer) -> Baselines:
    """Lets the reference agents play all seeds of an assignment.

    Args:
        loaded: the assignment; its recorded baselines are not looked at.
        reference: a folder in the shape of a submission, with a DQN agent for each part that
            needs a baseline and a random agent.
        observer: told of progress.

    Raises:
        UsageError: the folder lacks what is needed.
        GraderFault: a reference agent failed; the operator must act.
    """
    if not reference.is_dir():
        raise UsageError(f"{reference} is no folder with reference solutions")
    submission = take_in(Source(reference.resolve().name, reference), loaded.assignment)
    if submission.refusal is not None:
        raise UsageError(f"{reference}: {submission.refusal.reason}")
    assignment = loaded.assignment
    random_part = next(
        (part for part in assignment.parts.values() if part.kind == "random_agent"), None
    )
    if random_part is None:
        raise UsageError(f"{loaded.path} has no part of kind random_agent to play at random")
    recorded: dict[str, PartBaseline] = {}
    workers = best_source()
    try:
        workers.wait_ready()
        observer.started()
        for part_id, part in assignment.parts.items():
            kind = probe_kind(part.kind)
            if kind.uses_baseline:
                recorded[part_id] = _part(
                    loaded, submission, workers, part_id, part, random_part, observer
                )
    finally:
        workers.close()
    return Baselines(assignment_id=assignment.id, versions=versions(), parts=recorded)


def _part(
    loaded: LoadedAssignment,
    submission: Submission,
    workers: WorkerSource,
    part_id: str,
    part: PartSpec,
    random_part: PartSpec,
    observer: Observer,
) -> PartBaseline:
    kind = probe_kind(part.kind)
    as_random = part.model_copy(update={"file": random_part.file, "names": random_part.names})
    settings = settings_of(kind.settings, part.settings)

    def returns(spec: PartSpec, label: str, seed_set: SeedSet, seeds: Seeds) -> tuple[float, ...]:
        observer.part(part_id, f"{label} agent, {seed_set} seeds")
        context = ProbeContext(
            part_id=part_id, part=spec, kind=kind, settings=settings,
            limits=loaded.assignment.limits_of(part_id), submission=submission, source=workers,
            seed_set=seed_set,
            seeds=seeds.public if seed_set is SeedSet.PUBLIC else seeds.final,
        )  # fmt: skip
        return _returns(context, label)

    seeds = loaded.assignment.seeds
    sets = {
        seed_set: EpisodeSet(
            seeds=seeds.public if seed_set is SeedSet.PUBLIC else seeds.final,
            random_returns=returns(as_random, "random", seed_set, seeds),
            dqn_returns=returns(part, "DQN", seed_set, seeds),
        )
        for seed_set in SeedSet
    }
    return PartBaseline(
        environment_id=settings.environment_id,
        public=sets[SeedSet.PUBLIC],
        final=sets[SeedSet.FINAL],
    )


def _returns(context: ProbeContext, label: str) -> tuple[float, ...]:
    evidence = play_all(context)
    problem = evidence.load or evidence.construction
    if problem is not None or evidence.unresolved:
        detail = problem.message if problem else "a name is missing"
        raise GraderFault(f"the reference {label} agent cannot play: {detail}")
    for episode in evidence.episodes:
        if episode.incident is not None or episode.invalid_action is not None:
            raise GraderFault(f"the reference {label} agent failed on seed {episode.seed}")
    return tuple(episode.episode_return for episode in evidence.episodes)


def write_baselines(loaded: LoadedAssignment, baselines: Baselines) -> Path:
    """Writes `baselines.json` beside the assignment.

    Raises:
        GraderFault: it could not be written.
    """
    path = loaded.path.with_name(BASELINES_FILE)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_text(json.dumps(sealed(baselines), indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise GraderFault(f"{path} cannot be written: {error.strerror}") from error
    return path
