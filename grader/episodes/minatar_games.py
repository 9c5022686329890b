"""What MinAtar's games need beside themselves: seeds of any size, and a picture of a game."""

from __future__ import annotations

from typing import Any, Final

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.utils import seeding

from grader.episodes.derived_seeds import derived_seed

_SEED_BITS: Final = 32
_SQUARE_PIXELS: Final = 16
_COLOURS: Final = np.array(
    [
        (16, 16, 20), (94, 201, 98), (253, 231, 37), (68, 119, 170), (204, 102, 119),
        (170, 68, 153), (33, 145, 140), (221, 170, 51), (136, 204, 238), (238, 238, 238),
        (153, 153, 51),
    ],
    dtype=np.uint8,
)  # fmt: skip
"""Background, then one colour for each channel; no game has more than 10."""


class MinAtarGame(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A game of MinAtar with seeds of any size, and with pictures.

    MinAtar takes seeds of 32 bits: larger ones are reduced by a hash. It leaves Gymnasium's
    generator of the environment alone, from which wrappers draw: it is seeded here. A game is drawn
    from its channels, the last on top, 16 pixels to a square.
    """

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Starts an episode."""
        if seed is None:
            return super().reset(options=options)
        self.unwrapped.np_random, _ = seeding.np_random(derived_seed("MinAtar wrappers", seed))
        fits = seed < 1 << _SEED_BITS
        small = seed if fits else derived_seed("MinAtar", seed, _SEED_BITS)
        return super().reset(seed=small, options=options)

    def render(self) -> Any:
        """The game, uint8 (160, 160, 3); None where the environment is made to draw nothing."""
        if self.render_mode is None:
            return None
        game: Any = self.unwrapped
        return _picture(game.game.state())


def _picture(state: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    numbers = np.arange(1, state.shape[-1] + 1)
    squares: npt.NDArray[np.uint8] = _COLOURS[(state * numbers).max(axis=-1)]
    return squares.repeat(_SQUARE_PIXELS, axis=0).repeat(_SQUARE_PIXELS, axis=1)
