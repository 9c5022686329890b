"""Plays Breakout and keeps four stacked frames, as the Deep Q-Network sees the game.

Run from the root of the repository, with the extra `atari` installed::

    python reference/frames.py --seed 7 --out grader/probes/breakout_frames.png

The score report shows these frames, and what a student's convolutions make of them. They are made
as in Mnih et al., Nature 518:529 (2015), Methods, "Preprocessing": each frame is the brighter of
two that follow each other, pixel by pixel, as luminance, shrunk to 84 × 84; the action is repeated
for four frames of the game, and the last four frames make the stack.

The same seed with the same version of `ale-py` writes the same file.
"""

import argparse
from pathlib import Path

import ale_py
import gymnasium
import numpy as np
from numpy.typing import NDArray

from grader.records.png import write_png

SIDE = 84
STACK = 4
REPEAT = 4
NOOP, FIRE, RIGHT, LEFT = range(4)
RED_OF_PADDLE_AND_BALL = 200
"""Red channel of both, in the game's own palette; the walls and the bricks have other colours."""
PADDLE_ROWS = slice(189, 193)
BALL_ROWS = slice(93, 189)
"""Rows of the screen between the bricks and the paddle."""
WALLS = slice(8, 152)
"""Columns of the screen between the side walls."""


def column_of(screen: NDArray[np.uint8], rows: slice) -> float | None:
    """Mean column of the pixels in the colour of paddle and ball, None where there are none."""
    red = screen[rows, WALLS, 0] == RED_OF_PADDLE_AND_BALL
    columns = np.flatnonzero(red.any(axis=0))
    return float(columns.mean()) if columns.size else None


def choose(screen: NDArray[np.uint8], random: np.random.Generator) -> int:
    """Follows the ball most of the time, so that the game goes on and bricks are hit."""
    ball, paddle = column_of(screen, BALL_ROWS), column_of(screen, PADDLE_ROWS)
    if ball is None or paddle is None:
        return FIRE
    if abs(ball - paddle) < 4 or random.random() < 0.1:
        return NOOP
    return RIGHT if ball > paddle else LEFT


def shrunk(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The mean over the area that each of the 84 × 84 pixels covers."""
    for axis in (0, 1):
        length = image.shape[axis]
        edges = np.linspace(0, length, SIDE + 1)
        weights = np.clip(
            np.minimum(np.arange(1, length + 1), edges[1:, None])
            - np.maximum(np.arange(length), edges[:-1, None]),
            0,
            1,
        )
        weights /= weights.sum(axis=1, keepdims=True)
        image = np.moveaxis(np.tensordot(weights, image, (1, axis)), 0, axis)
    return np.rint(image).astype(np.uint8)


def play(seed: int, steps: int) -> NDArray[np.uint8]:
    """The stack after some steps of play, shape (84, 84, 4), the newest frame last."""
    gymnasium.register_envs(ale_py)
    env = gymnasium.make("ALE/Breakout-v5", frameskip=1, repeat_action_probability=0.0)
    random = np.random.default_rng(seed)
    screen, _ = env.reset(seed=seed)
    stack: list[NDArray[np.uint8]] = []
    for _ in range(steps):
        action = choose(screen, random)
        last_two = [screen, screen]
        for _ in range(REPEAT):
            screen, _, terminated, _, _ = env.step(action)
            last_two = [last_two[1], screen]
            if terminated:
                screen, _ = env.reset()
        brightest = np.maximum(*last_two).astype(np.float64)
        # ITU-R BT.601, the luminance of the television that the game was made for.
        stack = [*stack[-STACK + 1 :], shrunk(brightest @ (0.299, 0.587, 0.114))]
    env.close()
    return np.stack(stack, axis=-1)


def main() -> None:
    """Writes the frames side by side, oldest first."""
    parser = argparse.ArgumentParser(description="Keeps four frames of Breakout.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=700, help="of four frames of the game each")
    parser.add_argument("--out", type=Path, default=Path("grader/probes/breakout_frames.png"))
    options = parser.parse_args()
    frames = play(options.seed, options.steps)
    side_by_side = np.concatenate(np.moveaxis(frames, -1, 0), axis=1)
    options.out.write_bytes(write_png(side_by_side))
    print(f"{options.out}: {options.out.stat().st_size} bytes, ale-py {ale_py.__version__}")


if __name__ == "__main__":
    main()
