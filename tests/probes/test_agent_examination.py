"""What an agent's actions depend on is found by trying it, in real workers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from grader.probes.step_times import CLASSES, time_class
from grader.records.agent_evidence import AgentEvidence
from grader.records.incident import IncidentKind

Collect = Callable[..., AgentEvidence]

CARTPOLE = {"environment_id": "CartPole-v1", "max_episode_steps": 30, "replayed_episodes": 1}
ALL = {
    "examine_observations": True, "examine_network": True, "examine_memory": True,
    "step_time_ms": 1000.0,
}  # fmt: skip
NETWORK = """
    import keras
    import numpy as np

    class DQNAgent:
        def __init__(self, observation_space, action_space):
            keras.utils.set_random_seed(5)
            self.parts = {"online": keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])}
            model = self.parts["online"]
            model.set_weights([np.array([[-1, 1], [-1, 1], [-9, 9], [-9, 9.0]]), np.zeros(2)])
            self.rule = lambda observation: int(observation[2] + 0.5 * observation[3] > 0)

        def act(self, observation):
            q_values = self.parts["online"].predict(observation[None], verbose=0)[0]
            return int(np.argmax(q_values))
"""


def acting(body: str, before: str = "") -> str:
    return (
        f"import random\nimport numpy as np\n{textwrap.dedent(before)}\n"
        "class DQNAgent:\n"
        "    def __init__(self, observation_space, action_space):\n"
        "        self.step = 0\n"
        "    def act(self, observation):\n"
        "        self.step += 1\n" + textwrap.indent(textwrap.dedent(body), "        ")
    )


@pytest.fixture(scope="module")
def collect(probe: Any) -> Collect:
    def run(source: str, **settings: Any) -> AgentEvidence:
        found: AgentEvidence = probe("agent", source, settings=CARTPOLE | settings, seeds=(1, 2))
        return found

    return run


def test_nothing_is_tried_that_no_check_asks_for(collect: Collect) -> None:
    assert collect(acting("return int(observation[2] > 0)")).examination is None


def test_an_agent_that_decides_by_its_network(collect: Collect) -> None:
    found = collect(NETWORK, **ALL).examination
    assert found is not None
    assert any(trial.changed > 5 for trial in found.observations)
    assert len(found.observations) == 4
    assert found.network is not None
    assert found.network.networks == ("agent.parts['online']",)
    assert found.network.unchanged is not None
    assert found.network.unchanged.changed == 0
    assert max(trial.changed for trial in found.network.trials) > 3
    assert [trial.changed for trial in found.memory] == [0]
    assert found.step_time is not None
    assert (found.step_time.at_most, found.step_time.incident) == (0.1, None)


def test_a_network_that_is_decoration(collect: Collect) -> None:
    source = NETWORK.replace("return int(np.argmax(q_values))", "return self.rule(observation)")
    found = collect(source, examine_network=True).examination
    assert found is not None
    assert found.network is not None
    assert found.network.networks == ("agent.parts['online']",)
    assert [trial.changed for trial in found.network.trials] == [0, 0, 0]
    assert all(trial.compared > 5 for trial in found.network.trials)


def test_a_network_at_the_top_level_of_the_file(collect: Collect) -> None:
    source = (
        "import keras\nimport numpy as np\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])\n"
        "model.set_weights([np.array([[0, 0], [0, 0], [-9, 9], [-5, 5.0]]), np.zeros(2)])\n"
        "class DQNAgent:\n"
        "    def act(self, observation):\n"
        "        return int(np.argmax(model(observation[None])[0]))\n"
    )
    found = collect(source, examine_network=True).examination
    assert found is not None
    assert found.network is not None
    assert found.network.networks == ("the file['model']",)
    assert found.network.incident is None
    assert len(found.network.trials) == 3


@pytest.mark.parametrize(
    "body",
    [
        "return 1",
        "return self.step % 2",
        "return random.randrange(2)",
        "return int(np.random.random() < 0.5)",
    ],
)
def test_agents_that_do_not_look(collect: Collect, body: str) -> None:
    """Chance too: it is the same chance each time."""
    found = collect(acting(body), examine_observations=True, examine_network=True).examination
    assert found is not None
    assert [trial.changed for trial in found.observations] == [0, 0, 0, 0]
    assert found.network is not None
    assert found.network.networks == ()


def test_an_agent_that_looks_and_counts(collect: Collect) -> None:
    source = acting("return int(observation[2] > 0) ^ (self.step % 3 == 0)")
    found = collect(source, examine_observations=True, examine_memory=True).examination
    assert found is not None
    assert max(trial.changed for trial in found.observations) > 3
    assert [trial.changed for trial in found.memory] == [0]


def test_what_is_carried_over_from_one_episode_to_the_next(collect: Collect) -> None:
    source = acting("seen.append(1)\nreturn len(seen) // 7 % 2", before="seen = []")
    found = collect(source, examine_memory=True).examination
    assert found is not None
    assert found.memory[0].changed > 0


def test_slow_steps(collect: Collect) -> None:
    body = "end = time.process_time() + 0.003\nwhile time.process_time() < end: pass\nreturn 1"
    found = collect(acting(body, before="import time"), step_time_ms=0.7).examination
    assert found is not None
    assert found.step_time is not None
    assert found.step_time.at_most is not None
    assert found.step_time.at_most > 2.0


def test_answers_that_are_remembered_are_not_quick(collect: Collect) -> None:
    body = """
        if observation.tobytes() not in known:
            end = time.process_time() + 0.003
            while time.process_time() < end: pass
            known[observation.tobytes()] = int(observation[2] + 0.5 * observation[3] > 0)
        return known[observation.tobytes()]
    """
    source = acting(body, before="import time\nknown = {}")
    settings = {"step_time_ms": 0.7, "max_episode_steps": 200}
    found = collect(source, **settings).examination
    assert found is not None
    assert found.step_time is not None
    assert found.step_time.at_most is not None
    assert found.step_time.at_most > 2.0


def test_an_error_in_a_trial_is_told_with_it(collect: Collect) -> None:
    body = "if not 0 <= abs(observation[0]) < 3: raise ValueError('far away')\n"
    body += "if abs(observation[1]) > 1.9: raise ValueError('fast')\nreturn self.step % 2"
    drawn = collect(acting(body), examine_observations=True).examination
    assert drawn is not None
    assert drawn.observations[0].incident is None
    ends = [trial.incident for trial in drawn.observations if trial.incident is not None]
    assert all(end.kind is IncidentKind.RAISED for end in ends)


# --- other starts and training ------------------------------------------------------------------

LEARNER = """
    import numpy as np

    class DQNAgent:
        def __init__(self, observation_space, action_space):
            self.weights = np.zeros(4)
            self.tried = 0

        def act(self, observation):
            return int(observation @ self.weights > 0)

        def train(self, env, steps):
            rng = np.random.default_rng(0)
            best = -1.0
            while True:
                old, self.weights = self.weights, self.weights + rng.normal(size=4)
                (observation, _), total, over = env.reset(), 0.0, False
                while not over:
                    observation, reward, terminated, truncated, _ = env.step(self.act(observation))
                    total, over = total + reward, terminated or truncated
                if total < best:
                    self.weights = old
                best = max(best, total)
"""


def test_other_starts_are_played_on_the_same_seeds(collect: Collect) -> None:
    source = acting("return int(observation[2] + 0.5 * observation[3] > 0)")
    starts = [
        {"title": "the pole is tilted", "options": {"low": 0.19, "high": 0.2}},
        {"title": "rewards are others", "environment_kwargs": {"sutton_barto_reward": True}},
    ]
    evidence = collect(source, shifted_starts=starts)
    found = evidence.examination
    assert found is not None
    tilted, rewarded = found.shifted
    assert [episode.seed for episode in tilted.episodes] == [1, 2]
    ordinary = [episode.actions for episode in evidence.episodes]
    assert all(episode.actions not in ordinary for episode in tilted.episodes)
    assert all(episode.episode_return == 0 for episode in rewarded.episodes)
    assert len(tilted.random_returns) == 2
    assert {episode.episode_return for episode in evidence.episodes} == {30.0}


def test_training_is_measured_by_episodes_outside(collect: Collect) -> None:
    settings = {"learning_steps": 3000, "learning_rounds": 2, "learning_episodes": 2}
    found = collect(LEARNER, **settings).examination
    assert found is not None
    curve = found.learning
    assert curve is not None
    assert (curve.incident, curve.networks) == (None, ())
    assert [point.steps for point in curve.points] == [0, 1500, 3000]
    first, *_, last = [sum(e.episode_return for e in point.episodes) for point in curve.points]
    assert first < 25 < last


def test_an_agent_is_shuffled_before_it_is_trained(collect: Collect) -> None:
    """What it has loaded counts for nothing."""
    source = NETWORK + "        def train(self, env, steps):\n            pass\n"
    settings = {"learning_steps": 10, "learning_rounds": 1, "learning_episodes": 2}
    evidence = collect(source, **settings)
    found = evidence.examination
    assert found is not None
    assert found.learning is not None
    before, after = found.learning.points
    assert found.learning.networks == ("agent.parts['online']",)
    assert before.episodes == after.episodes
    for shuffled, loaded in zip(before.episodes, evidence.episodes, strict=True):
        assert shuffled.actions != loaded.actions


def test_training_that_is_not_there_or_fails(collect: Collect) -> None:
    settings = {"learning_steps": 10, "learning_episodes": 2}
    found = collect(acting("return 1"), **settings).examination
    assert found is not None
    assert found.learning is not None
    assert (found.learning.unresolved, found.learning.accepted) == (
        ("DQNAgent", "act"), ("train", "learn", "fit"),
    )  # fmt: skip
    failing = acting("return 1") + "\n    def learn(self, env, steps):\n        env.nothing()\n"
    found = collect(failing, **settings).examination
    assert found is not None
    assert found.learning is not None
    assert found.learning.incident is not None
    assert found.learning.incident.error_type == "AttributeError"


# --- times --------------------------------------------------------------------------------------


def test_a_class_of_times_leaves_room_and_takes_the_quickest_round() -> None:
    assert time_class([[1.0] * 100], 1.0) == 1.0
    assert time_class([[1.2] * 100], 1.0) == 1.0
    assert time_class([[1.3] * 100], 1.0) == 2.0
    assert time_class([[9.0] * 100, [0.4] * 100], 1.0) == 0.5
    assert time_class([[0.4] * 96 + [50.0] * 4], 1.0) == 0.5
    assert time_class([[1e9] * 100], 1.0) == CLASSES[-1]
