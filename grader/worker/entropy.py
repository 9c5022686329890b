"""Makes a worker repeatable: every source of randomness starts from a seed that was sent.

Students' code often draws from generators that nobody seeded. Here those draw from a stream that
depends on the sent seed alone, so that two runs of one submission see the same numbers. Agents
that are not reproducible by their own seed are found by running them under different seeds.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile

import numpy as np


class _Stream:
    """Bytes from SHA-256 in counter mode."""

    def __init__(self, seed: int) -> None:
        self._key = f"worker entropy {seed}".encode()
        self._counter = 0

    def read(self, size: int, /) -> bytes:
        blocks = []
        for _ in range(-(-size // 32)):
            self._counter += 1
            blocks.append(hashlib.sha256(self._key + self._counter.to_bytes(8, "big")).digest())
        return b"".join(blocks)[:size]


_seed_from = random.Random.seed


def seed_everything(seed: int) -> None:
    """Seeds `random`, numpy, Keras, TensorFlow and the operating system's randomness."""
    import keras

    stream = _Stream(seed)
    os.urandom = stream.read
    if hasattr(os, "getrandom"):
        os.getrandom = lambda size, flags=0: stream.read(size)  # noqa: ARG005
    # `secrets`, `random.SystemRandom` and unseeded numpy generators all read through this name.
    random._urandom = stream.read  # type: ignore[attr-defined]  # noqa: SLF001

    def seed_generator(
        self: random.Random, a: float | str | bytes | bytearray | None = None, version: int = 2
    ) -> None:
        """Initialises the generator; without a seed, from the worker's stream."""
        _seed_from(self, int.from_bytes(stream.read(32), "big") if a is None else a, version)

    # An unseeded `random.Random()` would otherwise ask the kernel.
    random.Random.seed = seed_generator  # type: ignore[method-assign]
    random.seed = random._inst.seed  # noqa: SLF001
    # It makes a new generator when the process's number changes; in rooms that is always the same.
    tempfile._name_sequence = None  # type: ignore[attr-defined]  # noqa: SLF001
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  students use the global generator
    keras.utils.set_random_seed(seed % 2**32)
