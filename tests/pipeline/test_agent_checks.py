"""What an agent is made of is judged from files to reports by real workers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.pipeline.collecting import collect
from grader.pipeline.judging import judge
from grader.records.report import SeedSet
from grader.records.result import CheckResult, Outcome
from grader.records.submission import Submission, SubmittedFile
from grader.sandbox.server import ForkServer

Grade = Callable[..., dict[str, CheckResult]]

LEARNS = """
    import gym
    import keras
    import numpy as np


    class DQNAgent:
        def __init__(self, observation_space, action_space):
            self.model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
            self.model.set_weights([np.array([[0, 0], [0, 0], [-2, 2], [-1, 1.0]]), np.zeros(2)])

        def act(self, observation):
            return int(np.argmax(self.model.predict(observation[None], verbose=0)[0]))

        def train(self, env, steps):
            \"\"\"Keeps the best of random changes; the environment ends it.\"\"\"
            rng = np.random.default_rng(1)
            best = -1
            while True:
                kept = self.model.get_weights()
                if best >= 0:
                    self.model.set_weights([w + rng.normal(size=w.shape) for w in kept])
                total = 0
                for _ in range(3):
                    state, done = env.reset(), False
                    while not done:
                        state, reward, done, info = env.step(self.act(state))
                        total += reward
                if total < best:
                    self.model.set_weights(kept)
                if total >= 600:
                    return
                best = max(best, total)
"""
PRETENDS = """
    import time
    import keras
    import numpy as np

    steps = []


    class DQNAgent:
        def __init__(self, observation_space, action_space):
            self.model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

        def act(self, observation):
            steps.append(self.model(observation[None]))
            end = time.process_time() + 0.004
            while time.process_time() < end:
                pass
            return len(steps) // 9 % 2

        def train(self, env, steps):
            pass
"""
ENVIRONMENT = """
    import gym
    from gym import spaces
    from gym.utils import seeding


    class GameEnv(gym.Env):
        metadata = {"render.modes": []}

        def __init__(self):
            self.action_space = spaces.Discrete(2)
            self.observation_space = spaces.Discrete(10)
            self.seed()

        def seed(self, seed=None):
            self.np_random, seed = seeding.np_random(seed)
            return [seed]

        def reset(self):
            self.place = int(self.np_random.randint(2, 8))
            return self.place

        def step(self, action):
            self.place += 1 if action == 1 else -1
            done = self.place in (0, 9)
            return self.place, float(self.place == 9), done, {}
"""


@pytest.fixture(scope="module")
def agents() -> LoadedAssignment:
    path = Path(__file__).parent / "agents" / "assignment.toml"
    return load_assignment(str(path), with_baselines=False)


@pytest.fixture(scope="module")
def grade(agents: LoadedAssignment, fork_server: ForkServer) -> Grade:
    """Runs one part of a file and judges it."""

    def graded(part: str, source: str, **settings: object) -> dict[str, CheckResult]:
        asked = agents.assignment.parts[part]
        asked = asked.model_copy(update={"settings": {**asked.settings, **settings}})
        alone = replace(
            agents, assignment=agents.assignment.model_copy(update={"parts": {part: asked}})
        )
        files = (SubmittedFile(path=asked.file, content=textwrap.dedent(source).encode()),)
        found = collect(
            Submission(id="alice", files=files), alone, fork_server,
            seed_set=SeedSet.FINAL, parts=frozenset({part}),
        )  # fmt: skip
        return {each.id.partition(".")[2]: each for each in judge(found.evidence, alone).results}

    return graded


def outcomes(results: dict[str, CheckResult]) -> dict[str, Outcome]:
    return {name: result.outcome for name, result in results.items()}


def codes(result: CheckResult) -> list[str]:
    return [finding.code for finding in result.findings]


def test_an_agent_that_is_what_it_seems_passes_every_check(grade: Grade) -> None:
    """Although it was written for `gym`, which the assignment allows; a note shows the lines."""
    results = grade("agent", LEARNS)
    assert set(outcomes(results).values()) == {Outcome.PASSED}, results
    assert "IM114" in codes(results["interface"])
    assert all(not codes(result) for name, result in results.items() if name != "interface")


def test_an_agent_that_pretends_fails_every_check(grade: Grade) -> None:
    results = grade("agent", PRETENDS, step_time_ms=0.4)
    assert outcomes(results) == dict.fromkeys(results, Outcome.FAILED) | {
        "interface": Outcome.PASSED
    }
    assert {name: codes(result) for name, result in results.items()} == {
        "interface": [], "observes": ["AG501"], "uses_network": ["AG512"], "stateless": ["AG801"],
        "step_time": ["AG401"], "generalises": ["AG602"], "learns": ["AG702"],
    }  # fmt: skip


def test_an_environment_for_gym_costs_nothing_where_it_is_allowed(grade: Grade) -> None:
    results = grade("environment", ENVIRONMENT)
    assert set(outcomes(results).values()) == {Outcome.PASSED}, results
    assert "IM114" in codes(results["interface"])


def test_elsewhere_the_lines_to_change_are_shown(grade: Grade) -> None:
    results = grade("environment", ENVIRONMENT, gym="teach")
    (error, lines) = results["interface"].findings
    assert (error.code, lines.code) == ("IM101", "IM114")
    assert lines.received is not None
    assert lines.expected is not None
    assert "line 2: `import gym`" in lines.received
    assert "line 2: `import gymnasium as gym`" in lines.expected
    assert "`def reset(self, *, seed=None, options=None):`" in lines.expected
