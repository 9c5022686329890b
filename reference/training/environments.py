"""The environments that are trained in, and how one episode is played in them.

The wrappers are those of Gymnasium alone, so that a trained agent sees here exactly what it is
given in any program that applies the same wrappers in the same order.
"""

from collections.abc import Callable
from typing import Any

import ale_py
import gymnasium
import numpy as np
from gymnasium import spaces, wrappers
from gymnasium.utils import seeding
from numpy.typing import NDArray

Environment = gymnasium.Env[NDArray[Any], int]
Act = Callable[[NDArray[Any]], int]


def minatar_breakout() -> Environment:
    """Makes MinAtar Breakout (Young and Tian, arXiv 1903.03176, 2019).

    Observations are bool (10, 10, 4): paddle, ball, trail and bricks. There are 3 actions: stay,
    left, right. With a probability of 0.1 the game repeats the action before. An episode is
    cut after 2,500 steps, since a game that is played well has no end of its own.

    A game carries the last action over into the next episode, so an episode that is to be played
    again from its seed needs an environment of its own.
    """
    # Importing MinAtar pulls in what it draws with, which takes seconds.
    from minatar.gym import register_envs

    if "MinAtar/Breakout-v1" not in gymnasium.registry:
        register_envs()
    return gymnasium.make("MinAtar/Breakout-v1", max_episode_steps=2500)


def vizdoom_basic() -> Environment:
    """Makes ViZDoom Basic (Kempka et al., arXiv 1605.02097, 2016): shoot the one monster.

    Observations are grey pictures, uint8 (30, 40). There are 4 actions: none, left, right, shoot;
    an action lasts 12 game tics. The reward is 101 for the monster, -5 for a shot that missed, and
    -1 per tic.
    """
    import vizdoom.gymnasium_wrapper  # noqa: F401  (registers the environments)

    environment = gymnasium.make("VizdoomBasic-v1", frame_skip=12)
    assert isinstance(environment.observation_space, spaces.Dict)
    screen = environment.observation_space["screen"]
    picture: gymnasium.Env[Any, Any] = wrappers.TransformObservation(
        environment, lambda observation: observation["screen"], screen
    )
    picture = wrappers.GrayscaleObservation(picture)
    return wrappers.ResizeObservation(picture, (30, 40))


def atari_freeway() -> Environment:
    """Makes Freeway of the Arcade Learning Environment as in Mnih et al., Nature 518:529 (2015).

    Observations are the last four pictures, grey, channels last: uint8 (84, 84, 4). There are 3
    actions: none, up, down; an action lasts 4 frames. An episode begins with up to 30 idle frames
    and lasts 2 minutes and 16 seconds, about 2,045 actions. Each crossing is worth 1.
    """
    gymnasium.register_envs(ale_py)
    environment: gymnasium.Env[Any, Any] = gymnasium.make(
        "ALE/Freeway-v5",
        frameskip=1,
        # The preprocessing asks the emulator itself; colours that nobody sees cost time.
        obs_type="grayscale",
        repeat_action_probability=0.0,
        max_num_frames_per_episode=18_000,
    )
    environment = wrappers.AtariPreprocessing(
        environment, noop_max=30, frame_skip=4, screen_size=84, grayscale_obs=True
    )
    environment = wrappers.FrameStackObservation(environment, 4)
    last = spaces.Box(0, 255, (84, 84, 4), np.uint8)
    # Convolutions on a processor want the channels last, and contiguous.
    return wrappers.TransformObservation(
        environment, lambda frames: np.ascontiguousarray(np.moveaxis(frames, 0, -1)), last
    )


def play(
    make: Callable[[], Environment], act: Act, seed: int, random_action_share: float = 0.0
) -> float:
    """Plays one episode in an environment of its own and returns the sum of its rewards.

    Args:
        make: Makes the environment.
        act: Chooses an action index from an observation.
        seed: Fixes the episode and the actions that are replaced.
        random_action_share: This share of the actions is replaced by random ones, as in the
            evaluation of Mnih et al. (2015) with 0.05.
    """
    environment = make()
    try:
        chance, _ = seeding.np_random(seed)
        num_actions = int(environment.action_space.n)  # type: ignore[attr-defined]
        observation, _ = environment.reset(seed=seed)
        total = 0.0
        ended = False
        while not ended:
            replaced = random_action_share > 0.0 and chance.random() < random_action_share
            action = int(chance.integers(num_actions)) if replaced else act(observation)
            observation, reward, terminated, truncated, _ = environment.step(action)
            total += float(reward)
            ended = terminated or truncated
    finally:
        # A game that runs as a process of its own would outlive this one.
        environment.close()
    return total
