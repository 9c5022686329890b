"""The inputs that a network is given: shapes that are accepted, and numbers drawn for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.records.arithmetic import evaluate
from grader.records.network_settings import NetworkInput, NetworkSettings

Array = npt.NDArray[Any]
Batch = tuple[Array, ...]
"""One array for each input of a network, shape (batch, …)."""
Shape = tuple[int, ...]

_MOST_COMBINATIONS: Final = 16
_SPARSE_PART: Final = 0.05
_PIXELS: Final = 32
"""Ranges at least this wide are fed with whole numbers, as pixels are."""


class Look(StrEnum):
    """Inputs that look otherwise than noise."""

    SPARSE = "sparse"
    """Nothing but a few numbers, like a game's frame: a ball and two rackets on black."""
    EMPTY = "empty"
    """Zero everywhere, or the smallest number of the range."""
    EVEN = "even"
    """One number everywhere."""


@dataclass(frozen=True)
class DrawnInput:
    """One input with all of its settings as numbers.

    Attributes:
        name: what the assignment calls it.
        shape: batch axis left out.
        low: smallest value.
        high: largest value.
        whole_numbers: whether it is fed with integers, such as numbers of words.
        padded: whether some of the sequences end in zeros.
    """

    name: str
    shape: Shape
    low: float
    high: float
    whole_numbers: bool
    padded: bool

    def draw(self, generator: np.random.Generator, batch: int) -> Array:
        """A batch, shape (batch, *shape): float32, or int32 for whole numbers."""
        shape = (batch, *self.shape)
        if self.whole_numbers:
            least = max(int(self.low), 1) if self.padded and self.high >= 1 else int(self.low)
            drawn = generator.integers(least, int(self.high), shape, np.int32, endpoint=True)
        else:
            uniform = generator.uniform(self.low, self.high, shape)
            drawn = np.rint(uniform) if self.high - self.low >= _PIXELS else uniform
            drawn = drawn.astype(np.float32)
        if self.padded and self.shape:
            lengths = generator.integers(1, self.shape[0], batch, endpoint=True)
            lengths[0] = self.shape[0]  # one row is as long as it may be
            for row, length in enumerate(lengths):
                drawn[row, length:] = 0
        return drawn

    def draw_look(self, look: Look, generator: np.random.Generator, batch: int) -> Array:
        """A batch that looks otherwise than noise, of the shape and dtype of `draw`."""
        drawn = self.draw(generator, batch)
        least = max(int(self.low), 1) if self.padded and self.high >= 1 else self.low
        empty = 0 if least <= 0 <= self.high else least
        if look is Look.SPARSE:
            kept = generator.random(drawn.shape) < _SPARSE_PART
            return np.where(kept, drawn, empty).astype(drawn.dtype)
        value = drawn.flat[0] if look is Look.EVEN and drawn.size else empty
        return np.full_like(drawn, value)


@dataclass(frozen=True)
class DrawnInputs:
    """All inputs of a network: those asked for, and further ones it declares.

    Attributes:
        asked: in the order of the assignment.
        extra: shapes of the further ones, which are fed with ones.
    """

    asked: tuple[DrawnInput, ...]
    extra: tuple[Shape, ...] = ()

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Shape of each input asked for, batch axis left out."""
        return tuple(single.shape for single in self.asked)

    def draw(self, seed: int, batch: int) -> Batch:
        """A batch for each input.

        Args:
            seed: the same seed gives the same numbers.
            batch: number of rows.
        """
        asked = (
            single.draw(_generator(seed, number), batch) for number, single in enumerate(self.asked)
        )
        return self._with_extra(asked, batch)

    def draw_look(self, look: Look, seed: int, batch: int) -> Batch:
        """A batch for each input that looks otherwise than noise.

        Args:
            look: how.
            seed: the same seed gives the same numbers.
            batch: number of rows.
        """
        asked = (
            single.draw_look(look, _generator(seed, number), batch)
            for number, single in enumerate(self.asked)
        )
        return self._with_extra(asked, batch)

    def _with_extra(self, asked: Iterator[Array], batch: int) -> Batch:
        ones = (np.ones((batch, *shape), np.float32) for shape in self.extra)
        return (*asked, *ones)


def _generator(seed: int, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, number] if number else seed)


def accepted_shapes(
    settings: NetworkSettings, arguments: Mapping[str, Any]
) -> tuple[tuple[Shape, ...], ...]:
    """Accepted shapes of each input, for one call of the builder."""
    return tuple(
        tuple(tuple(int(_number(side, arguments)) for side in shape) for shape in single.shapes)
        for single in settings.network_inputs
    )


def input_candidates(
    settings: NetworkSettings, arguments: Mapping[str, Any], extra: tuple[Shape, ...]
) -> Iterator[tuple[tuple[int, ...], DrawnInputs]]:
    """The ways in which a network may take its inputs, in the order in which they are tried.

    Args:
        settings: of the part.
        arguments: of the call of the builder.
        extra: shapes of inputs that the network declares beyond those asked for.

    Returns:
        For each way: which accepted shape each input has, and the inputs.
    """
    accepted = accepted_shapes(settings, arguments)
    choices = product(*(range(len(shapes)) for shapes in accepted))
    for choice in islice(choices, _MOST_COMBINATIONS):
        shapes = (accepted[number][at] for number, at in enumerate(choice))
        asked = tuple(
            _drawn(single, shape, arguments)
            for single, shape in zip(settings.network_inputs, shapes, strict=True)
        )
        yield choice, DrawnInputs(asked, extra)


def _drawn(single: NetworkInput, shape: Shape, arguments: Mapping[str, Any]) -> DrawnInput:
    low, high = (_number(bound, arguments) for bound in single.range)
    return DrawnInput(
        name=single.name,
        shape=shape,
        low=low,
        high=high,
        whole_numbers=single.whole_numbers,
        padded=single.padded,
    )


def _number(value: float | str, arguments: Mapping[str, Any]) -> float:
    return evaluate(value, arguments) if isinstance(value, str) else value
