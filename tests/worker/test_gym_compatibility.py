"""Files written for `gym` run in a real worker, on a module made of Gymnasium."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.records.agent_requests import Prepare
from grader.records.incident import IncidentKind
from grader.records.messages import DescribeSpaces, ImportFile, Invoke, Resolve
from grader.sandbox.incident import WorkerIncident

Student = Callable[..., Any]

OLD = """
import gym
import gym.spaces
from gym import spaces, wrappers
from gym.utils import seeding
from gym.envs.registration import register
import numpy as np

gym.logger.set_level(40)


def play():
    env = gym.make("CartPole-v0")
    env.seed(3)
    env.action_space.seed(3)
    state = env.reset()
    total, done, steps = 0.0, False, 0
    while not done:
        state, reward, done, info = env.step(env.action_space.sample())
        total, steps = total + reward, steps + 1
    env.close()
    return [total, steps, bool(done), state]


def again():
    return [play()[3].tolist() == play()[3].tolist(), gym.__version__]


def late():
    env = gym.make("MountainCar-v0")
    env.reset()
    done = False
    while not done:
        _, _, done, info = env.step(1)
    return info["TimeLimit.truncated"]


class Scaled(gym.ObservationWrapper):
    def __init__(self, env):
        super().__init__(env)
        self.observation_space = spaces.Box(-1, 1, env.observation_space.shape, np.float32)

    def observation(self, observation):
        return observation * 0.5


class Clipped(gym.RewardWrapper):
    def reward(self, reward):
        return np.sign(reward)


class Flipped(gym.ActionWrapper):
    def action(self, action):
        return 1 - action


def wrapped():
    env = Flipped(Clipped(Scaled(gym.make("CartPole-v1"))))
    env = wrappers.TimeLimit(env, 5)
    env = gym.wrappers.Monitor(env, "videos", force=True)
    env.seed(1)
    observation = env.reset()
    plain = gym.make("CartPole-v1")
    plain.seed(1)
    half = bool(np.allclose(observation * 2, plain.reset()))
    steps, done = 0, False
    while not done:
        observation, reward, done, _ = env.step(steps % 2)
        steps += 1
    return [half, steps, reward, env.unwrapped.spec.id, isinstance(env, gym.Env)]


def stacked():
    env = gym.wrappers.FrameStack(gym.make("CartPole-v1"), num_stack=3)
    return np.array(env.reset()).shape


class Corridor(gym.Env):
    metadata = {"render.modes": ["human"]}

    def __init__(self):
        self.action_space = gym.spaces.Discrete(2)
        self.observation_space = gym.spaces.Box(0, 9, (1,), dtype=np.float32)
        self.seed()

    def seed(self, seed=None):
        self.np_random, seed = seeding.np_random(seed)
        return [seed]

    def reset(self):
        self.place = self.np_random.randint(2, 8)
        return np.array([self.place], np.float32)

    def step(self, action):
        self.place += 1 if action else -1
        done = self.place in (0, 9)
        return np.array([self.place], np.float32), float(done), done, {}

    def render(self, mode="human"):
        pass


def own():
    register(id="Corridor-v0", entry_point=Corridor, max_episode_steps=4)
    env = gym.make("Corridor-v0")
    first = env.reset()
    return [first.shape, len(env.step(1)), type(env.unwrapped).__name__]


def unknown():
    return gym.wrappers.Teleport
"""

NEW = """
import gym

env = gym.make("CartPole-v1", render_mode="rgb_array", new_step_api=True)
observation, info = env.reset(seed=4)
first = observation
observation, reward, terminated, truncated, info = env.step(env.action_space.sample())


class Slow(gym.Env):
    metadata = {"render_modes": ["rgb_array"]}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.action_space = gym.spaces.Discrete(2)
        self.observation_space = gym.spaces.Discrete(9)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.place = int(self.np_random.integers(9))
        return self.place, {}

    def step(self, action):
        return self.place, 0.0, False, True, {}


def run():
    slow = Slow()
    start, info = slow.reset(seed=5)
    return [len(env.reset(seed=4)), bool((env.reset(seed=4)[0] == first).all()),
            gym.__version__, start == slow.reset(seed=5)[0], len(slow.step(0))]
"""


@pytest.fixture
def compatible(student: Student) -> Student:
    def load(source: str) -> Any:
        made = student()
        made.worker.put_files((("student.py", source.encode()),))
        made.worker.ask(Prepare(gym=True), "getting ready")
        made.worker.ask(ImportFile(file="student.py"), "importing student.py")
        return made

    return load


def test_a_file_for_gym_0_21_runs_as_it_was_written(compatible: Student) -> None:
    old = compatible(OLD)
    total, steps, done, state = old.run("play")
    assert (total, done, state.shape) == (float(steps), True, (4,))
    assert old.run("again") == [True, "0.21.0"]
    assert old.run("late") is True
    assert old.run("wrapped") == [True, 5, 1.0, "CartPole-v1", True]
    assert old.run("stacked") == (3, 4)
    assert old.run("own") == [(1,), 4, "Corridor"]
    incident = old.incident("unknown")
    assert (incident.kind, incident.error_type) == (IncidentKind.RAISED, "AttributeError")
    assert "Teleport" in incident.message


def test_the_grader_sees_an_environment_of_gymnasium(compatible: Student) -> None:
    """With seeds by `reset`, two answers of it and five of `step`, whatever was written."""
    old = compatible(OLD)
    worker = old.worker
    found = worker.ask(Resolve(role="env_class", what="class", names=("Corridor",)), "looking")
    assert found["line"] == OLD.splitlines().index("class Corridor(gym.Env):") + 1
    worker.ask(Invoke(target="env_class", arguments={}, keep="env"), "making")
    described = worker.ask(DescribeSpaces(target="env"), "describing")
    assert described["is_env"] is True
    assert described["render_modes"] == ["human"]

    def ask(method: str, **arguments: Any) -> Any:
        return worker.ask(Invoke(target="env", method=method, arguments=arguments), method)

    observation, info = ask("reset", seed=3)
    assert info == {}
    assert np.array_equal(ask("reset", seed=3)[0], observation)
    assert len({float(ask("reset", seed=seed)[0][0]) for seed in range(8)}) > 1
    _, reward, terminated, truncated, _ = ask("step", action=1)
    assert (reward, terminated, truncated) == (0.0, False, False)


def test_a_file_for_gym_0_26_gets_what_it_expects(compatible: Student) -> None:
    new = compatible(NEW)
    assert new.run() == [2, True, "0.26.2", True, 5]


def test_without_permission_there_is_no_such_module(student: Student) -> None:
    with pytest.raises(WorkerIncident) as caught:
        student("import gym")
    assert caught.value.incident.error_type == "ModuleNotFoundError"
