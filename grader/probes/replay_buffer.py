"""Probe of a replay buffer: filled with transitions that carry numbers, and asked for batches."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from grader.assignments.registry import ProbeKind, Role
from grader.probes.context import ProbeContext, expect, load, load_again
from grader.probes.transitions import Batch, decoded, transition
from grader.probes.values import TYPE_CHARS, renamed
from grader.records.arrays import ArrayRecord
from grader.records.function_settings import ReplayBufferSettings
from grader.records.incident import Incident
from grader.records.learning_evidence import BufferTrial, ReplayBufferEvidence
from grader.records.messages import Invoke
from grader.records.practice_requests import CallEach
from grader.records.text import clean_line
from grader.records.wire import describe
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

_ENTROPY: Final = 811
_OTHER_ENTROPY: Final = 812
_SEED: Final = 5
_BATCHES: Final = 40
_SEEDED_BATCHES: Final = 6
_FEW: Final = 5
_LONGEST: Final = 2**31
"""Lengths from here on are no length of a buffer."""


class _Buffers:
    """Makes buffers in one worker and tries them."""

    def __init__(self, context: ProbeContext, worker: Worker) -> None:
        self.settings: ReplayBufferSettings = context.settings
        self.worker = worker
        self.made = 0

    def make(self) -> str:
        """A new buffer; the name it is kept under."""
        self.made += 1
        name = f"buffer{self.made}"
        offered = {
            "capacity": self.settings.capacity,
            "observation_shape": self.settings.observation_shape,
            "batch_size": self.settings.batch_size, "seed": _SEED,
        }  # fmt: skip
        self.worker.ask(
            Invoke(
                target="buffer_class", keep=name,
                arguments=renamed(offered, self.settings.arguments),
            ),
            "making the buffer",
        )  # fmt: skip
        return name

    def trial(
        self, label: str, stored: int, batches: int, size: int, *, overwrite: bool = False,
        may_raise: bool = False,
    ) -> BufferTrial:  # fmt: skip
        """Stores transitions in a new buffer and asks for batches.

        Args:
            label: what is found out.
            stored: how many transitions.
            batches: how many batches.
            size: transitions asked for in each.
            overwrite: whether arrays are overwritten after they were stored.
            may_raise: whether an exception of `sample` is an answer like any other.
        """
        try:
            name = self.make()
            self._store(name, stored, label, overwrite=overwrite)
            length, length_received = self._length(name, label)
            answers = self._sample(name, batches, size, label, may_raise=may_raise)
        except WorkerIncident as error:
            return BufferTrial(label=label, stored=stored, incident=error.incident)
        raised = answers[0].get("raised") if isinstance(answers[0], dict) else None
        if may_raise and isinstance(raised, str):
            return BufferTrial(
                label=label, stored=stored, length=length, length_received=length_received,
                raised=clean_line(raised, 100),
            )  # fmt: skip
        read = [decoded(answer, self.settings, stored) for answer in answers]
        return BufferTrial(
            label=label, stored=stored, length=length, length_received=length_received,
            **_summary(read),
        )  # fmt: skip

    def _store(self, name: str, stored: int, label: str, *, overwrite: bool) -> None:
        stage = f"storing transitions ({label})"
        calls = tuple(
            renamed(transition(number, self.settings), self.settings.arguments)
            for number in range(stored)
        )
        # A method that takes one thing, which is none of the five, takes the transition whole.
        request = CallEach(
            target=name, method="add", calls=calls, overwrite=overwrite, whole=True
        )  # fmt: skip
        self.worker.ask(request, stage)

    def _length(self, name: str, label: str) -> tuple[int | None, str]:
        """What `len` says, and in words what it said instead of a whole number."""
        stage = f"asking for the length ({label})"
        length = self.worker.ask(Invoke(target=name, method="length"), stage)
        if isinstance(length, np.integer):
            length = int(length)
        # True and False are of class int.
        whole = isinstance(length, int) and not isinstance(length, bool)
        if whole and 0 <= length < _LONGEST:
            return int(length), ""
        return None, clean_line(describe(length), TYPE_CHARS)

    def _sample(
        self, name: str, batches: int, size: int, label: str, *, may_raise: bool
    ) -> list[Any]:
        stage = f"sampling ({label})"
        offered = renamed({"batch_size": size}, self.settings.arguments)
        request = CallEach(
            target=name, method="sample", calls=(offered,) * batches, keep_going=may_raise
        )
        answers = self.worker.ask(request, stage)
        expect(isinstance(answers, list) and len(answers) == batches, stage, "batches are missing")
        assert isinstance(answers, list)
        return answers


def _summary(batches: list[Batch]) -> dict[str, Any]:
    """The fields of a trial that its batches decide."""
    first = batches[0]
    bad = next((batch for batch in batches if not batch.form), None)
    if bad is not None:
        return {"received": bad.received}
    sizes = {batch.numbers.shape for batch in batches if batch.numbers is not None}
    if len(sizes) > 1:
        return {"received": "batches of different sizes"}
    numbers = np.stack([batch.numbers for batch in batches if batch.numbers is not None])
    return {
        "form": first.form, "received": first.received, "shapes": first.shapes or {},
        "dtypes": first.dtypes or {}, "batches": ArrayRecord.of(numbers),
    }  # fmt: skip


def collect(context: ProbeContext) -> ReplayBufferEvidence:
    """Fills several buffers and asks them for batches."""
    settings: ReplayBufferSettings = context.settings
    capacity, size = settings.capacity, settings.batch_size
    few = max(capacity // 2, size)
    found: dict[str, Any] = {}
    with context.worker(_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return ReplayBufferEvidence(**fields)
        buffers = _Buffers(context, worker)
        try:
            buffers.make()
        except WorkerIncident as error:
            return ReplayBufferEvidence(**fields, construction=error.incident)
        plan: tuple[tuple[str, str, int, int, int, dict[str, bool]], ...] = (
            ("filling", "fewer transitions than the capacity", few, 1, size, {}),
            ("overflowing", "more transitions than the capacity", 2 * capacity + 7, _BATCHES,
             size, {}),
            ("sampling", "many batches", capacity + 3, settings.batches, size, {}),
            ("aliasing", "arrays that are used again after they were stored", few, _BATCHES, size,
             {"overwrite": True}),
            ("oversampling", "more asked for than is stored", _FEW, 1, size, {"may_raise": True}),
        )  # fmt: skip
        end: Incident | None = None
        for name, label, stored, batches, asked, options in plan:
            if end is None:
                found[name] = buffers.trial(label, stored, batches, asked, **options)
            else:
                found[name] = BufferTrial(label=label, stored=stored, incident=end)
            # What ended the process ended everything that was still to be tried.
            end = found[name].incident if worker.ended else None
        seeded = [
            buffers.trial("a seed", few, _SEEDED_BATCHES, size)
            if end is None
            else BufferTrial(label="a seed", incident=end)
        ]
    if seeded[0].incident is None:
        seeded.append(_elsewhere(context, few))
    return ReplayBufferEvidence(**fields, **found, seeded=tuple(seeded))


def _elsewhere(context: ProbeContext, stored: int) -> BufferTrial:
    """The same seed in another process, whose own randomness differs."""
    settings: ReplayBufferSettings = context.settings
    label = "the same seed in another process"
    with context.worker(_OTHER_ENTROPY) as worker:
        try:
            load_again(context, worker)
        except WorkerIncident as error:
            return BufferTrial(label=label, stored=stored, incident=error.incident)
        buffers = _Buffers(context, worker)
        return buffers.trial(label, stored, _SEEDED_BATCHES, settings.batch_size)


PROBE = ProbeKind(
    id="replay_buffer",
    roles=(
        Role("buffer_class", "class", ("ReplayBuffer", "ReplayMemory")),
        Role("add", "method", ("add", "append", "push", "store", "remember"), "buffer_class"),
        Role("sample", "method", ("sample", "sample_batch"), "buffer_class"),
        Role("length", "method", ("__len__", "size"), "buffer_class"),
    ),
    settings=ReplayBufferSettings,
    evidence=ReplayBufferEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `replay_buffer`."""
