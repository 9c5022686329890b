"""What references are recorded on, and what keeps them from being recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignments.loader import LoadedAssignment
from grader.assignments.seal import sealed
from grader.assignments.secret import Secret
from grader.errors import GraderFault, UsageError
from grader.pipeline.baseline import (
    random_returns,
    record_baselines,
    seed_sets,
    steps_of,
    write_baselines,
)
from grader.pipeline.batch import Observer
from grader.records.agent_settings import AgentSettings
from grader.records.report import SeedSet
from grader.records.spec import Seeds

CARTPOLE = AgentSettings(environment_id="CartPole-v1")


def test_random_play_needs_no_ones_code_and_is_the_same_every_time(
    small: LoadedAssignment,
) -> None:
    """What is recorded with the built-in assignment is played again, in this process."""
    assert small.baselines is not None
    recorded = small.baselines.parts["agent"].public
    assert random_returns(CARTPOLE, recorded.seeds, jobs=1) == recorded.random_returns
    assert random_returns(CARTPOLE, recorded.seeds, jobs=2) == recorded.random_returns


def test_random_play_scores_what_random_play_scores() -> None:
    """Uniform actions balance the pole for 22 steps in the mean; the mean of 200 has sd 0.8."""
    returns = random_returns(CARTPOLE, tuple(range(200)), jobs=1)
    assert sum(returns) / len(returns) == pytest.approx(22.2, abs=3.5)


@pytest.mark.parametrize(
    ("seeds", "secret", "played"),
    [
        (Seeds(public=(1,), final=(2,)), None, (SeedSet.PUBLIC, SeedSet.FINAL)),
        (Seeds(public=(1,), final_episodes=3), None, (SeedSet.PUBLIC,)),
        (Seeds(public=(1,), final=(2,)), {"agent": (7,)}, (SeedSet.FINAL,)),
        (Seeds(public=(1,), final_episodes=1), {"agent": (7,)}, (SeedSet.FINAL,)),
    ],
)
def test_secret_seeds_are_recorded_apart(
    seeds: Seeds,
    secret: dict[str, tuple[int, ...]] | None,
    played: tuple[SeedSet, ...],
    small: LoadedAssignment,
) -> None:
    assignment = small.assignment.model_copy(update={"seeds": seeds})
    loaded = replace(small, assignment=assignment, secret_seeds=secret)
    assert seed_sets(loaded) == played
    assert steps_of(loaded) == 2 * len(played)


def test_what_cannot_be_recorded_is_told_before_anything_is_started(
    small: LoadedAssignment, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no folder with reference solutions"):
        record_baselines(small, tmp_path / "absent", Observer())
    parts = {"convolution": small.assignment.parts["convolution"]}
    without = replace(small, assignment=small.assignment.model_copy(update={"parts": parts}))
    with pytest.raises(UsageError, match="no part that is compared"):
        record_baselines(without, tmp_path, Observer())


def test_results_of_a_secret_lie_beside_it_and_belong_to_its_owner(
    small: LoadedAssignment, tmp_path: Path
) -> None:
    assert small.baselines is not None
    secret = Secret(tmp_path / "x.secret", b"0123456789abcdef", exposed=False)
    for _ in range(2):  # the second time, a file of that name is there
        file = write_baselines(small, small.baselines, secret)
        assert file == tmp_path / "x.secret.week13.baselines.json"
        assert file.stat().st_mode & 0o077 == 0
        assert json.loads(file.read_text()) == sealed(small.baselines)
    lost = replace(small, path=tmp_path / "absent" / "assignment.toml")
    with pytest.raises(GraderFault, match="cannot be written"):
        write_baselines(lost, small.baselines)
