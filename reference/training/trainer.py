"""Training of one Q-network in rounds, with a checkpoint after each."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from environments import Environment, play
from learner import Learner, numbered
from memory import Moments, ReplayMemory
from numpy.typing import NDArray
from tasks import SELECTION_SEEDS, TRAINING_SEEDS, HyperParameters, Task

# Duration of a random action follows a zeta distribution with this exponent (Dabney et al. 2020).
DURATION_EXPONENT = 2.0
CHECKPOINT = "checkpoint.npz"

State = dict[str, NDArray[np.generic]]


class CheckpointMismatch(Exception):
    """The checkpoint belongs to another training; the caller must name another folder."""


class Exploration:
    """Greedy play, interrupted by random actions that are repeated for a random time.

    This is the εz-greedy exploration of Dabney, Ostrovski and Barreto, arXiv 2006.01782 (2020).
    With a longest duration of 1 it is ordinary ε-greedy exploration.

    Args:
        num_environments: Environments played in lockstep.
        num_actions: Number of actions to draw from.
        longest: Longest duration of a random action, in steps.
        rng: Draws.
    """

    def __init__(
        self, num_environments: int, num_actions: int, longest: int, rng: np.random.Generator
    ) -> None:
        self._num_actions = num_actions
        self._longest = longest
        self._rng = rng
        self._actions = np.zeros(num_environments, np.int64)
        self._left = np.zeros(num_environments, np.int64)

    def choose(self, greedy: NDArray[np.int64], epsilon: float) -> NDArray[np.int64]:
        """Returns the actions to play, given the greedy ones and the chance to begin to explore."""
        shape = greedy.shape
        begins = (self._left == 0) & (self._rng.random(shape) < epsilon)
        drawn = self._rng.integers(self._num_actions, size=shape)
        durations = np.minimum(self._rng.zipf(DURATION_EXPONENT, size=shape), self._longest)
        self._actions[begins] = drawn[begins]
        self._left[begins] = durations[begins]
        explores = self._left > 0
        self._left[explores] -= 1
        return np.where(explores, self._actions, greedy)


class Lockstep:
    """Several environments that are played together; an ended episode is followed by another.

    As in Gymnasium's autoreset on the next step, the last observation of an episode is a moment of
    its own, and the action given there is ignored.

    Args:
        task: Says how an environment is made and what is kept of an observation.
        settings: Number of environments and scale of the rewards are read.
        rng: Draws the seeds of the episodes.
    """

    def __init__(self, task: Task, settings: HyperParameters, rng: np.random.Generator) -> None:
        count = settings.num_environments
        self._task = task
        self._reward_scale = settings.reward_scale
        self._rng = rng
        self._environments: list[Environment] = [task.make() for _ in range(count)]
        self._observations = [self._start(index) for index in range(count)]
        self._ages = np.zeros(count, np.int32)
        self._final = np.zeros(count, np.bool_)
        self._terminated = np.zeros(count, np.bool_)

    @property
    def observations(self) -> NDArray[Any]:
        """Observations stacked on axis 0."""
        return np.stack(self._observations)

    def step(self, actions: NDArray[np.int64]) -> Moments:
        """Plays one action in each environment and returns the moments that this completes."""
        frames = self._frames()
        ages, final, terminated = self._ages.copy(), self._final.copy(), self._terminated.copy()
        rewards = np.zeros(len(ages), np.float32)
        for index, environment in enumerate(self._environments):
            if final[index]:
                self._observations[index] = self._start(index)
                self._ages[index] = 0
                self._final[index] = self._terminated[index] = False
                continue
            observation, reward, ended, cut, _ = environment.step(int(actions[index]))
            rewards[index] = float(reward) * self._reward_scale
            self._observations[index] = observation
            self._ages[index] += 1
            self._final[index] = ended or cut
            self._terminated[index] = ended
        return Moments(frames, actions.astype(np.int32), rewards, ages, final, terminated)

    def close(self) -> None:
        """Closes the environments: a game that is a process of its own would outlive this one."""
        for environment in self._environments:
            environment.close()

    def last_moments(self) -> Moments:
        """Returns the present moments as the last of their episodes, which are cut here."""
        count = len(self._ages)
        return Moments(
            self._frames(),
            np.zeros(count, np.int32),
            np.zeros(count, np.float32),
            self._ages,
            np.ones(count, np.bool_),
            self._terminated,
        )

    def _start(self, index: int) -> NDArray[Any]:
        seed = int(self._rng.integers(TRAINING_SEEDS.start, TRAINING_SEEDS.stop))
        observation, _ = self._environments[index].reset(seed=seed)
        return observation

    def _frames(self) -> NDArray[Any]:
        return np.stack([self._task.newest_frame(one) for one in self._observations])


class Trainer:
    """Trains the Q-network of a task, and can go on from its own checkpoint.

    A Q-network does not improve steadily, so each round ends with selection episodes, and the
    best weights are kept.

    Args:
        task: What to train.
        settings: How to train it.
        seed: Fixes the initial weights, the exploration, the episodes and the batches drawn.
        folder: Holds the checkpoint; one that is there already is continued.

    Attributes:
        network: The Q-network.
        step: Environment steps played, selection episodes not counted.
        curve: One row for each round.

    Raises:
        CheckpointMismatch: The checkpoint in the folder was made with other settings.
    """

    def __init__(self, task: Task, settings: HyperParameters, seed: int, folder: Path) -> None:
        environment = task.make()
        observation, _ = environment.reset(seed=seed)
        num_actions = int(environment.action_space.n)
        environment.close()
        agent = task.agent_module()
        keras.utils.set_random_seed(seed)
        self.network: keras.Model = agent.build_q_network(observation.shape, num_actions)
        target: keras.Model = agent.build_q_network(observation.shape, num_actions)
        self._task = task
        self._settings = settings
        self._num_actions = num_actions
        self._policy = agent.greedy_policy(self.network)
        self._rng = np.random.default_rng(seed)
        self._checkpoint = folder / CHECKPOINT

        frame = task.newest_frame(observation)
        stacked = frame.shape if task.stack == 1 else (*frame.shape, task.stack)
        self._memory = ReplayMemory(
            settings.replay_capacity // settings.num_environments,
            settings.num_environments,
            frame.shape,
            frame.dtype.type,
            task.stack,
        )
        self._learner = Learner(
            on_stored_frames(self.network, task.stored_layers, stacked),
            on_stored_frames(target, task.stored_layers, stacked),
            settings.learning_rate,
            settings.gradient_norm,
            settings.target_period,
        )
        self.step = 0
        self.curve: list[dict[str, float]] = []
        self._best = self.network.get_weights()

        # The length is left out: a training that was stopped is allowed to go further.
        unbounded = {**asdict(settings), "max_steps": None}
        versions = {"keras": keras.__version__, "numpy": np.__version__}
        self._identity = json.dumps([task.name, seed, unbounded, versions], sort_keys=True)
        if self._checkpoint.exists():
            self._restore()

    @property
    def updates(self) -> int:
        """Gradient steps taken."""
        return self._learner.updates

    @property
    def best_round(self) -> dict[str, float] | None:
        """The row of the curve whose weights are the best, the first of equals."""
        return max(self.curve, key=lambda row: row["selection_mean"], default=None)

    def run(self, until: int | None = None) -> None:
        """Plays and learns.

        Args:
            until: Stops at the end of the round in which this step is reached, if that is earlier
                than the end of the training.
        """
        last = self._settings.max_steps if until is None else min(until, self._settings.max_steps)
        while self.step < last:
            self._play_round()
            self._select()
            self._save()

    def load_best(self) -> None:
        """Sets the network to the weights that played best; training must not go on after that."""
        self.network.set_weights(self._best)

    def _play_round(self) -> None:
        lockstep = Lockstep(self._task, self._settings, self._rng)
        try:
            self._play_until(self.step + self._settings.steps_per_round, lockstep)
        finally:
            lockstep.close()

    def _play_until(self, end: int, lockstep: Lockstep) -> None:
        settings = self._settings
        exploration = Exploration(
            settings.num_environments,
            self._num_actions,
            settings.longest_exploration,
            self._rng,
        )
        while self.step < end:
            greedy = self._policy(lockstep.observations)
            actions = exploration.choose(greedy, settings.epsilon(self.step))
            self._memory.add(lockstep.step(actions))
            self.step += settings.num_environments
            block_ends = self.step % settings.steps_per_block == 0
            if self.step >= settings.learning_starts and block_ends:
                self._learner.update(
                    self._memory.sample(
                        (settings.updates_per_block, settings.batch_size),
                        settings.return_steps,
                        settings.discount,
                        self._rng,
                    )
                )
        self._memory.add(lockstep.last_moments())

    def _select(self) -> None:
        returns = [
            play(
                self._task.make,
                lambda observation: int(self._policy(observation[np.newaxis])[0]),
                seed,
                self._task.random_action_share,
            )
            for seed in SELECTION_SEEDS[: self._settings.selection_episodes]
        ]
        best_before = self.best_round
        mean = float(np.mean(returns))
        self.curve.append({"steps": self.step, "updates": self.updates, "selection_mean": mean})
        if best_before is None or mean > best_before["selection_mean"]:
            self._best = self.network.get_weights()
        print(
            f"step {self.step:8d}  updates {self.updates:7d}  "
            f"epsilon {self._settings.epsilon(self.step):.3f}  selection mean {mean:7.2f}",
            file=sys.stderr,
            flush=True,
        )

    def _save(self) -> None:
        progress = {
            "identity": self._identity,
            "step": self.step,
            "curve": self.curve,
            "rng": self._rng.bit_generator.state,
        }
        state: State = {
            "progress": np.asarray(json.dumps(progress)),
            **{f"best/{index}": array for index, array in enumerate(self._best)},
            **{f"learner/{name}": array for name, array in self._learner.state().items()},
            **{f"memory/{name}": array for name, array in self._memory.state().items()},
        }
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        partial = self._checkpoint.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, **state)
        # In one step: an interrupted training finds the old checkpoint or the new, never a half.
        partial.replace(self._checkpoint)

    def _restore(self) -> None:
        with np.load(self._checkpoint) as archive:
            state: State = {name: archive[name] for name in archive.files}
        progress = json.loads(str(state["progress"]))
        if progress["identity"] != self._identity:
            message = (
                f"{self._checkpoint} belongs to another training: its task, seed, settings or "
                "versions differ. Remove it, or name another folder with --work."
            )
            raise CheckpointMismatch(message)
        self.step = progress["step"]
        self.curve = progress["curve"]
        self._rng.bit_generator.state = progress["rng"]
        self._best = numbered(state, "best")
        self._learner.restore(below(state, "learner"))
        self._memory.restore(below(state, "memory"))


def below(state: State, prefix: str) -> State:
    """Returns the arrays whose names begin with `prefix/`, without it."""
    start = f"{prefix}/"
    return {name[len(start) :]: array for name, array in state.items() if name.startswith(start)}


def on_stored_frames(
    network: keras.Model, stored_layers: int, shape: tuple[int, ...]
) -> keras.Model:
    """Returns the network without its first layers, whose work the stored frames have behind them.

    Args:
        network: A sequential model.
        stored_layers: Layers to leave out.
        shape: Shape of an observation that is put together from stored frames.

    Returns:
        A model that shares all variables with the network.
    """
    if stored_layers == 0:
        return network
    return keras.Sequential([keras.Input(shape=shape), *network.layers[stored_layers:]])
