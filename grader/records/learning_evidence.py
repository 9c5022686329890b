"""What was seen of losses, replay buffers and target updates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from grader.records.arrays import ArrayRecord
from grader.records.base import Record
from grader.records.evidence import FunctionTrial, PartEvidence
from grader.records.incident import Incident


class LossEvidence(PartEvidence):
    """Evidence of a loss function."""

    kind: Literal["loss"] = "loss"
    trials: tuple[FunctionTrial, ...] = ()


class BufferTrial(Record):
    """One replay buffer: what was stored, and the batches that came back.

    Every transition carries a number in all of its five values; what comes back is decoded to
    these numbers on the trusted side. A number of −1 stands for a value that was never stored.
    """

    label: str
    stored: int = 0
    """Transitions that were stored, numbered from 0."""
    length: int | None = None
    """What `len` said at the end; None when it was no whole number."""
    length_received: str = ""
    """What it said instead of a whole number."""
    form: str = ""
    """`columns`, `rows` or `dict`: how batches came; empty when they could not be read."""
    received: str = ""
    """What came back, where it could not be read."""
    shapes: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """Shape of each column of the first batch."""
    dtypes: dict[str, str] = Field(default_factory=dict)
    """Dtype of each column of the first batch."""
    batches: ArrayRecord | None = None
    """Number of the transition that each value came from, int64, shape (batches, batch, 5), the
    columns being state, action, reward, next_state, done."""
    raised: str = ""
    """Name of the exception that sampling ended with, where that was one of the accepted ends."""
    incident: Incident | None = None


class ReplayBufferEvidence(PartEvidence):
    """Evidence of a replay buffer."""

    kind: Literal["replay_buffer"] = "replay_buffer"
    filling: BufferTrial | None = None
    """Fewer transitions than the capacity."""
    overflowing: BufferTrial | None = None
    """More transitions than the capacity."""
    sampling: BufferTrial | None = None
    """Many batches from a full buffer."""
    aliasing: BufferTrial | None = None
    """Arrays that are overwritten after they were stored."""
    oversampling: BufferTrial | None = None
    """More asked for than is stored."""
    seeded: tuple[BufferTrial, ...] = ()
    """Two buffers with one seed in separate processes."""


class UpdateTrial(Record):
    """One call of a student's target update on two of the grader's networks."""

    label: str
    tau: float | None
    """None where a copy was asked for."""
    trainable: tuple[bool, ...] = ()
    """Which of the weights are trained; the others are moving statistics."""
    online: tuple[ArrayRecord, ...] = ()
    """Weights of the online network before the call."""
    target: tuple[ArrayRecord, ...] = ()
    """Weights of the target network before the call."""
    online_after: tuple[ArrayRecord, ...] = ()
    target_after: tuple[ArrayRecord, ...] = ()
    target_later: tuple[ArrayRecord, ...] = ()
    """Weights of the target network after the online network was changed once more."""
    incident: Incident | None = None


class TargetUpdateEvidence(PartEvidence):
    """Evidence of a function that moves a target network towards an online one."""

    kind: Literal["target_update"] = "target_update"
    trials: tuple[UpdateTrial, ...] = ()
