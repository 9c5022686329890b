"""Every family of environments: the same seed and actions give the same episode, whenever."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from grader.episodes.environments import environment
from grader.episodes.extras import versions_of
from grader.episodes.random_play import random_actions
from grader.records.environments import PlayedEnvironment, Protocol
from grader.records.wrappers import (
    GrayscaleObservation,
    KeyObservation,
    RandomActions,
    ResizeObservation,
    StickyAction,
)

LARGEST = 2**63 - 1
DOOM = PlayedEnvironment(
    environment_id="VizdoomBasic-v1",
    environment_kwargs={"frame_skip": 12},
    wrappers=(
        KeyObservation(key="screen"),
        GrayscaleObservation(),
        ResizeObservation(shape=(30, 40)),
    ),
)
MINATAR = PlayedEnvironment(environment_id="MinAtar/Breakout-v1", max_episode_steps=2500)
OWN = [
    PlayedEnvironment(environment_id=name)
    for name in (
        "CartPole-v1", "Acrobot-v1", "MountainCar-v0", "Pendulum-v1", "FrozenLake-v1", "Taxi-v4",
        "Blackjack-v1", "CliffWalking-v1",
    )
]  # fmt: skip
ATARI = [
    PlayedEnvironment(environment_id=f"ALE/{game}-v5", protocol=protocol)
    for game in ("Breakout", "Pong", "Freeway", "SpaceInvaders")
    for protocol in Protocol
]
DRAWN_BY_WRAPPERS = [
    each.model_copy(
        update={
            "wrappers": (
                StickyAction(repeat_action_probability=0.3),
                RandomActions(probability=0.2),
            )
        }
    )
    for each in (OWN[0], MINATAR)
]
ALL = [*OWN, *ATARI, DOOM, MINATAR, *DRAWN_BY_WRAPPERS]

Step = tuple[bytes, float, bool, bool]


def name_of(settings: PlayedEnvironment) -> str:
    wrappers = (entry.wrapper for entry in settings.wrappers)
    return "-".join([settings.environment_id, settings.protocol or "", *wrappers])


def as_bytes(observation: Any) -> bytes:
    if isinstance(observation, tuple):
        return b"".join(map(as_bytes, observation))
    return np.asarray(observation).tobytes()


def trace(
    settings: PlayedEnvironment, seed: int, steps: int = 80, render_mode: str | None = None
) -> list[Step]:
    """What is seen and earned in the first steps of a random episode; episodes are begun anew."""
    with environment(settings, render_mode) as env:
        observation, _ = env.reset(seed=seed)
        act = random_actions(env.action_space, seed)
        seen: list[Step] = [(as_bytes(observation), 0.0, False, False)]
        for step in range(steps):
            observation, reward, terminated, truncated, _ = env.step(act(observation, step))
            seen.append((as_bytes(observation), float(reward), bool(terminated), bool(truncated)))
            if render_mode is not None and step % 25 == 0:
                picture: Any = env.render()
                assert (picture.dtype, picture.ndim, picture.shape[2]) == (np.uint8, 3, 3)
                assert picture.std() > 0
            if terminated or truncated:
                break
        return seen


@pytest.mark.parametrize("settings", ALL, ids=name_of)
def test_an_episode_follows_from_its_seed_and_actions_alone(settings: PlayedEnvironment) -> None:
    seeds = [5, LARGEST]
    steps = 40 if settings.protocol else 80
    first = {seed: trace(settings, seed, steps) for seed in seeds}
    again = {seed: trace(settings, seed, steps) for seed in reversed(seeds)}
    assert again == first
    assert len({tuple(each) for each in first.values()}) == len(seeds)


@pytest.mark.parametrize(
    "settings",
    [OWN[0], OWN[4], ATARI[0], DOOM, MINATAR],
    ids=name_of,
)
def test_pictures_change_nothing(settings: PlayedEnvironment) -> None:
    assert trace(settings, 9, render_mode="rgb_array") == trace(settings, 9)


@pytest.mark.parametrize("settings", [ATARI[1], DOOM, MINATAR], ids=name_of)
def test_environments_side_by_side_do_not_see_each_other(settings: PlayedEnvironment) -> None:
    seeds = [1, 2, 3]
    alone = {seed: trace(settings, seed, steps=20) for seed in seeds}
    with ExitStack() as stack:
        envs = [stack.enter_context(environment(settings)) for _ in seeds]
        acts = [random_actions(envs[0].action_space, seed) for seed in seeds]
        together: dict[int, list[Step]] = {}
        for env, seed in zip(envs, seeds, strict=True):
            together[seed] = [(as_bytes(env.reset(seed=seed)[0]), 0.0, False, False)]
        for step in range(20):
            for env, act, seed in zip(envs, acts, seeds, strict=True):
                if any(together[seed][-1][2:]):
                    continue
                observation, reward, *over, _ = env.step(act(None, step))
                terminated, truncated = map(bool, over)
                seen = (as_bytes(observation), float(reward), terminated, truncated)
                together[seed].append(seen)
    assert together == alone


IN_ANOTHER_PROCESS = """
import hashlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("traces", sys.argv[1])
traces = importlib.util.module_from_spec(spec)
spec.loader.exec_module(traces)
for settings in (traces.OWN[0], traces.ATARI[2], traces.DOOM):
    print(hashlib.sha256(repr(traces.trace(settings, traces.LARGEST)).encode()).hexdigest())
"""


def test_an_episode_is_the_same_in_another_process_and_nothing_is_printed(tmp_path: Any) -> None:
    outcomes = []
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS, __file__],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        outcomes.append(done.stdout.split())
    assert len(outcomes[0]) == 3
    assert outcomes[0] == outcomes[1]
    assert list(tmp_path.iterdir()) == []


def test_minatar_takes_seeds_of_any_size_and_keeps_them_apart() -> None:
    small = 1234
    seeds = [small, small + 2**32, small + 2**61]
    assert len({tuple(trace(MINATAR, seed, steps=40)) for seed in seeds}) == len(seeds)


def test_a_seed_that_minatar_takes_is_left_as_it_is() -> None:
    from minatar import Environment

    game = Environment("breakout")
    game.seed(77)
    game.reset()
    with environment(MINATAR) as env:
        env.reset(seed=77)
        for step in range(60):
            number = step % 3
            reward, over = game.act(game.minimal_action_set()[number])
            observation, earned, terminated, _, _ = env.step(number)
            np.testing.assert_array_equal(observation, game.state())
            assert (earned, terminated) == (reward, over)
            if over:
                break


def test_a_drawn_minatar_game_shows_every_channel() -> None:
    with environment(MINATAR, render_mode="rgb_array") as env:
        observation, _ = env.reset(seed=3)
        picture: Any = env.render()
    assert picture.shape == (160, 160, 3)
    squares = picture[8::16, 8::16].reshape(-1, 3)
    held = observation.any(axis=-1).reshape(-1)
    background = {tuple(colour) for colour in squares[~held]}
    assert len(background) == 1
    assert background.isdisjoint({tuple(colour) for colour in squares[held]})


def test_the_step_limit_counts_the_agents_steps() -> None:
    settings = ATARI[0].model_copy(update={"max_episode_steps": 7})
    with environment(settings) as env:
        env.reset(seed=1)
        over = [env.step(0)[2:4] for _ in range(7)]
    assert over == [(False, False)] * 6 + [(False, True)]


def test_a_registered_limit_holds_unless_it_is_replaced() -> None:
    def steps(limit: int | None) -> int:
        settings = PlayedEnvironment(environment_id="MountainCar-v0", max_episode_steps=limit)
        with environment(settings) as env:
            env.reset(seed=1)
            count = 1
            while not env.step(1)[3]:
                count += 1
        return count

    assert [steps(None), steps(30), steps(250)] == [200, 30, 250]


def test_the_packages_that_decide_are_named() -> None:
    assert set(versions_of("CartPole-v1")) == {"gymnasium", "numpy"}
    assert set(versions_of("ALE/Pong-v5")) >= {"ale-py", "opencv-python-headless"}
    assert set(versions_of("VizdoomBasic-v1")) >= {"vizdoom", "opencv-python-headless"}
    assert "MinAtar" in versions_of("MinAtar/Breakout-v1")
