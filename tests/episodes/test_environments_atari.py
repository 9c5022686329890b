"""The two protocols of the Arcade Learning Environment, seen from the emulator's side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.episodes.environments import environment
from grader.episodes.protocols import PARAMETERS
from grader.episodes.random_play import random_actions
from grader.records.environments import PlayedEnvironment, Protocol, ProtocolSettings
from grader.records.wrappers import DtypeObservation, RescaleObservation

MNIH, MACHADO = Protocol.MNIH_2015, Protocol.MACHADO_2018


def game(protocol: Protocol, name: str = "Breakout", **changes: Any) -> PlayedEnvironment:
    return PlayedEnvironment(
        environment_id=f"ALE/{name}-v5",
        protocol=protocol,
        protocol_settings=ProtocolSettings(**changes),
    )


def pictures(settings: PlayedEnvironment, seed: int) -> bytes:
    """All that is seen in the first steps."""
    with environment(settings) as env:
        seen = [env.reset(seed=seed)[0]]
        seen += [env.step(1 + step % 2)[0] for step in range(25)]
    return np.stack(seen).tobytes()


def emulator(env: Any) -> Any:
    return env.unwrapped.ale


@pytest.mark.parametrize(
    ("protocol", "actions", "sticky", "frames"), [(MNIH, 4, 0.0, 4), (MACHADO, 18, 0.25, 5)]
)
def test_a_protocol_is_what_the_emulator_is_set_to(
    protocol: Protocol, actions: int, sticky: float, frames: int
) -> None:
    with environment(game(protocol)) as env:
        observation, _ = env.reset(seed=4)
        assert (observation.shape, observation.dtype) == ((84, 84, 4), np.uint8)
        assert env.observation_space.contains(observation)
        space: Any = env.action_space
        assert space.n == actions
        assert emulator(env).getFloat("repeat_action_probability") == sticky
        before = emulator(env).getEpisodeFrameNumber()
        env.step(0)
        assert emulator(env).getEpisodeFrameNumber() - before == frames


@pytest.mark.parametrize(("protocol", "frames"), [(MNIH, 18_000), (MACHADO, 108_000)])
def test_an_episode_is_cut_after_five_minutes_or_half_an_hour(
    protocol: Protocol, frames: int
) -> None:
    assert PARAMETERS[protocol].max_frames == frames
    with environment(game(protocol)) as env:
        assert emulator(env).getInt("max_num_frames_per_episode") == frames


def test_a_game_that_never_begins_ends_at_the_cap() -> None:
    with environment(game(MNIH, max_frames=200, epsilon=0.0)) as env:
        env.reset(seed=1)
        steps = 1
        while not (over := env.step(0)[2:4])[1]:
            steps += 1
            assert over == (False, False)
        assert emulator(env).getEpisodeFrameNumber() == 200
        assert emulator(env).lives() == 5
    assert 42 <= steps <= 50  # 200 frames less 1 to 30 no-ops, 4 to a step


def test_no_ops_begin_an_episode_and_their_number_follows_from_the_seed() -> None:
    counts = []
    for seed in range(12):
        with environment(game(MNIH)) as env:
            env.reset(seed=seed)
            counts.append(emulator(env).getEpisodeFrameNumber())
    assert min(counts) >= 1
    assert max(counts) <= 30
    assert len(set(counts)) > 5
    with environment(game(MACHADO)) as env:
        env.reset(seed=3)
        assert emulator(env).getEpisodeFrameNumber() == 0


def test_a_lost_life_is_not_the_end() -> None:
    with environment(game(MNIH, max_frames=3000)) as env:
        env.reset(seed=2)
        act = random_actions(env.action_space, 2)
        lives = []
        over = False
        while not over:
            _, _, terminated, truncated, _ = env.step(act(None, 0))
            over = terminated or truncated
            lives.append(emulator(env).lives())
    assert sorted(set(lives)) == [0, 1, 2, 3, 4, 5]
    assert lives[-1] == 0
    assert terminated


def test_channels_are_the_last_four_pictures_the_newest_last() -> None:
    with environment(game(MNIH, name="Freeway", epsilon=0.0)) as env:
        before, _ = env.reset(seed=6)
        for _ in range(5):
            after, *_ = env.step(1)
            np.testing.assert_array_equal(after[..., :3], before[..., 1:])
            assert (after[..., 3] != before[..., 3]).any()
            assert after.flags.c_contiguous
            before = after


def test_without_chance_every_seed_plays_alike_and_with_it_they_differ() -> None:
    def games(settings: PlayedEnvironment) -> set[bytes]:
        return {pictures(settings, seed) for seed in (1, 2, 3)}

    certain = {"noop_max": 0, "epsilon": 0.0, "repeat_action_probability": 0.0}
    assert len(games(game(MNIH, **certain))) == 1
    for chance in ({"noop_max": 30}, {"epsilon": 0.3}, {"repeat_action_probability": 0.25}):
        assert len(games(game(MNIH, **(certain | chance)))) > 1
    assert len(games(game(MACHADO))) > 1


def test_what_an_assignment_changes_of_a_protocol_is_changed() -> None:
    changed = game(
        MACHADO, frame_skip=3, screen_size=42, stack_size=2, full_action_space=False, max_frames=99
    )
    with environment(changed) as env:
        observation, _ = env.reset(seed=1)
        assert observation.shape == (42, 42, 2)
        space: Any = env.action_space
        assert space.n == 4
        env.step(1)
        assert emulator(env).getEpisodeFrameNumber() == 3
        assert emulator(env).getInt("max_num_frames_per_episode") == 99


def test_wrappers_of_the_assignment_see_the_protocols_pictures() -> None:
    settings = game(MNIH).model_copy(
        update={
            "wrappers": (
                DtypeObservation(dtype="float32"),
                RescaleObservation(min_obs=0.0, max_obs=1.0),
            )
        }
    )
    with environment(settings) as env:
        observation, _ = env.reset(seed=1)
        assert env.observation_space.contains(observation)
        assert observation.shape == (84, 84, 4)
        assert 0.3 < observation.max() <= 1
        assert type(env).__name__ == "RandomActions"


def test_the_game_keeps_the_arguments_that_are_its_own() -> None:
    settings = game(MNIH, name="Freeway")
    seen = {
        pictures(settings.model_copy(update={"environment_kwargs": {"mode": mode}}), 1)
        for mode in (0, 3)
    }
    assert len(seen) == 2
