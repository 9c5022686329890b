"""What an assignment can set for functions and losses that are compared with a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from grader.records.base import Record
from grader.records.spec import PythonName

FunctionName = Literal[
    "cross_correlation_2d", "max_pooling_2d", "one_hot",
    "relu", "leaky_relu", "elu", "gelu", "softplus", "sigmoid", "tanh", "softmax",
    "huber", "discounted_returns", "bellman_target", "double_dqn_target", "td_error",
    "epsilon_schedule", "epsilon_greedy",
]  # fmt: skip
LossName = Literal[
    "huber", "mean_squared_error", "mean_absolute_error", "binary_crossentropy",
    "categorical_crossentropy", "sparse_categorical_crossentropy", "masked_q_loss",
]  # fmt: skip


@dataclass(frozen=True)
class Signature:
    """What a reference is called with."""

    arguments: tuple[str, ...]
    """Names, in the order in which they are offered."""
    constants: tuple[str, ...] = ()
    """Those that an assignment can fix, because the function may have them built in."""


FUNCTIONS: Final[dict[str, Signature]] = {
    "cross_correlation_2d": Signature(("image", "kernel", "stride")),
    "max_pooling_2d": Signature(("image", "pool_size", "stride"), ("pool_size", "stride")),
    "one_hot": Signature(("labels", "num_classes"), ("num_classes",)),
    "relu": Signature(("x",)),
    "leaky_relu": Signature(("x", "alpha"), ("alpha",)),
    "elu": Signature(("x", "alpha"), ("alpha",)),
    "gelu": Signature(("x",)),
    "softplus": Signature(("x",)),
    "sigmoid": Signature(("x",)),
    "tanh": Signature(("x",)),
    "softmax": Signature(("x", "axis"), ("axis",)),
    "huber": Signature(("error", "delta"), ("delta",)),
    "discounted_returns": Signature(("rewards", "gamma"), ("gamma",)),
    "bellman_target": Signature(("rewards", "next_q_values", "dones", "gamma"), ("gamma",)),
    "double_dqn_target": Signature(
        ("rewards", "next_q_online", "next_q_target", "dones", "gamma"), ("gamma",)
    ),
    "td_error": Signature(
        ("q_values", "actions", "rewards", "next_q_values", "dones", "gamma"), ("gamma",)
    ),
    "epsilon_schedule": Signature(
        ("step", "start", "end", "decay_steps"), ("start", "end", "decay_steps")
    ),
    "epsilon_greedy": Signature(("q_values", "epsilon", "rng", "seed")),
}
LOSSES: Final[dict[str, Signature]] = {
    "huber": Signature(("y_true", "y_pred")),
    "mean_squared_error": Signature(("y_true", "y_pred")),
    "mean_absolute_error": Signature(("y_true", "y_pred")),
    "binary_crossentropy": Signature(("y_true", "y_pred")),
    "categorical_crossentropy": Signature(("y_true", "y_pred")),
    "sparse_categorical_crossentropy": Signature(("y_true", "y_pred")),
    "masked_q_loss": Signature(("q_values", "actions", "targets")),
}

_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "gamma": (0.0, 1.0), "alpha": (0.0, 10.0), "delta": (1e-3, 1e3), "start": (0.0, 1.0),
    "end": (0.0, 1.0), "decay_steps": (2, 1e9), "num_classes": (2, 1000), "pool_size": (1, 8),
    "stride": (1, 8), "axis": (-2, 1),
}  # fmt: skip
_WHOLE: Final = frozenset({"decay_steps", "num_classes", "pool_size", "stride", "axis"})

Names = dict[PythonName, PythonName]


def _known_arguments(reference: str, signature: Signature, names: Names) -> None:
    for name in names:
        if name not in signature.arguments:
            offered = ", ".join(signature.arguments)
            raise ValueError(f"{reference} has no argument {name!r}; there are: {offered}")


class FunctionSettings(Record):
    """Settings of a `function` part."""

    reference: FunctionName
    """What the function must compute."""
    arguments: Names = Field(default_factory=dict)
    """Names under which arguments are offered, where they are not the reference's own:
    `{dones = "terminated"}`."""
    constants: dict[PythonName, FiniteFloat] = Field(default_factory=dict)
    """Arguments that are the same in every case, such as `{gamma = 0.99}`, because the function may
    have them built in; all others are drawn anew for every case."""

    @model_validator(mode="after")
    def _fits_the_reference(self) -> Self:
        signature = FUNCTIONS[self.reference]
        _known_arguments(self.reference, signature, self.arguments)
        for name, value in self.constants.items():
            if name not in signature.constants:
                possible = ", ".join(signature.constants) or "none"
                raise ValueError(
                    f"{self.reference} has no constant {name!r} to fix; there are: {possible}"
                )
            low, high = _BOUNDS[name]
            if not low <= value <= high or (name in _WHOLE and value != int(value)):
                kind = "a whole number" if name in _WHOLE else "a number"
                raise ValueError(f"{name} must be {kind} from {low:g} to {high:g}")
        if self.constants.get("end", 0.0) > self.constants.get("start", 1.0):
            raise ValueError("a schedule falls: end must not be above start")
        return self

    def fixed(self) -> dict[str, int | float]:
        """The constants, whole numbers as such."""
        return {
            name: int(value) if name in _WHOLE else value for name, value in self.constants.items()
        }


class ValuesSettings(Record):
    """Settings of `function.values`."""

    absolute_tolerance: float = Field(default=1e-5, gt=0)
    relative_tolerance: float = Field(default=1e-4, gt=0)
    false_alarm: float = Field(default=5e-5, gt=0, lt=0.05)
    """Probability that a function that draws as it should is called wrong, over all tests; only
    for references that draw at random."""


class LossSettings(Record):
    """Settings of a `loss` part."""

    reference: LossName
    """What the loss must compute, averaged over the batch."""
    arguments: Names = Field(default_factory=dict)
    """Names under which arguments are offered, where they are not the reference's own."""
    delta: float = Field(default=1.0, gt=0)
    """Where the Huber loss turns from quadratic to linear."""
    from_logits: bool = False
    """Whether the predictions of a cross-entropy are logits instead of probabilities."""
    mixed_dtypes: bool = False
    """Whether the loss must also take double precision, and whole numbers as targets."""
    element_loss: Literal["squared_error", "huber"] = "squared_error"
    """What `masked_q_loss` charges for the error of one action's value."""

    @model_validator(mode="after")
    def _fits_the_reference(self) -> Self:
        _known_arguments(self.reference, LOSSES[self.reference], self.arguments)
        return self


class LossValuesSettings(Record):
    """Settings of `loss.values` and `loss.gradient`."""

    absolute_tolerance: float = Field(default=1e-6, gt=0)
    relative_tolerance: float = Field(default=1e-4, gt=0)
    """Of the largest expected value of a case."""


Count = Annotated[int, Field(ge=1, le=100_000)]


class ReplayBufferSettings(Record):
    """Settings of a `replay_buffer` part."""

    capacity: int = Field(default=50, ge=8, le=10_000)
    """Transitions that the buffer is made for."""
    batch_size: int = Field(default=16, ge=1, le=1024)
    """Transitions asked for at once; less than the capacity."""
    observation_shape: Annotated[tuple[Count, ...], Field(max_length=4)] = (4,)
    """Shape of one state."""
    num_actions: int = Field(default=5, ge=2, le=1000)
    batches: int = Field(default=400, ge=20, le=20_000)
    """Batches drawn when the draws are tested for uniformity."""
    arguments: Names = Field(default_factory=dict)
    """Names under which `capacity`, `seed`, `state`, `action`, `reward`, `next_state`, `done` and
    `batch_size` are offered, where they are others."""
    columns: tuple[Literal["state", "action", "reward", "next_state", "done"], ...] = (
        "state", "action", "reward", "next_state", "done",
    )  # fmt: skip
    """Order in which `sample` returns its arrays; for a dict the order does not matter."""
    oversampling: Literal["fewer", "repeats", "error", "any"] = "any"
    """What `sample` does when more is asked for than is stored: return what there is, draw some
    twice, or raise an exception."""
    copies: bool = False
    """Whether keeping the caller's arrays themselves, not copies, costs points in `batches`. Most
    environments return a new array at every step, for which the usual deque of tuples is right;
    where this is not set, it is told as a warning."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.batch_size >= self.capacity:
            raise ValueError("batch_size must be below capacity")
        if len(set(self.columns)) != 5:
            raise ValueError("columns must name each of the five arrays once")
        return self


class SamplingSettings(Record):
    """Settings of `replay_buffer.sampling`."""

    false_alarm: float = Field(default=5e-5, gt=0, lt=0.05)
    """Probability that a truly uniform buffer is called uneven."""
    without_repeats: bool = True
    """Whether a batch must not hold one transition twice."""
    seeded: bool = False
    """Whether two buffers made with one seed must draw the same."""


class TargetUpdateSettings(Record):
    """Settings of a `target_update` part."""

    updates: Literal["hard", "soft", "both"] = "soft"
    """`hard`: copies, without tau; `soft`: tau · online + (1 − tau) · target; `both`: soft where a
    tau is given, a copy where none is."""
    tau: float = Field(default=0.25, gt=0, lt=1)
    """Share of the online network; not 0.5, where the two shares look alike."""
    tau_built_in: bool = False
    """Whether the function has tau built in, so that every case uses the same."""
    arguments: Names = Field(default_factory=dict)
    """Names under which `online`, `target` and `tau` are offered, where they are others. Without
    it, a network goes to the parameter whose name says so: one with `target` in it gets the target
    network, whatever the order; parameters of other names get online, target and tau in turn."""

    @model_validator(mode="after")
    def _tells_shares_apart(self) -> Self:
        if abs(self.tau - 0.5) < 0.05:
            raise ValueError("tau must not be near 0.5, where both shares look alike")
        return self
