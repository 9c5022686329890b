"""The three trainings: their environments, their networks, and how each is trained."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import environments
import numpy as np
from environments import Environment
from numpy.typing import NDArray

REFERENCE = Path(__file__).parents[1]

# Disjoint, so that selection and confirmation are never played from a start that was trained on.
TRAINING_SEEDS = range(100_000)
SELECTION_SEEDS = range(100_000, 100_100)
CONFIRMATION_SEEDS = range(200_000, 200_200)


@dataclass(frozen=True)
class HyperParameters:
    """What a training does; lengths of time are counted in environment steps of all environments.

    Going from the end of an episode to the start of the next counts as a step.

    Attributes:
        max_steps: Training stops here.
        steps_per_round: A round ends with selection episodes and a checkpoint; the next begins
            with new episodes, so that no environment needs to be saved.
        num_environments: Environments played in lockstep.
        learning_starts: Steps played before the first update.
        steps_per_block: Steps played between two blocks of updates.
        updates_per_block: Gradient steps in a block.
        target_period: Updates between two copies of the network into the target network.
        replay_capacity: Moments remembered of all environments together.
        batch_size: Transitions per gradient step.
        return_steps: Steps of a transition, n.
        learning_rate: Step size of Adam.
        gradient_norm: Longer gradients, all variables taken together, are shortened to this.
        discount: Weight of a reward one step later, γ.
        reward_scale: Rewards are multiplied by this for learning.
        epsilon_end: Chance to begin to explore, at the end of its fall from 1 and ever after.
        epsilon_steps: Duration of the linear fall.
        longest_exploration: A random action is repeated at most so many times; 1 for ordinary
            ε-greedy exploration.
        selection_episodes: Episodes played at the end of a round.
    """

    max_steps: int
    steps_per_round: int
    num_environments: int
    learning_starts: int
    steps_per_block: int
    updates_per_block: int
    target_period: int
    replay_capacity: int
    batch_size: int
    return_steps: int
    learning_rate: float
    gradient_norm: float
    discount: float
    reward_scale: float
    epsilon_end: float
    epsilon_steps: int
    longest_exploration: int
    selection_episodes: int

    def epsilon(self, step: int) -> float:
        """Returns the chance to begin to explore after `step` environment steps."""
        progress = min(step / self.epsilon_steps, 1.0)
        return 1.0 + progress * (self.epsilon_end - 1.0)


@dataclass(frozen=True)
class Task:
    """An environment and how an agent is trained and judged in it.

    Attributes:
        name: Name of the folder the agent lies in, beside this one.
        environment_id: Gymnasium's name of the environment.
        make: Makes the environment with its wrappers.
        newest_frame: Returns what the replay memory keeps of an observation.
        stack: Frames in an observation.
        stored_layers: The first layers of the network, whose work `newest_frame` has done.
        random_action_share: Share of random actions in selection and confirmation.
        confirmation_episodes: Episodes of the confirmation.
        scripted_action: The action a scripted agent always plays, where that is a fair opponent.
        packages: Packages beside Gymnasium whose versions decide what happens in the environment.
        published: What others have reported for the same protocol, for comparison.
        settings: How to train.
    """

    name: str
    environment_id: str
    make: Callable[[], Environment]
    newest_frame: Callable[[NDArray[Any]], NDArray[Any]]
    stack: int
    stored_layers: int
    random_action_share: float
    confirmation_episodes: int
    scripted_action: int | None
    packages: tuple[str, ...]
    published: dict[str, Any] | None
    settings: HyperParameters

    def agent_module(self) -> ModuleType:
        """Loads `agent.py` of the task, which builds the network."""
        source = REFERENCE / self.name / "agent.py"
        qualified = f"{self.name}_agent"
        if qualified not in sys.modules:
            spec = importlib.util.spec_from_file_location(qualified, source)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.modules[qualified] = module
        return sys.modules[qualified]


def whole_observation(observation: NDArray[Any]) -> NDArray[Any]:
    """Returns the observation, where it is a single frame."""
    return observation


def halved_newest_picture(observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the last picture at half its size: each 2x2 pixels are averaged.

    Args:
        observation: Pictures, the newest last, uint8 (height, width, pictures).
    """
    newest = observation[..., -1].astype(np.uint16)
    sums = newest[::2, ::2] + newest[1::2, ::2] + newest[::2, 1::2] + newest[1::2, 1::2]
    return ((sums + 2) // 4).astype(np.uint8)


TASKS = {
    task.name: task
    for task in (
        Task(
            name="minatar_breakout",
            environment_id="MinAtar/Breakout-v1",
            make=environments.minatar_breakout,
            newest_frame=whole_observation,
            stack=1,
            stored_layers=0,
            random_action_share=0.0,
            confirmation_episodes=200,
            scripted_action=None,
            packages=("MinAtar",),
            published=None,
            settings=HyperParameters(
                max_steps=650_000,
                steps_per_round=50_000,
                num_environments=8,
                learning_starts=5_000,
                steps_per_block=16,
                updates_per_block=8,
                target_period=1_000,
                replay_capacity=100_000,
                batch_size=32,
                return_steps=3,
                learning_rate=2.5e-4,
                gradient_norm=10.0,
                discount=0.99,
                reward_scale=1.0,
                epsilon_end=0.03,
                epsilon_steps=100_000,
                longest_exploration=1,
                selection_episodes=50,
            ),
        ),
        Task(
            name="vizdoom_basic",
            environment_id="VizdoomBasic-v1",
            make=environments.vizdoom_basic,
            newest_frame=whole_observation,
            stack=1,
            stored_layers=0,
            random_action_share=0.0,
            confirmation_episodes=200,
            scripted_action=None,
            packages=("vizdoom", "opencv-python-headless"),
            published=None,
            settings=HyperParameters(
                max_steps=16_000,
                steps_per_round=2_000,
                num_environments=4,
                learning_starts=1_000,
                steps_per_block=8,
                updates_per_block=8,
                target_period=500,
                replay_capacity=40_000,
                batch_size=64,
                return_steps=1,
                learning_rate=5e-4,
                gradient_norm=10.0,
                discount=0.99,
                reward_scale=0.01,
                epsilon_end=0.05,
                epsilon_steps=10_000,
                longest_exploration=1,
                selection_episodes=50,
            ),
        ),
        Task(
            name="atari_freeway",
            environment_id="ALE/Freeway-v5",
            make=environments.atari_freeway,
            newest_frame=halved_newest_picture,
            stack=4,
            stored_layers=1,
            random_action_share=0.05,
            confirmation_episodes=30,
            scripted_action=1,
            packages=("ale-py", "opencv-python-headless"),
            published={
                "source": "Mnih et al., Nature 518:529 (2015), Extended Data Table 2",
                "mean": 30.3,
                "standard_deviation": 0.7,
            },
            settings=HyperParameters(
                max_steps=294_912,
                steps_per_round=32_768,
                num_environments=8,
                learning_starts=16_384,
                steps_per_block=16,
                updates_per_block=8,
                target_period=2_000,
                replay_capacity=200_000,
                batch_size=32,
                return_steps=10,
                learning_rate=2e-4,
                gradient_norm=10.0,
                discount=0.99,
                reward_scale=1.0,
                epsilon_end=0.01,
                epsilon_steps=100_000,
                longest_exploration=128,
                selection_episodes=8,
            ),
        ),
    )
}
