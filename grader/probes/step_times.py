"""Turns times, which are never twice the same, into a class that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

CLASSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0)
"""Multiples of the limit that are told apart."""
TOLERANCE: Final = 1.25
"""A class ends a quarter above its number: who keeps the limit has that much room for a busy
machine, and only one who lies right at that end could be seen on either side of it."""
SHARE: Final = 95
"""Percent of the steps that count; the slowest are the machine's more often than the agent's."""


def time_class(rounds: Sequence[Sequence[float]], limit_ms: float) -> float:
    """The smallest multiple of the limit that nearly all steps kept.

    Args:
        rounds: milliseconds of each step, measured several times over. What else happens on a
            machine makes steps slower and never faster, so the fastest round tells most.
        limit_ms: the limit.

    Returns:
        One of `CLASSES`, the last for all that is beyond.
    """
    reached = min(float(np.percentile(times, SHARE)) for times in rounds) / limit_ms
    return next((each for each in CLASSES if reached <= each * TOLERANCE), CLASSES[-1])
