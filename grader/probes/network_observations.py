"""What a network answers to batches drawn outside its process, and how far from another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.network_agreement import difference
from grader.probes.network_inputs import Batch

Array = npt.NDArray[Any]
Outputs = tuple[Array, ...]
"""One array for each output of a network, shape (batch, …)."""

_ROUNDING: Final = 5e-7
"""A few units of the last digit of a float32."""
_NEXT_TO_NOTHING: Final = 1e-9
_STABLE_PART: Final = 0.1


@dataclass(frozen=True)
class Observation:
    """What a network answered to a batch.

    Attributes:
        batch: drawn after the network was described.
        outputs: the answer.
        touched: the same batch, changed by no more than rounding; given for a batch that says
            nothing about a network that makes much of rounding, such as one that divides by the
            deviation of its inputs and is given inputs without any.
    """

    batch: Batch
    outputs: Outputs
    touched: Batch | None = None


def touched(batch: Batch, span: float, seed: int) -> Batch:
    """A batch changed by no more than rounding; whole numbers stay as they are.

    Args:
        batch: one array for each input.
        span: width of the range the numbers come from.
        seed: the same seed gives the same numbers.
    """
    generator = np.random.default_rng(seed)
    noise = [generator.uniform(-1, 1, array.shape) for array in batch]
    return tuple(
        array
        if array.dtype.kind != "f"
        else (array * (1 + _ROUNDING * each) + _NEXT_TO_NOTHING * span * each).astype(array.dtype)
        for array, each in zip(batch, noise, strict=True)
    )


def to_ask(seen: Sequence[Observation]) -> list[Batch]:
    """All batches that another network has to answer, to be compared by `furthest`."""
    changed = [single.touched for single in seen if single.touched is not None]
    return [single.batch for single in seen] + changed


def furthest(
    seen: Sequence[Observation], answers: Sequence[Sequence[Array]], tolerance: float
) -> float | None:
    """Largest difference between what was seen and another network's answers to `to_ask`.

    An answer that rounding alone changes by as much as is allowed is left out.

    Args:
        seen: the first is to ordinary inputs.
        answers: of the other network.
        tolerance: what is allowed.

    Returns:
        None where something cannot be compared.
    """
    changed = iter(answers[len(seen) :])
    found: list[float | None] = []
    for place, (single, answer) in enumerate(zip(seen, answers, strict=False)):
        usual = seen[0].outputs if place else None
        if single.touched is not None:
            moved = difference([np.asarray(array) for array in next(changed)], answer, usual)
            if moved is None or moved > _STABLE_PART * tolerance:
                continue
        found.append(difference(single.outputs, answer, usual))
    if not found or None in found:
        return None
    return max(value for value in found if value is not None)
