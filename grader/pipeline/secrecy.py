"""Keeps secret seeds out of reports: episodes are named by their number instead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from grader.records.result import EpisodeReturns, Verdict

_SEED: Final = re.compile(r"(?:\bseed |\bseed=)?(?<!\d)(\d{1,19})(?!\d)", re.IGNORECASE)


def without_seeds(verdict: Verdict, seeds: Sequence[int]) -> Verdict:
    """A verdict in which nothing tells the seeds of the episodes.

    Whatever a check of any kind says or shows passes through here, so that no check needs to know
    whether seeds are secret: `seed 4611…` becomes `episode 3`, and a seed that stands as a number
    becomes the episode's number.

    Args:
        verdict: as the judge gave it.
        seeds: the seeds of the part's episodes, in order.
    """
    numbers = _numbers(seeds)
    told = Verdict.model_validate(_told(verdict.model_dump(by_alias=True), numbers))
    exhibits = tuple(
        exhibit.model_copy(update={"numbered": True})
        if isinstance(exhibit, EpisodeReturns)
        else exhibit
        for exhibit in told.exhibits
    )
    return told.model_copy(update={"exhibits": exhibits})


def text_without_seeds(text: str, seeds: Sequence[int]) -> str:
    """A text in which nothing tells the seeds of the episodes."""
    told: str = _told(text, _numbers(seeds))
    return told


def _numbers(seeds: Sequence[int]) -> dict[int, int]:
    return {seed: number for number, seed in enumerate(seeds, start=1)}


def _told(item: Any, numbers: Mapping[int, int]) -> Any:
    if isinstance(item, dict):
        return {_told(key, numbers): _told(value, numbers) for key, value in item.items()}
    if isinstance(item, tuple | list):
        return type(item)(_told(value, numbers) for value in item)
    if type(item) is int:
        return numbers.get(item, item)
    if type(item) is str:
        return _SEED.sub(lambda found: _named(found, numbers), item)
    return item


def _named(found: re.Match[str], numbers: Mapping[int, int]) -> str:
    number = numbers.get(int(found.group(1)))
    return found.group() if number is None else f"episode {number}"
