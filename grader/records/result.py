"""What a check concluded: outcome, points, findings, and something to look at."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field

from grader.records.agent_settings import Decides, Measure, Rule
from grader.records.base import Record
from grader.records.environment_exhibits import PlayedEpisodes
from grader.records.films import Film
from grader.records.network_pictures import FilteredImage, NetworkPictures
from grader.records.spec import Visibility


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    """Full points."""
    PARTIAL = "partial"
    """Some of the points."""
    FAILED = "failed"
    """Judged, no points."""
    SKIPPED = "skipped"
    """Something it requires did not pass."""
    INVALID = "invalid"
    """Could not be judged for a reason on the student's side."""
    FAULT = "fault"
    """Could not be judged for a reason on the grader's side; the mark is withheld."""


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Costs points."""
    WARNING = "warning"
    """Costs nothing here, will bite elsewhere."""
    NOTE = "note"
    """Good to know."""


class Finding(Record):
    """One thing to tell the student."""

    code: str = Field(pattern=r"^[A-Z]{2}\d{3}$")
    """Stable code; `grader explain CODE` says more."""
    severity: Severity
    claim: str
    """What is the case, one sentence."""
    where: str | None = None
    """`file:line` or another place the student knows."""
    expected: str | None = None
    received: str | None = None
    try_: str | None = Field(default=None, validation_alias="try", serialization_alias="try")
    """What to do next."""

    def outline(self) -> Self:
        """The finding without its words."""
        return self.model_copy(
            update={"claim": "", "where": None, "expected": None, "received": None, "try_": None}
        )


class RowStatus(StrEnum):
    """How an expected layer and a received layer compare."""

    MATCHES = "matches"
    DIFFERS = "differs"
    MISSING = "missing"
    EXTRA = "extra"
    FREE = "free"
    """Not asked for, and allowed in its place."""
    PREPROCESSING = "preprocessing"


class LayerCell(Record):
    """One layer as it stands in the table."""

    kind: str
    """Keras class name, such as `Conv2D`."""
    summary: str
    """The attributes that matter, such as `32 filters, kernel (8, 8), strides (4, 4), relu`."""
    output_shape: str | None = None
    """Such as `(20, 20, 32)`; batch axis left out."""
    parameters: int | None = None
    receptive_field: str | None = None
    """Pixels of the input that one output value sees, such as `8 × 8`."""
    reads: tuple[int, ...] = ()
    """Where its input comes from: indices of rows of the table; −1 is the first input of the
    network, −2 the second."""


class LayerRow(Record):
    """One line of the side-by-side table."""

    status: RowStatus
    expected: LayerCell | None = None
    received: LayerCell | None = None
    differences: tuple[str, ...] = ()
    """Such as `strides: expected (4, 4), received (2, 2)`."""
    points: float = 0.0
    max_points: float = 0.0


class NetworkTable(Record):
    """Expected beside received layers."""

    type: Literal["network_table"] = "network_table"
    rows: tuple[LayerRow, ...]
    expected_parameters: int | None
    received_parameters: int | None
    proof: str
    """How it was established that the table describes the network that computes."""


class Estimate(Record):
    """A number and how far it can be trusted."""

    value: float
    low: float
    """Lower end of the 95 % bootstrap interval."""
    high: float
    """Upper end of the 95 % bootstrap interval."""


class AgentFigures(Record):
    """The returns of one agent, summed up."""

    mean: Estimate
    iqm: Estimate
    """Interquartile mean: the mean of the middle half of the returns."""


class ReturnsComparison(Record):
    """What the returns of three agents on the same episodes say about each other."""

    student: AgentFigures
    random: AgentFigures
    dqn: AgentFigures
    over_random: Estimate
    """Probability that the student's agent does better than random play in an episode of each."""
    over_dqn: Estimate
    """Probability that it does better than the reference."""
    gain: Estimate
    """Mean difference to random play, episode by episode."""
    difference: Estimate
    """Mean difference to the reference, episode by episode."""


class PointsBar(Record):
    """A result at which points begin, end or jump."""

    at: float
    """In units of the measure."""
    at_return: float
    """The mean return (or, of the measure `iqm`, the interquartile mean) this is."""
    share: float
    """Share of the points earned there."""


class PointsBasis(Record):
    """How the points follow from the result."""

    rule: Rule
    measure: Measure
    decides: Decides
    bars: tuple[PointsBar, ...]
    """Rising; the last one earns full marks."""
    result: Estimate
    """The result, in units of the measure."""
    borderline: bool
    """Whether the interval reaches over a bar, so that other episodes could have decided
    otherwise."""


class EpisodeReturns(Record):
    """Returns of three agents on the same seeds."""

    type: Literal["episode_returns"] = "episode_returns"
    environment_id: str
    seeds: tuple[int, ...]
    """Seeds of the episodes; their numbers, from 1, where `numbered`."""
    numbered: bool = False
    """Whether the seeds are secret, and the episodes told apart by number."""
    student: tuple[float, ...]
    random: tuple[float, ...]
    dqn: tuple[float, ...]
    student_mean: float
    random_mean: float
    dqn_mean: float
    normalized_score: float
    """(student − random) / (DQN − random) of the mean returns."""
    normalized_low: float
    """Lower end of the 95 % bootstrap interval."""
    normalized_high: float
    """Upper end of the 95 % bootstrap interval."""
    comparison: ReturnsComparison | None = None
    points: PointsBasis | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    """Of the packages that played the student's episodes."""
    reference_versions: dict[str, str] = Field(default_factory=dict)
    """Of the packages that played the references' episodes."""


class ActionCounts(Record):
    """How often each action was taken."""

    type: Literal["action_counts"] = "action_counts"
    space: str
    labels: tuple[str, ...]
    counts: tuple[int, ...]
    expected: float
    """Count per action if all were equally likely."""


Exhibit = Annotated[
    NetworkTable
    | NetworkPictures
    | FilteredImage
    | EpisodeReturns
    | ActionCounts
    | PlayedEpisodes
    | Film,
    Field(discriminator="type"),
]


class Verdict(Record):
    """What a check's judge says, before points."""

    outcome: Outcome
    fraction: float = Field(ge=0.0, le=1.0)
    """Share of the points earned."""
    opens: bool = False
    """Whether checks that require this one are judged although it was not passed in full."""
    findings: tuple[Finding, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()


class CheckResult(Record):
    """One check in the report."""

    id: str
    part: str
    title: str
    outcome: Outcome
    points: float
    max_points: float
    visibility: Visibility
    required: bool
    requires: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
