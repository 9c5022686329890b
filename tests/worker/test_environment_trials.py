import inspect
import random
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from grader.records.environment_requests import Watched
from grader.worker.environment_trials import described, stepped, watch, wrapped

ACTIONS = (0, 1, 0, 1)


class Count(gymnasium.Env):
    """Counts; four steps make a game."""

    def __init__(self) -> None:
        self.observation_space = gymnasium.spaces.Discrete(9)
        self.action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.count = 0
        return self.count, {}

    def step(self, action):
        self.count += 1
        return self.count, 1.0, self.count == 4, False, {"action": action}


class Chance(Count):
    def step(self, action):
        if self.count == 1:
            self.draw()
        return super().step(action)

    def draw(self):
        return random.random() + 1


class Nested(Count):
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.board = np.zeros(2)
        return {"board": (self.board, 0)}, {}

    def step(self, action):
        self.board += 1
        return {"board": (self.board[:], 0)}, float(action), self.board[0] == 3, False, {}


class Raising(Count):
    def step(self, action):
        assert self.count < 2
        return super().step(action)


def watched(kind: type[Count]) -> Watched:
    told = watch(
        kind, lambda action: action, seed=1, other_seed=2, actions=ACTIONS, file=Path(__file__)
    )
    return Watched.model_validate(told, strict=True)


def test_a_game_without_faults_shows_none() -> None:
    seen = watched(Count)
    assert seen.generator is not None
    assert seen == Watched(generator=seen.generator)
    assert set(seen.generator.model_dump().values()) == {True}


def test_the_line_of_a_helper_that_draws_is_found() -> None:
    lines, first = inspect.getsourcelines(Chance.draw)
    use = watched(Chance).random_use
    assert use is not None
    assert (use.call, use.generator) == (2, "random")
    assert use.line == first + len(lines) - 1


def test_arrays_inside_containers_are_looked_at() -> None:
    seen = watched(Nested)
    assert seen.overwritten is not None
    assert (seen.overwritten.first, seen.overwritten.second) == (0, 3)
    assert seen.shared is not None


def test_an_exception_ends_the_look_and_keeps_what_was_seen() -> None:
    assert watched(Raising).generator is not None
    env = Raising()
    env.reset(seed=1)
    assert [answer[0] for answer in stepped(env.step, ACTIONS)] == [1, 2]


def test_steps_end_with_the_episode_and_are_written_down_at_once() -> None:
    env = Nested()
    env.reset(seed=1)
    answers = stepped(env.step, ACTIONS)
    assert [answer[0]["board"][0].tolist() for answer in answers] == [[1, 1], [2, 2], [3, 3]]


@pytest.mark.parametrize("how", ["make", "TimeLimit"])
def test_wrapped_environments_end_at_the_limit(how: str) -> None:
    registered = set(gymnasium.registry)
    env = wrapped(Count, how, 2)
    env.reset(seed=1)
    assert [env.step(0)[3] for _ in range(2)] == [False, True]
    assert set(gymnasium.registry) == registered


def test_spaces_and_render_modes_are_plain() -> None:
    told = described(Count())
    assert told["is_env"] is True
    assert told["action_space"] == {"type": "Discrete", "n": 2, "start": 0}
    assert (told["render_modes"], told["render_fps"], told["render_mode"]) == ([], None, None)
