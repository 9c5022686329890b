"""What is asked of a worker about an agent, beside calling it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from grader.records.message import Message


class Prepare(Message):
    """Set up how the student's code is run, before any of it is imported."""

    op: Literal["prepare"] = "prepare"
    gym: bool = False
    """Offer a module `gym` made of Gymnasium."""
    fast_predict: bool | None = None
    """Answer small calls of `Model.predict`, and direct calls of plain models, by functions that
    are compiled once; None leaves it as it is."""


class FindNetworks(Message):
    """Find the networks that an object holds, and keep them as `<keep>0`, `<keep>1` and so on.

    Answers a list of texts: where each was found.
    """

    op: Literal["find_networks"] = "find_networks"
    target: str
    keep: str


class Train(Message):
    """Have an agent train in an environment of the worker's own, for a number of steps.

    The environment is spent after these steps; what is called then ends. Answers how many steps
    were taken: the worker's word, good for a sentence and never for points.
    """

    op: Literal["train"] = "train"
    target: str
    method: str
    environment_id: str
    environment_kwargs: dict[str, Any] = Field(default_factory=dict)
    max_episode_steps: int | None = None
    seed: int
    steps: int
