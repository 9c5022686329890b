"""What is asked of a worker that plays with a network that was handed in without an agent."""

from __future__ import annotations

from typing import Any, Literal

from grader.records.message import Message


class LoadWeights(Message):
    """Load a file with weights into a kept network."""

    op: Literal["load_weights"] = "load_weights"
    target: str
    file: str
    observations: Any
    """A batch of observations, for a network that has no weights before it has seen one."""


class LoadModel(Message):
    """Load a saved model and keep it."""

    op: Literal["load_model"] = "load_model"
    file: str
    keep: str


class ActGreedily(Message):
    """The action with the largest value in each row. Answers an int64 array, one for each row."""

    op: Literal["act_greedily"] = "act_greedily"
    target: str
    observations: Any
    """An array; the first axis counts the rows."""
    actions: int
    """Values that the network must have in a row."""
