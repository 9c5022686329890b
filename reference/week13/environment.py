"""Firefly: a small arcade game for Gymnasium."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded
from numpy.typing import NDArray

COLUMNS = 9
ROWS = 10
GROUND = ROWS - 1
LIVES = 3
MAX_STEPS = 300
TURN_PROBABILITY = 0.05
CELL_PIXELS = 16

NIGHT = (16, 20, 48)
FIREFLY = (255, 224, 64)
JAR = (144, 208, 255)


class GameEnv(gymnasium.Env[NDArray[np.int64], np.int64]):
    """Catch fireflies in a jar that slides along the ground.

    A firefly enters at the top and sinks one row per step while it drifts sideways; it bounces off
    the walls, and now and then it changes its mind about the direction. The jar moves at most one
    column per step, so the player has to run to where the firefly will be.

    Observation: `MultiDiscrete`, int64, shape (5,): the firefly's column and row, its drift (0
    left, 1 straight down, 2 right), the jar's column, and the lives left. It is the whole state.

    Action: `Discrete(3)`: 0 moves the jar left, 1 leaves it, 2 moves it right.

    Reward: +1 for a firefly caught, -1 for one that reaches the ground beside the jar, otherwise 0.

    Episode end: terminated when the last of 3 lives is lost (each miss costs one); truncated after
    300 steps.

    Info: ``caught``, the number of fireflies caught in this episode.

    Args:
        render_mode: ``"ansi"`` renders to text, ``"rgb_array"`` to an image, ``None`` not at all.

    Raises:
        ValueError: The render mode is none of these.
    """

    # An instance variable to Gymnasium's type hints, but declared once per class by its convention.
    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(
                f"render_mode must be None or one of {self.metadata['render_modes']}, "
                f"received {render_mode!r}"
            )
        self.render_mode = render_mode
        self.observation_space = spaces.MultiDiscrete([COLUMNS, ROWS, 3, COLUMNS, LIVES + 1])
        self.action_space = spaces.Discrete(3)
        self._playing = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: Fixes all that chance decides in this episode and in those after it.
            options: The game has none; whatever is given is ignored.

        Returns:
            The first observation and the info.
        """
        super().reset(seed=seed, options=options)
        self._jar = COLUMNS // 2
        self._lives = LIVES
        self._caught = 0
        self._steps = 0
        self._playing = True
        self._release_firefly()
        return self._observation(), {"caught": self._caught}

    def step(
        self, action: np.int64 | int
    ) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Moves the jar, then the firefly.

        Args:
            action: 0 left, 1 stay, 2 right.

        Returns:
            Observation, reward, terminated, truncated, and info.

        Raises:
            ResetNeeded: No episode is running.
            InvalidAction: The action is not in the action space.
        """
        if not self._playing:
            raise ResetNeeded("no episode is running: call reset() first")
        if not self.action_space.contains(action):
            raise InvalidAction(f"action must be 0, 1 or 2, received {action!r}")

        self._steps += 1
        self._jar = min(max(self._jar + int(action) - 1, 0), COLUMNS - 1)
        self._move_firefly()

        reward = 0.0
        landed = self._row == GROUND
        if landed and self._column == self._jar:
            reward = 1.0
            self._caught += 1
        elif landed:
            reward = -1.0
            self._lives -= 1

        terminated = self._lives == 0
        truncated = not terminated and self._steps >= MAX_STEPS
        self._playing = not (terminated or truncated)
        # The next firefly belongs to the observation returned now; otherwise the player would be
        # blind for its first step. A last firefly stays where it landed.
        if landed and self._playing:
            self._release_firefly()
        return self._observation(), reward, terminated, truncated, {"caught": self._caught}

    def render(self) -> str | NDArray[np.uint8] | None:
        """Draws the current state.

        Returns:
            For ``"ansi"`` a text of 10 lines of 9 characters, ``*`` the firefly, ``U`` the jar and
            ``@`` the firefly in the jar, and a status line. For ``"rgb_array"`` an image, uint8,
            shape (160, 144, 3). ``None`` if the environment was made without a render mode.
        """
        if self.render_mode == "ansi":
            return self._text()
        if self.render_mode == "rgb_array":
            return self._image()
        return None

    def _release_firefly(self) -> None:
        self._column = int(self.np_random.integers(COLUMNS))
        self._row = 0
        self._drift = int(self.np_random.integers(-1, 2))

    def _move_firefly(self) -> None:
        if self.np_random.random() < TURN_PROBABILITY:
            self._drift = int(self.np_random.integers(-1, 2))
        if not 0 <= self._column + self._drift < COLUMNS:
            self._drift = -self._drift
        self._column += self._drift
        self._row += 1

    def _observation(self) -> NDArray[np.int64]:
        # A new array each time: callers keep observations in replay memories.
        state = [self._column, self._row, self._drift + 1, self._jar, self._lives]
        return np.array(state, dtype=np.int64)

    def _text(self) -> str:
        board = [["."] * COLUMNS for _ in range(ROWS)]
        board[GROUND][self._jar] = "U"
        caught = (self._row, self._column) == (GROUND, self._jar)
        board[self._row][self._column] = "@" if caught else "*"
        lines = ["".join(row) for row in board]
        return "\n".join([*lines, f"caught {self._caught}  lives {self._lives}"])

    def _image(self) -> NDArray[np.uint8]:
        board = np.full((ROWS, COLUMNS, 3), NIGHT, dtype=np.uint8)
        board[GROUND, self._jar] = JAR
        board[self._row, self._column] = FIREFLY
        # Each cell becomes a square of pixels.
        return board.repeat(CELL_PIXELS, axis=0).repeat(CELL_PIXELS, axis=1)
