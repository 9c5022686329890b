"""Trains the Deep Q-Network that `agent.py` plays with, and records how it was done.

Run from the root of the repository::

    python reference/week13/train_agent.py --seed 0 --out reference/week13

The algorithm is that of Mnih et al., Nature 518:529 (2015), Algorithm 1: replay memory, target
network, clipped error, ε-greedy exploration with a falling ε. A Q-network on CartPole does not
improve steadily, so the training is interrupted at regular intervals for greedy episodes, and the
best weights are kept. The best of many is partly the luckiest of many: what the weights are worth
is measured at the end, once, on seeds that neither training nor selection has seen.

The same command on the same machine with the same versions writes the same weights.
"""

import argparse
import hashlib
import json
import platform
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium
import keras
import numpy as np
import tensorflow as tf
from agent import WEIGHTS_FILE, Policy, build_q_network, greedy_policy
from numpy.typing import NDArray
from training import huber_loss

ENVIRONMENT_ID = "CartPole-v1"
BEST_RETURN = 500.0

# Disjoint, so that selection and confirmation are never played from a start that was trained on.
TRAINING_SEEDS = range(100_000)
SELECTION_SEEDS = range(100_000, 100_030)
CONFIRMATION_SEEDS = range(200_000, 200_100)


@dataclass(frozen=True)
class HyperParameters:
    """What the training does; lengths of time are counted in environment steps.

    Attributes:
        max_environment_steps: Training stops here, or when no selection episode can be improved.
        learning_starts: Steps played before the first update.
        steps_per_block: Steps played between two blocks of updates. The target network is a copy
            of the online network made before each block.
        updates_per_block: Gradient steps in a block.
        steps_per_selection: Steps between two rounds of selection episodes.
        replay_capacity: Transitions remembered; the oldest are overwritten.
        batch_size: Transitions per gradient step.
        learning_rate: Step size of Adam.
        gradient_norm: Longer gradients, all variables taken together, are shortened to this.
        discount: Weight of a reward one step later, gamma in the papers.
        epsilon_start: Share of random actions at the first step.
        epsilon_end: Share of random actions at the end of the fall and ever after.
        epsilon_steps: Duration of the linear fall.
    """

    max_environment_steps: int = 50_000
    learning_starts: int = 1_000
    steps_per_block: int = 256
    updates_per_block: int = 128
    steps_per_selection: int = 2_048
    replay_capacity: int = 50_000
    batch_size: int = 64
    learning_rate: float = 2.3e-3
    gradient_norm: float = 10.0
    discount: float = 0.99
    epsilon_start: float = 1.0
    epsilon_end: float = 0.04
    epsilon_steps: int = 8_000

    def epsilon(self, step: int) -> float:
        """Returns the share of random actions after `step` environment steps."""
        progress = min(step / self.epsilon_steps, 1.0)
        return self.epsilon_start + progress * (self.epsilon_end - self.epsilon_start)


@dataclass(frozen=True)
class Training:
    """The outcome of a training run.

    Attributes:
        network: The Q-network with the best weights.
        environment_steps: Steps played in training; selection episodes are not counted.
        selection_returns: Returns of the selection episodes played with the best weights.
    """

    network: keras.Model
    environment_steps: int
    selection_returns: list[float]


class ReplayMemory:
    """The most recent transitions, to be drawn uniformly with replacement.

    Args:
        capacity: Number of transitions kept.
        num_features: Length of an observation vector.
    """

    def __init__(self, capacity: int, num_features: int) -> None:
        self._observations = np.zeros((capacity, num_features), np.float32)
        self._actions = np.zeros(capacity, np.int32)
        self._rewards = np.zeros(capacity, np.float32)
        self._next_observations = np.zeros((capacity, num_features), np.float32)
        self._terminated = np.zeros(capacity, np.float32)
        self._capacity = capacity
        self._added = 0

    def add(
        self,
        observation: NDArray[np.float32],
        action: int,
        reward: float,
        next_observation: NDArray[np.float32],
        terminated: bool,
    ) -> None:
        """Remembers one transition."""
        index = self._added % self._capacity
        self._observations[index] = observation
        self._actions[index] = action
        self._rewards[index] = reward
        self._next_observations[index] = next_observation
        self._terminated[index] = terminated
        self._added += 1

    def sample(self, batch_size: int, rng: np.random.Generator) -> tuple[tf.Tensor, ...]:
        """Draws observations, actions, rewards, next observations and termination flags."""
        indices = rng.integers(min(self._added, self._capacity), size=batch_size)
        columns = (
            self._observations,
            self._actions,
            self._rewards,
            self._next_observations,
            self._terminated,
        )
        return tuple(tf.constant(column[indices]) for column in columns)


class Learner:
    """A Q-network, its target network, and the update that moves the one towards the other.

    Args:
        num_features: Length of an observation vector.
        num_actions: Number of discrete actions.
        settings: Learning rate, gradient norm and discount are read.
    """

    def __init__(self, num_features: int, num_actions: int, settings: HyperParameters) -> None:
        self.online = build_q_network(num_features, num_actions)
        self._target = build_q_network(num_features, num_actions)
        self._optimizer = keras.optimizers.Adam(
            settings.learning_rate, global_clipnorm=settings.gradient_norm
        )
        self._optimizer.build(self.online.trainable_variables)
        self._discount = settings.discount
        self._num_actions = num_actions
        self.update = tf.function(self._update, autograph=False)

    def synchronise_target(self) -> None:
        """Copies the online network into the target network."""
        self._target.set_weights(self.online.get_weights())

    def _update(
        self,
        observations: tf.Tensor,
        actions: tf.Tensor,
        rewards: tf.Tensor,
        next_observations: tf.Tensor,
        terminated: tf.Tensor,
    ) -> None:
        # y = r + discount * max_a' Q(s', a'; θ⁻). Only termination ends the sum of rewards: an
        # episode that is merely truncated would have gone on, so its last state keeps its value.
        next_values = tf.reduce_max(self._target(next_observations), axis=-1)
        targets = rewards + self._discount * (1.0 - terminated) * next_values
        chosen = tf.one_hot(actions, self._num_actions)
        with tf.GradientTape() as tape:
            values = tf.reduce_sum(chosen * self.online(observations, training=True), axis=-1)
            loss = huber_loss(targets, values)
        variables = self.online.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)


def play(environment: gymnasium.Env[Any, Any], policy: Policy, seed: int) -> float:
    """Plays one episode and returns its undiscounted episode_return."""
    observation, _ = environment.reset(seed=seed)
    episode_return = 0.0
    ended = False
    while not ended:
        observation, reward, terminated, truncated, _ = environment.step(policy(observation))
        episode_return += float(reward)
        ended = terminated or truncated
    return episode_return


def train(seed: int, settings: HyperParameters) -> Training:
    """Trains a Q-network and keeps the weights that play best.

    Args:
        seed: Fixes the initial weights, the exploration, the episodes and the batches drawn.
        settings: How to train.

    Returns:
        The best network, and what is known about it.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    environment = gymnasium.make(ENVIRONMENT_ID)
    selection_environment = gymnasium.make(ENVIRONMENT_ID)
    assert isinstance(environment.observation_space, gymnasium.spaces.Box)
    assert isinstance(environment.action_space, gymnasium.spaces.Discrete)
    (num_features,) = environment.observation_space.shape
    num_actions = int(environment.action_space.n)

    learner = Learner(num_features, num_actions, settings)
    policy = greedy_policy(learner.online)
    memory = ReplayMemory(settings.replay_capacity, num_features)
    best_weights = learner.online.get_weights()
    best_returns: list[float] = []

    step = 0
    ended = True
    while step < settings.max_environment_steps:
        if ended:
            episode_seed = int(rng.integers(TRAINING_SEEDS.start, TRAINING_SEEDS.stop))
            observation, _ = environment.reset(seed=episode_seed)
        explore = rng.random() < settings.epsilon(step)
        action = int(rng.integers(num_actions)) if explore else policy(observation)
        next_observation, reward, terminated, truncated, _ = environment.step(action)
        memory.add(observation, action, float(reward), next_observation, terminated)
        observation = next_observation
        ended = terminated or truncated
        step += 1

        if step >= settings.learning_starts and step % settings.steps_per_block == 0:
            learner.synchronise_target()
            for _ in range(settings.updates_per_block):
                learner.update(*memory.sample(settings.batch_size, rng))

        if step % settings.steps_per_selection == 0:
            returns = [play(selection_environment, policy, start) for start in SELECTION_SEEDS]
            print(f"step {step:6d}  selection mean {np.mean(returns):6.1f}", file=sys.stderr)
            if not best_returns or np.mean(returns) > np.mean(best_returns):
                best_weights, best_returns = learner.online.get_weights(), returns
            if min(best_returns) >= BEST_RETURN:
                break

    learner.online.set_weights(best_weights)
    return Training(learner.online, step, best_returns)


def bounds(seeds: range) -> dict[str, int]:
    """Returns a range of seeds as data; `stop` is not one of them, as in Python."""
    return {"start": seeds.start, "stop": seeds.stop}


def describe(
    weights_file: Path,
    seed: int,
    settings: HyperParameters,
    training: Training,
    confirmation_returns: list[float],
) -> dict[str, Any]:
    """Returns the manifest entry of a weight file: where it came from and what it is worth."""
    return {
        "file": weights_file.name,
        "sha256": hashlib.sha256(weights_file.read_bytes()).hexdigest(),
        "environment_id": ENVIRONMENT_ID,
        "seed": seed,
        "command": shlex.join(["python", *sys.argv]),
        "versions": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "gymnasium": gymnasium.__version__,
            "numpy": np.__version__,
        },
        "hyper_parameters": asdict(settings),
        "training": {
            "seeds": bounds(TRAINING_SEEDS),
            "environment_steps": training.environment_steps,
        },
        "selection": {
            "seeds": bounds(SELECTION_SEEDS),
            "mean": float(np.mean(training.selection_returns)),
        },
        "confirmation": {
            "seeds": bounds(CONFIRMATION_SEEDS),
            "mean": float(np.mean(confirmation_returns)),
            "min": min(confirmation_returns),
            "max": max(confirmation_returns),
            "episode_returns": confirmation_returns,
        },
    }


def main() -> None:
    """Trains, confirms, and writes the weights and the manifest."""
    parser = argparse.ArgumentParser(description="Train the CartPole agent of week 13.")
    parser.add_argument("--seed", type=int, default=0, help="fixes everything that chance decides")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE.parent, help="folder to write to")
    arguments = parser.parse_args()

    # Sums of floats depend on how they are split between threads: one thread, one result. A net of
    # this size would not be any faster with more.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()

    settings = HyperParameters()
    training = train(arguments.seed, settings)

    policy = greedy_policy(training.network)
    environment = gymnasium.make(ENVIRONMENT_ID)
    returns = [play(environment, policy, seed) for seed in CONFIRMATION_SEEDS]
    print(f"confirmation mean {np.mean(returns):.1f}, min {min(returns):.0f}", file=sys.stderr)

    arguments.out.mkdir(parents=True, exist_ok=True)
    weights_file = arguments.out / WEIGHTS_FILE.name
    training.network.save_weights(weights_file)
    entry = describe(weights_file, arguments.seed, settings, training, returns)
    manifest = json.dumps({"weights": [entry]}, indent=2)
    (arguments.out / "manifest.json").write_text(manifest + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
