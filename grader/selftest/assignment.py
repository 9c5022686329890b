"""The assignment that attacks are handed in for, with seeds that nobody can know."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Final

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.assignments.validation import baseline_parts, environment_of
from grader.records.spec import Assignment, Baselines, EpisodeSet, PartBaseline, Seeds

_FILE: Final = Path(__file__).parent / "assignment.toml"
_SEED_BITS: Final = 63


def drawn_assignment() -> LoadedAssignment:
    """The self-test's assignment with freshly drawn seeds.

    What the reference agents reach is known without playing: a random walk hardly ever crosses the
    ice, and arriving is worth 1.
    """
    loaded = load_assignment(str(_FILE))
    assignment = loaded.assignment
    seeds = Seeds(
        public=tuple(_drawn(len(assignment.seeds.public))),
        final=tuple(_drawn(len(assignment.seeds.final))),
    )
    drawn = assignment.model_copy(update={"seeds": seeds})
    return replace(loaded, assignment=drawn, baselines=_baselines(drawn))


def _drawn(count: int) -> list[int]:
    return [secrets.randbits(_SEED_BITS) for _ in range(count)]


def _baselines(assignment: Assignment) -> Baselines:
    def results(seeds: tuple[int, ...]) -> EpisodeSet:
        return EpisodeSet(
            seeds=seeds, random_returns=(0.0,) * len(seeds), dqn_returns=(1.0,) * len(seeds)
        )

    return Baselines(
        assignment_id=assignment.id,
        versions={},
        parts={
            part_id: PartBaseline(
                environment_id=environment_of(assignment.parts[part_id]) or "",
                public=results(assignment.seeds.public),
                final=results(assignment.seeds.final),
            )
            for part_id in baseline_parts(assignment)
        },
    )
