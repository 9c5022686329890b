import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import keras
import numpy as np
import pytest
import tensorflow as tf

Load = Callable[[str], ModuleType]

WEEK13 = Path(__file__).parents[2] / "reference" / "week13"


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    manifest = json.loads((WEEK13 / "manifest.json").read_text(encoding="utf-8"))
    (only_entry,) = manifest["weights"]
    return only_entry


def seeds(section: dict[str, Any]) -> range:
    return range(section["seeds"]["start"], section["seeds"]["stop"])


def test_the_manifest_names_every_weight_file(entry: dict[str, Any]) -> None:
    assert [path.name for path in WEEK13.glob("*.h5")] == [entry["file"]]


def test_the_weights_are_those_the_manifest_describes(entry: dict[str, Any]) -> None:
    weights = (WEEK13 / entry["file"]).read_bytes()

    assert hashlib.sha256(weights).hexdigest() == entry["sha256"]
    assert len(weights) < 600_000


def test_the_agent_loads_the_weights_the_manifest_describes(
    entry: dict[str, Any], load: Load
) -> None:
    weights_file = load("agent").WEIGHTS_FILE

    assert weights_file == WEEK13 / entry["file"]


def test_the_manifest_tells_how_to_make_the_weights_again(
    entry: dict[str, Any], train_agent: ModuleType
) -> None:
    assert entry["command"] == (
        "python reference/week13/train_agent.py --seed 0 --out reference/week13"
    )
    assert entry["environment_id"] == "CartPole-v1"
    assert entry["hyper_parameters"] == train_agent.asdict(train_agent.HyperParameters())
    assert set(entry["versions"]) == {"python", "tensorflow", "keras", "gymnasium", "numpy"}
    assert 0 < entry["training"]["environment_steps"] <= 50_000


def test_the_confirmed_mean_return_solves_cartpole(entry: dict[str, Any]) -> None:
    confirmation = entry["confirmation"]
    returns = confirmation["episode_returns"]

    assert confirmation["mean"] >= 490.0
    assert confirmation["mean"] == pytest.approx(np.mean(returns))
    assert (confirmation["min"], confirmation["max"]) == (min(returns), max(returns))
    assert len(returns) == len(seeds(confirmation)) == 100


def test_confirmation_uses_seeds_of_neither_training_nor_selection(entry: dict[str, Any]) -> None:
    training = seeds(entry["training"])
    selection = seeds(entry["selection"])
    confirmation = seeds(entry["confirmation"])

    for one, other in [
        (training, selection),
        (training, confirmation),
        (selection, confirmation),
    ]:
        assert one.stop <= other.start or other.stop <= one.start


def test_the_agent_replays_recorded_confirmation_episodes(
    entry: dict[str, Any], load: Load
) -> None:
    recorded = dict(
        zip(
            seeds(entry["confirmation"]),
            entry["confirmation"]["episode_returns"],
            strict=True,
        )
    )
    environment = gymnasium.make("CartPole-v1")
    agent = load("agent").DQNAgent(environment.observation_space, environment.action_space)

    for seed in list(recorded)[::20]:
        observation, _ = environment.reset(seed=seed)
        episode_return = 0.0
        ended = False
        while not ended:
            observation, reward, terminated, truncated, _ = environment.step(agent.act(observation))
            episode_return += float(reward)
            ended = terminated or truncated
        assert episode_return == recorded[seed]


def test_the_agent_prints_nothing_and_leaves_no_file(
    load: Load,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dqn_agent = load("agent").DQNAgent
    monkeypatch.chdir(tmp_path)
    before = sorted(WEEK13.iterdir())
    environment = gymnasium.make("CartPole-v1")

    agent = dqn_agent(environment.observation_space, environment.action_space)
    agent.act(np.zeros(4, dtype=np.float32))

    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert sorted(WEEK13.iterdir()) == before


def test_training_twice_with_one_seed_gives_the_same_network(train_agent: ModuleType) -> None:
    settings = train_agent.HyperParameters(
        max_environment_steps=512,
        learning_starts=128,
        steps_per_block=128,
        updates_per_block=16,
        steps_per_selection=256,
    )

    first, second, other = (train_agent.train(seed, settings) for seed in (1, 1, 2))

    assert first.selection_returns == second.selection_returns
    for one, two in zip(first.network.get_weights(), second.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert np.any(first.network.get_weights()[0] != other.network.get_weights()[0])


def test_exploration_falls_from_always_to_seldom(train_agent: ModuleType) -> None:
    settings = train_agent.HyperParameters()

    assert settings.epsilon(0) == 1.0
    assert settings.epsilon(settings.epsilon_steps // 2) == pytest.approx(0.52)
    assert settings.epsilon(settings.max_environment_steps) == pytest.approx(0.04)


def test_the_replay_memory_forgets_the_oldest_transitions(train_agent: ModuleType) -> None:
    memory = train_agent.ReplayMemory(capacity=3, num_features=1)
    for number in range(5):
        observation = np.array([number], dtype=np.float32)
        memory.add(observation, number, float(number), observation + 1, number == 4)

    observations, actions, rewards, next_observations, terminated = (
        column.numpy() for column in memory.sample(200, np.random.default_rng(0))
    )

    assert set(actions) == {2, 3, 4}
    np.testing.assert_array_equal(observations[:, 0], actions)
    np.testing.assert_array_equal(rewards, actions)
    np.testing.assert_array_equal(next_observations[:, 0], actions + 1)
    np.testing.assert_array_equal(terminated, actions == 4)


@pytest.mark.parametrize("terminated", [False, True])
def test_updates_move_the_value_of_the_action_taken_to_its_target(
    train_agent: ModuleType, terminated: bool
) -> None:
    keras.utils.set_random_seed(0)
    settings = train_agent.HyperParameters(discount=0.5)
    learner = train_agent.Learner(num_features=2, num_actions=3, settings=settings)
    learner.synchronise_target()
    state, next_state = np.float32([[1.0, -1.0]]), np.float32([[-2.0, 2.0]])
    next_value = float(np.max(learner.online(next_state)))
    transition = (state, np.int32([1]), np.float32([3.0]), next_state, np.float32([terminated]))

    for _ in range(300):
        learner.update(*(tf.constant(column) for column in transition))

    expected = 3.0 if terminated else 3.0 + 0.5 * next_value
    assert abs(next_value) > 0.1
    assert float(learner.online(state)[0, 1]) == pytest.approx(expected, abs=0.01)
