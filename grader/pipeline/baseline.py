"""Records what the references reach: random play, and a DQN agent in an ordinary worker."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader.assignments.loader import BASELINES_FILE, LoadedAssignment
from grader.assignments.registry import probe_kind, settings_of
from grader.assignments.seal import sealed
from grader.assignments.secret import Secret
from grader.assignments.validation import baseline_parts
from grader.episodes.environments import environment
from grader.episodes.extras import versions_of
from grader.episodes.lanes import Beat, SpareJobs, side_by_side
from grader.episodes.random_play import random_actions
from grader.episodes.rollout import play
from grader.errors import GraderFault, UsageError
from grader.intake.discovery import Source, take_in
from grader.pipeline.batch import Observer
from grader.probes.agent import play_all
from grader.probes.context import ProbeContext
from grader.records.agent_settings import AgentSettings, environment_alone
from grader.records.report import SeedSet
from grader.records.spec import Baselines, EpisodeSet, PartBaseline
from grader.records.submission import Submission
from grader.sandbox.server import WorkerSource, best_source


@dataclass(frozen=True)
class _Recording:
    """What all parts are recorded with."""

    loaded: LoadedAssignment
    submission: Submission
    workers: WorkerSource
    jobs: int
    observer: Observer


def seed_sets(loaded: LoadedAssignment) -> tuple[SeedSet, ...]:
    """The sets of seeds that references are to be recorded on.

    Secret seeds are recorded apart from the public ones; where an assignment keeps its final seeds
    secret, the public ones are all that can be recorded without the secret.
    """
    if loaded.secret_seeds is not None:
        return (SeedSet.FINAL,)
    return tuple(SeedSet) if loaded.assignment.seeds.final else (SeedSet.PUBLIC,)


def steps_of(loaded: LoadedAssignment) -> int:
    """How often the observer is told of a part: once for each agent and set of seeds."""
    return 2 * len(seed_sets(loaded)) * len(baseline_parts(loaded.assignment))


def record_baselines(
    loaded: LoadedAssignment, reference: Path, observer: Observer, *, jobs: int = 1
) -> Baselines:
    """Lets the references play the seeds of an assignment.

    Args:
        loaded: the assignment; its recorded baselines are not looked at.
        reference: a folder in the shape of a submission, with a DQN agent for each part that
            needs a baseline. Random play needs none of its files.
        observer: told of progress.
        jobs: episodes played side by side, where an agent allows it; changes no result.

    Raises:
        UsageError: the folder lacks what is needed.
        GraderFault: the reference agent or the environment failed; the operator must act.
    """
    if not baseline_parts(loaded.assignment):
        raise UsageError(f"{loaded.path} has no part that is compared with a reference")
    if not reference.is_dir():
        raise UsageError(f"{reference} is no folder with reference solutions")
    submission = take_in(Source(reference.resolve().name, reference), loaded.assignment)
    if submission.refusal is not None:
        raise UsageError(f"{reference}: {submission.refusal.reason}")
    workers = best_source()
    try:
        workers.wait_ready()
        observer.started()
        recording = _Recording(loaded, submission, workers, jobs, observer)
        parts = {
            part_id: _part(recording, part_id) for part_id in baseline_parts(loaded.assignment)
        }
    finally:
        workers.close()
    played = [part.environment_id for part in parts.values()]
    return Baselines(
        assignment_id=loaded.assignment.id,
        versions={
            package: version
            for environment_id in played
            for package, version in versions_of(environment_id).items()
        },
        parts=parts,
    )


def _part(recording: _Recording, part_id: str) -> PartBaseline:
    loaded = recording.loaded
    part = loaded.assignment.parts[part_id]
    settings: AgentSettings = settings_of(probe_kind(part.kind).settings, part.settings)
    empty = EpisodeSet(seeds=(), random_returns=(), dqn_returns=())
    sets = dict.fromkeys(SeedSet, empty)
    for seed_set in seed_sets(loaded):
        seeds = loaded.seeds_of(part_id, seed_set)
        recording.observer.part(part_id, f"{part_id}: random play, {seed_set} seeds")
        by_chance = random_returns(settings, seeds, recording.jobs)
        recording.observer.part(part_id, f"{part_id}: DQN agent, {seed_set} seeds")
        by_agent = _agent_returns(recording, part_id, settings, seed_set)
        sets[seed_set] = EpisodeSet(seeds=seeds, random_returns=by_chance, dqn_returns=by_agent)
    return PartBaseline(
        environment_id=settings.environment_id,
        environment=environment_alone(settings),
        public=sets[SeedSet.PUBLIC],
        final=sets[SeedSet.FINAL],
    )


def random_returns(settings: AgentSettings, seeds: tuple[int, ...], jobs: int) -> tuple[float, ...]:
    """Episode returns of random play, in this process: no worker is needed to draw from a space.

    Args:
        settings: which environment.
        seeds: one for each episode.
        jobs: episodes played side by side; changes no result.

    Raises:
        GraderFault: the environment failed; the instructor must act.
    """
    with environment(settings) as env:
        space = env.action_space

    def episode(seed: int, beat: Beat) -> float:
        act = random_actions(space, seed)
        played = play(settings, seed, act, beat=beat, keep_observations=False).episode
        if played.invalid_action is not None:
            raise GraderFault(f"{settings.environment_id} refuses actions of its own space")
        return played.episode_return

    tasks = [partial(episode, seed) for seed in seeds]
    return tuple(side_by_side(tasks, spare=SpareJobs(jobs - 1)))


def _agent_returns(
    recording: _Recording, part_id: str, settings: AgentSettings, seed_set: SeedSet
) -> tuple[float, ...]:
    loaded = recording.loaded
    part = loaded.assignment.parts[part_id]
    evidence = play_all(
        ProbeContext(
            part_id=part_id, part=part, kind=probe_kind(part.kind), settings=settings,
            limits=loaded.assignment.limits_of(part_id), submission=recording.submission,
            source=recording.workers, seed_set=seed_set, seeds=loaded.seeds_of(part_id, seed_set),
            spare=SpareJobs(recording.jobs - 1),
        )
    )  # fmt: skip
    problem = evidence.load or evidence.construction
    if problem is not None or evidence.unresolved:
        detail = problem.message if problem else "a name is missing"
        raise GraderFault(f"the reference DQN agent cannot play: {detail}")
    for number, episode in enumerate(evidence.episodes, start=1):
        if episode.incident is not None or episode.invalid_action is not None:
            raise GraderFault(
                f"the reference DQN agent failed in episode {number} of the {seed_set} seeds"
            )
    return tuple(episode.episode_return for episode in evidence.episodes)


def write_baselines(
    loaded: LoadedAssignment, baselines: Baselines, secret: Secret | None = None
) -> Path:
    """Writes the results beside the assignment or, of secret seeds, beside the secret.

    What tells secret seeds may be read by its owner alone.

    Raises:
        GraderFault: it could not be written.
    """
    path = loaded.path.with_name(BASELINES_FILE)
    if secret is not None:
        path = secret.baselines_file(loaded.assignment.id)
    temporary = path.with_name(f".{path.name}.partial")
    mode = 0o666 if secret is None else 0o600
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(sealed(baselines), indent=2) + "\n")
        temporary.replace(path)
    except OSError as error:
        raise GraderFault(f"{path} cannot be written: {error.strerror}") from error
    return path
