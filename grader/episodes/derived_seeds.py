"""Seeds for what is drawn beside an environment, each derived one way from the episode's seed."""

from __future__ import annotations

import hashlib


def derived_seed(purpose: str, seed: int, bits: int = 64) -> int:
    """A seed of its own for one purpose in one episode.

    Derived by SHA-256, so that two purposes never draw the same numbers and none tells the
    environment's seed.

    Args:
        purpose: what is drawn, such as `random actions`.
        seed: the episode's seed, any whole number.
        bits: size of the result.
    """
    digest = hashlib.sha256(f"{purpose} {seed}".encode()).digest()
    return int.from_bytes(digest, "big") >> (256 - bits)
