"""What was seen when a submission ran: saved whole, judged later, replayable on appeal.

Nothing here is a verdict of the student's process. Actions, arrays and configurations are what
crossed the process boundary; rewards, seeds and comparisons were made on the trusted side.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SerializeAsAny

from grader.records.arrays import ArrayRecord
from grader.records.base import SCHEMA_VERSION, Record
from grader.records.incident import Incident
from grader.records.report import SeedSet, SubmissionRef
from grader.records.source import LayerCall, LeftOut, SourceHint
from grader.records.spec import Baselines, Isolation


class Symbol(Record):
    """A class, function or method that was found for a role."""

    role: str
    name: str
    """The name it was found under."""
    line: int | None
    """Line of its definition in the part's file, where known."""
    parameters: tuple[str, ...]
    """Parameter names, `self` left out."""


class Unresolved(Record):
    """A role nothing was found for."""

    role: str
    accepted: tuple[str, ...]
    """Names that would have been accepted."""
    available: tuple[str, ...]
    """Public names that the file (or class) does define."""
    wrong_kind: str | None = None
    """Set when an accepted name exists but is something else, such as `a number`."""


class PartEvidence(Record):
    """What is common to the evidence of all kinds of part."""

    part: str
    kind: str
    file: str
    isolation: Isolation
    load: Incident | None = None
    """Why the file could not be loaded; then nothing else was tried."""
    script: Incident | None = None
    """What kept the file from being imported as a whole, where its definitions alone were run."""
    left_out: tuple[LeftOut, ...] = ()
    """What was not run of the file, where its definitions alone were."""
    hints: tuple[SourceHint, ...] = ()
    """What the source text shows, in the order of its lines: a claim, for hints only."""
    layer_calls: tuple[LayerCall, ...] = ()
    """Calls of Keras layer classes, in the order of their lines: a claim, for places only."""
    symbols: tuple[Symbol, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    construction: Incident | None = None
    """Why the object under test could not be made (constructor or builder raised, say)."""

    def symbol(self, role: str) -> Symbol | None:
        """The symbol found for a role."""
        return next((found for found in self.symbols if found.role == role), None)

    def place(self, role: str) -> str:
        """`file:line` of a role's definition, or the file alone."""
        found = self.symbol(role)
        return f"{self.file}:{found.line}" if found and found.line else self.file

    def lines_of(self, *kinds: str) -> tuple[int, ...]:
        """Lines on which layers of these classes are made, in the order of the file."""
        return tuple(call.line for call in self.layer_calls if call.kind in kinds)


# --- random agent -------------------------------------------------------------------------------


class ActionComponent(Record):
    """One number of an action, over all sampled actions.

    A `MultiDiscrete([3, 5])` action has two components, a `Dict` one for each leaf.
    """

    name: str
    """Place in the action, such as `[1]` or `['steer'][0]`; empty for a plain `Discrete`."""
    choices: int | None
    """Number of equally likely values; None for a continuous component."""
    labels: tuple[str, ...] = ()
    """The values' names, for a discrete component."""
    values: ArrayRecord
    """Discrete: int64 index of the value, 0 to choices − 1. Continuous: float64 in [0, 1]."""


class SpaceTrial(Record):
    """Actions sampled from one action space."""

    space: str
    """The space, written as a call."""
    samples: int
    """Actions asked for."""
    components: tuple[ActionComponent, ...] = ()
    """Empty when an action was not in the space or an incident ended the trial."""
    observation_codes: ArrayRecord | None = None
    """Which of a few fixed observations was shown at each step, int64."""
    invalid_step: int | None = None
    """Step of the first action outside the space."""
    invalid_action: str = ""
    """That action, as text."""
    incident: Incident | None = None


class SeededTrial(Record):
    """Action sequences of agents made with chosen seeds, compared on the trusted side."""

    space: str
    compared: int
    """Actions per sequence."""
    same_seed_difference: int | None = None
    """First step where two agents with one seed differ, in separate processes."""
    interleaved_difference: int | None = None
    """First step where two agents with one seed differ when used in turn in one process."""
    other_seed_equal: bool = False
    """Whether agents with different seeds gave one and the same sequence."""
    unseeded_equal: bool = False
    """Whether two agents made without a seed gave one and the same sequence."""
    incident: Incident | None = None


class RandomAgentEvidence(PartEvidence):
    """Evidence of a random agent."""

    kind: Literal["random_agent"] = "random_agent"
    spaces: tuple[SpaceTrial, ...] = ()
    seeded: tuple[SeededTrial, ...] = ()


# --- functions and training ---------------------------------------------------------------------


class FunctionTrial(Record):
    """One call of a student's function with inputs drawn on the trusted side."""

    label: str
    """What the case is about."""
    arguments: dict[str, ArrayRecord | int | float]
    result: ArrayRecord | None = None
    """What came back, as an array; None when it was no array or number."""
    result_type: str = ""
    """Its Python type."""
    gradient: ArrayRecord | None = None
    """Gradient of the result with respect to the last array argument, where asked."""
    gradient_missing: bool = False
    """Asked, and the result did not depend on the argument."""
    mutated: tuple[str, ...] = ()
    """Arguments that had changed after the call."""
    incident: Incident | None = None


class FunctionEvidence(PartEvidence):
    """Evidence of a function."""

    kind: Literal["function"] = "function"
    trials: tuple[FunctionTrial, ...] = ()
    picture: FunctionTrial | None = None
    """A call for the report's picture; nobody is judged by it."""


class StepTrial(Record):
    """One call of the student's training step, measured from the weights that came back."""

    label: str
    optimizer: str
    returned: float | None = None
    """What the step returned, as a number."""
    returned_type: str = ""
    loss_before: float | None = None
    """Reference loss on the batch with the weights that were sent."""
    loss_after: float | None = None
    """Reference loss on the batch with the weights that came back."""
    held_out_before: float | None = None
    held_out_after: float | None = None
    """The same on data the student's process never saw."""
    distances: dict[str, float] = Field(default_factory=dict)
    """Largest difference between the weights that came back and those after a known step:
    `huber_mean` (the one asked for), `unchanged`, `mean_squared_error`, `mean_absolute_error`,
    `huber_sum`, `two_steps`, `ascent`."""
    scale: float | None = None
    """Largest change of a weight in the step asked for."""
    incident: Incident | None = None


class LearningTrial(Record):
    """The step called many times; losses are the reference's, from the weights that came back."""

    label: str
    steps: tuple[int, ...] = ()
    """Steps after which the weights were read; 0 is before the first."""
    held_out: tuple[float | None, ...] = ()
    """Loss on data that the student's process never saw, each time; None where weights are not
    finite."""
    reference: float | None = None
    """What the held-out loss is after the last of as many right steps."""
    incident: Incident | None = None


class LayerTrial(Record):
    """One step on a network, and how far each of its arrays moved."""

    label: str
    frozen: tuple[int, ...] = ()
    """Arrays that must not move, by their place among the weights."""
    changes: tuple[float | None, ...] = ()
    """Largest change of each array (kernel and bias of each layer in turn); None where what came
    back is not finite."""
    incident: Incident | None = None


class TrainingEvidence(PartEvidence):
    """Evidence of a loss function and a training step."""

    kind: Literal["training"] = "training"
    loss: tuple[FunctionTrial, ...] = ()
    steps: tuple[StepTrial, ...] = ()
    learning: LearningTrial | None = None
    layers: tuple[LayerTrial, ...] = ()


class Evidence(Record):
    """All that was seen of one submission: `evidence.json.gz` beside its report."""

    schema_version: Literal[1] = SCHEMA_VERSION
    grader_version: str
    probing_digest: str
    """SHA-256 of all in the assignment that decides what was run; a rubric may change, this not."""
    submission: SubmissionRef
    seeds: SeedSet
    secret_seeds: dict[str, tuple[int, ...]] | None = None
    """Final seeds by part, where they were derived from a secret; a report never shows them."""
    references: Baselines | None = None
    """What the reference agents reached on secret seeds, so that judging again needs no secret."""
    parts: tuple[SerializeAsAny[PartEvidence], ...]
