import csv
import hashlib
import importlib
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace as Modules
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

REFERENCE = Path(__file__).parents[2] / "reference"
TRAINING = REFERENCE / "training"
MODULES = ("environments", "memory", "learner", "tasks", "trainer", "train")
NAMES = ("minatar_breakout", "vizdoom_basic", "atari_freeway")
pytestmark = [
    # Keras 3.15 converts its variables for saving in a way that NumPy 2 advises against.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
each_task = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module", autouse=True)
def in_a_folder_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """ViZDoom leaves files in the working directory; compiled files would join a submission."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        patch.setattr(sys, "dont_write_bytecode", True)
        yield


@pytest.fixture(scope="module")
def training() -> Iterator[Modules]:
    """The modules of the training script, which import one another by their bare names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TRAINING))
        yield Modules(**{name: importlib.import_module(name) for name in MODULES})
        for name in MODULES:
            del sys.modules[name]


@pytest.fixture(params=NAMES)
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    manifest = REFERENCE / request.param / "manifest.json"
    (only_entry,) = json.loads(manifest.read_text(encoding="utf-8"))["weights"]
    return {"name": request.param, **only_entry}


def miniature(training: Modules, name: str) -> Any:
    """A task that is trained in a second: two rounds, short episodes."""
    task = training.tasks.TASKS[name]
    settings = replace(
        task.settings,
        max_steps=96,
        steps_per_round=48,
        num_environments=2,
        learning_starts=24,
        steps_per_block=8,
        updates_per_block=1,
        target_period=2,
        replay_capacity=64,
        batch_size=4,
        return_steps=2,
        epsilon_steps=64,
        selection_episodes=1,
    )

    def make() -> Any:
        return gymnasium.wrappers.TimeLimit(task.make(), 20)

    return replace(task, make=make, settings=settings, confirmation_episodes=2)


# --- The trainings -------------------------------------------------------------------------------


@each_task
def test_an_interrupted_training_ends_with_the_same_weights(
    training: Modules, name: str, tmp_path: Path
) -> None:
    task = miniature(training, name)
    whole = training.trainer.Trainer(task, task.settings, 1, tmp_path / "whole")
    whole.run()

    training.trainer.Trainer(task, task.settings, 1, tmp_path / "parts").run(until=48)
    resumed = training.trainer.Trainer(task, task.settings, 1, tmp_path / "parts")
    assert resumed.step == 48
    resumed.run()

    assert whole.step == resumed.step == 96
    assert whole.updates == resumed.updates == 10
    assert whole.curve == resumed.curve
    one, two = (contents(tmp_path / part / "checkpoint.npz") for part in ("whole", "parts"))
    assert one.keys() == two.keys()
    for array in one:
        np.testing.assert_array_equal(one[array], two[array], err_msg=array)


def test_another_seed_gives_another_training(training: Modules, tmp_path: Path) -> None:
    task = miniature(training, "minatar_breakout")
    trainer = training.trainer.Trainer
    first, other = (trainer(task, task.settings, seed, tmp_path) for seed in (1, 2))

    assert np.any(first.network.get_weights()[0] != other.network.get_weights()[0])


def test_a_checkpoint_of_other_settings_is_refused(training: Modules, tmp_path: Path) -> None:
    task = miniature(training, "minatar_breakout")
    training.trainer.Trainer(task, task.settings, 1, tmp_path).run(until=48)

    longer = replace(task.settings, max_steps=1_000)
    assert training.trainer.Trainer(task, longer, 1, tmp_path).step == 48
    for settings, seed in ((task.settings, 2), (replace(task.settings, batch_size=5), 1)):
        with pytest.raises(training.trainer.CheckpointMismatch, match="--work"):
            training.trainer.Trainer(task, settings, seed, tmp_path)


def test_what_is_shipped_is_described(training: Modules, tmp_path: Path) -> None:
    task = miniature(training, "minatar_breakout")
    trainer = training.trainer.Trainer(task, task.settings, 1, tmp_path / "work")
    trainer.run()

    training.train.ship(task, task.settings, 1, trainer, tmp_path / "out", ["python", "train.py"])

    (entry,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["weights"]
    weights = (tmp_path / "out" / "minatar_breakout.weights.h5").read_bytes()
    assert entry["sha256"] == hashlib.sha256(weights).hexdigest()
    assert entry["training"]["environment_steps"] == 96
    assert len(entry["confirmation"]["episode_returns"]) == 2
    assert entry["random"]["seeds"] == entry["confirmation"]["seeds"]
    rows = curve(tmp_path / "out")
    assert [row["steps"] for row in rows] == ["48", "96"]


def curve(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "curve.csv").read_text(encoding="utf-8").splitlines()))


def contents(checkpoint: Path) -> dict[str, NDArray[Any]]:
    with np.load(checkpoint) as archive:
        return {name: archive[name] for name in archive.files}


# --- Their parts ---------------------------------------------------------------------------------


def moments(training: Modules, number: int, **changes: Any) -> Any:
    """A moment of one environment whose frame, action and reward are `number`."""
    values: dict[str, Any] = {
        "frames": [[number]],
        "actions": [number],
        "rewards": [number],
        "ages": [number],
        "final": [False],
        "terminated": [False],
        **changes,
    }
    return training.memory.Moments(**{name: np.asarray(value) for name, value in values.items()})


def drawn(training: Modules, history: list[Any], stack: int, steps: int) -> dict[int, Any]:
    """What the memory returns for each moment that it can draw, by its action."""
    replay = training.memory.ReplayMemory(100, 1, (1,), np.uint8, stack)
    for moment in history:
        replay.add(moment)
    batches = replay.sample((1, 500), steps, 0.5, np.random.default_rng(0))
    return {
        int(action): (
            batches.observations[0, index].ravel().tolist(),
            float(batches.returns[0, index]),
            float(batches.discounts[0, index]),
            batches.next_observations[0, index].ravel().tolist(),
        )
        for index, action in enumerate(batches.actions[0])
    }


def test_a_transition_adds_up_the_discounted_rewards_of_its_steps(
    training: Modules,
) -> None:
    history = [moments(training, number) for number in range(1, 7)]

    found = drawn(training, history, stack=1, steps=3)

    assert sorted(found) == [1, 2, 3]
    assert found[2] == ([2], 2 + 3 / 2 + 4 / 4, 1 / 8, [5])


@pytest.mark.parametrize(("terminated", "discount"), [(True, 0.0), (False, 1 / 2)])
def test_only_termination_ends_the_sum_of_rewards(
    training: Modules, terminated: bool, discount: float
) -> None:
    end = moments(training, 3, final=[True], terminated=[terminated])
    history = [moments(training, 1), moments(training, 2), end]
    history += [moments(training, number) for number in range(4, 9)]

    found = drawn(training, history, stack=1, steps=3)

    assert found[2] == ([2], 2.0, discount, [3])
    assert 3 not in found  # the action of a last moment was never played


def test_the_first_frame_of_an_episode_stands_in_for_those_before(
    training: Modules,
) -> None:
    history = [moments(training, number, ages=[number - 1]) for number in (1, 2)]
    history += [moments(training, number, ages=[number - 3]) for number in range(3, 9)]

    found = drawn(training, history, stack=3, steps=1)

    assert found[3][0] == [3, 3, 3]
    assert found[4][0] == [3, 3, 4]
    assert found[7][0] == [5, 6, 7]
    assert found[7][3] == [6, 7, 8]


def test_the_memory_forgets_the_oldest_moments(training: Modules) -> None:
    replay = training.memory.ReplayMemory(4, 1, (1,), np.uint8, 2)
    for number in range(1, 11):
        replay.add(moments(training, number))

    batches = replay.sample((1, 200), 1, 0.5, np.random.default_rng(0))

    # 7 is there only as the frame before 8, and what follows 10 is not known.
    assert set(batches.actions[0].tolist()) == {8, 9}


def test_exploration_lasts_and_then_is_greedy_again(training: Modules) -> None:
    explore = training.trainer.Exploration(1, 3, 50, np.random.default_rng(0))
    greedy = np.asarray([7])

    assert explore.choose(greedy, 0.0) == 7
    played = [int(explore.choose(greedy, 0.3)[0]) for _ in range(2_000)]
    repeated = sum(one == two != 7 for one, two in itertools.pairwise(played))
    assert set(played) == {0, 1, 2, 7}
    assert repeated > 500
    single = training.trainer.Exploration(1, 3, 1, np.random.default_rng(0))
    assert np.mean([single.choose(greedy, 0.3)[0] != 7 for _ in range(2_000)]) == pytest.approx(
        0.3, abs=0.04
    )


def test_a_picture_is_halved_by_averaging_its_newest_frame(training: Modules) -> None:
    picture = np.zeros((2, 4, 2), np.uint8)
    picture[..., 1] = [[10, 20, 255, 255], [30, 41, 255, 255]]

    np.testing.assert_array_equal(training.tasks.halved_newest_picture(picture), [[25, 255]])


# --- The weights ---------------------------------------------------------------------------------


def test_the_weights_are_those_the_manifest_describes(entry: dict[str, Any]) -> None:
    folder = REFERENCE / entry["name"]
    weights = (folder / entry["file"]).read_bytes()

    assert [path.name for path in folder.glob("*.h5")] == [entry["file"]]
    assert hashlib.sha256(weights).hexdigest() == entry["sha256"]
    assert len(weights) < 3_000_000


def test_the_manifest_tells_how_to_make_the_weights_again(
    entry: dict[str, Any], training: Modules
) -> None:
    name = entry["name"]
    rows = curve(REFERENCE / name)
    best = max(rows, key=lambda row: float(row["selection_mean"]))

    assert entry["command"] == (
        f"python reference/training/train.py {name} --seed 0 --out reference/{name}"
    )
    assert entry["hyper_parameters"] == asdict(training.tasks.TASKS[name].settings)
    assert entry["environment_id"] == training.tasks.TASKS[name].environment_id
    assert int(rows[-1]["steps"]) == entry["training"]["environment_steps"]
    assert int(best["steps"]) == entry["selection"]["environment_steps"]
    assert float(best["selection_mean"]) == entry["selection"]["mean"]


def test_the_confirmed_mean_return_is_far_above_the_opponents(entry: dict[str, Any]) -> None:
    confirmation = entry["confirmation"]
    returns = confirmation["episode_returns"]
    used = [section["seeds"] for section in (entry["training"], entry["selection"], confirmation)]

    assert confirmation["mean"] == pytest.approx(np.mean(returns))
    assert len(returns) == used[2]["stop"] - used[2]["start"] >= 30
    assert used[0]["stop"] <= used[1]["start"] < used[1]["stop"] <= used[2]["start"]
    for opponent in ("random", "scripted"):
        if opponent in entry:
            difference = confirmation["mean"] - entry[opponent]["mean"]
            assert difference > 4 * entry[opponent]["standard_error"]
    required = {"minatar_breakout": 10.0, "vizdoom_basic": 70.0, "atari_freeway": 23.0}
    assert confirmation["mean"] > required[entry["name"]]


def test_the_agent_plays_the_confirmed_episodes_again(
    entry: dict[str, Any], training: Modules, capsys: pytest.CaptureFixture[str]
) -> None:
    task = training.tasks.TASKS[entry["name"]]
    environment = task.make()
    agent = task.agent_module().DQNAgent(environment.observation_space, environment.action_space)
    recorded = entry["confirmation"]
    acted = []

    def act(observation: NDArray[Any]) -> int:
        acted.append(observation)
        action: int = agent.act(observation)
        return action

    seed = recorded["seeds"]["start"]
    result = training.environments.play(task.make, act, seed, task.random_action_share)

    assert result == recorded["episode_returns"][0]
    batch = np.stack(acted[:8])
    actions = agent.act_batch(batch)
    assert actions.shape == (len(batch),)
    assert actions.tolist() == [agent.act(observation) for observation in batch]
    assert all(environment.action_space.contains(action) for action in actions)
    values = np.asarray(agent.model(batch))
    assert values.shape == (len(batch), environment.action_space.n)
    np.testing.assert_array_equal(values.argmax(axis=-1), actions)
    assert capsys.readouterr() == ("", "")
