"""What an assignment can set for each built-in kind of part and check."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from grader.records.base import Record
from grader.records.spec import SpaceText

Shape = Annotated[tuple[Annotated[int, Field(ge=1, le=65536)], ...], Field(min_length=1)]
Units = Annotated[int, Field(ge=1, le=1 << 20)] | Literal["num_actions"]
Pair = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
Activation = Literal[
    "linear", "relu", "sigmoid", "tanh", "softmax", "softplus", "elu", "selu", "gelu", "silu",
    "leaky_relu",
]  # fmt: skip


class Conv2DPattern(Record):
    """An expected 2-D convolution."""

    layer: Literal["Conv2D"]
    filters: int = Field(ge=1)
    kernel_size: Pair
    """Height and width of the kernel."""
    strides: Pair = (1, 1)
    """Step of the kernel, down and across."""
    padding: Literal["valid", "same"] = "valid"
    activation: Activation = "linear"
    weight: float = Field(default=1.0, gt=0)
    """Share of the check's points relative to the other layers."""


class DensePattern(Record):
    """An expected fully connected layer."""

    layer: Literal["Dense"]
    units: Units
    activation: Activation = "linear"
    weight: float = Field(default=1.0, gt=0)


class FlattenPattern(Record):
    """An expected Flatten."""

    layer: Literal["Flatten"]
    weight: float = Field(default=0.5, gt=0)


class PoolPattern(Record):
    """An expected 2-D pooling layer."""

    layer: Literal["MaxPooling2D", "AveragePooling2D"]
    pool_size: Pair = (2, 2)
    strides: Pair | None = None
    """Equal to `pool_size` when left out."""
    padding: Literal["valid", "same"] = "valid"
    weight: float = Field(default=1.0, gt=0)


class DropoutPattern(Record):
    """An expected Dropout."""

    layer: Literal["Dropout"]
    rate: float = Field(ge=0, lt=1)
    weight: float = Field(default=0.5, gt=0)


LayerPattern = Annotated[
    Conv2DPattern | DensePattern | FlattenPattern | PoolPattern | DropoutPattern,
    Field(discriminator="layer"),
]


class NetworkSettings(Record):
    """Settings of a `network` part."""

    input_shapes: Annotated[tuple[Shape, ...], Field(min_length=1)]
    """Accepted shapes of one input, batch axis left out; tried in this order."""
    input_range: tuple[float, float] = (0.0, 255.0)
    """Values the network is fed with."""
    num_actions: Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(min_length=1)]
    """Arguments the builder is called with; the first is judged in full."""
    layers: Annotated[tuple[LayerPattern, ...], Field(min_length=1)]
    """The expected network, from input to output."""
    preprocessing_allowed: bool = True
    """Whether scaling, casting and transposing in front of the first layer is free."""


class ArchitectureSettings(Record):
    """Settings of `network.architecture`."""

    extra_layer_cost: float = Field(default=1.0, ge=0, le=10)
    """Points lost by a layer that was not asked for, in weights of one layer."""


class RandomAgentSettings(Record):
    """Settings of a `random_agent` part."""

    spaces: Annotated[tuple[SpaceText, ...], Field(min_length=1)]
    """Action spaces it is tried on, such as `MultiDiscrete([3, 5])`."""
    samples: int = Field(default=4000, ge=100, le=200_000)
    """Actions per space."""
    sequence_length: int = Field(default=64, ge=8, le=10_000)
    """Actions per sequence when seeds are compared."""


class UniformSettings(Record):
    """Settings of `random_agent.uniform`."""

    false_alarm: float = Field(default=5e-5, gt=0, lt=0.05)
    """Probability that a truly random agent is called biased, over all spaces and tests."""


class TrainingSettings(Record):
    """Settings of a `training` part."""

    delta: float = Field(default=1.0, gt=0)
    """Where the Huber loss turns from quadratic to linear."""
    features: int = Field(default=4, ge=1, le=1024)
    """Length of a state in the training step."""
    hidden_units: int = Field(default=16, ge=1, le=1024)
    num_actions: int = Field(default=3, ge=1, le=1000)
    batch_size: int = Field(default=32, ge=1, le=4096)
    learning_rate: float = Field(default=0.05, gt=0, le=10)


class AgentSettings(Record):
    """Settings of an `agent` part."""

    environment_id: str = Field(min_length=1, max_length=200)
    """Registered Gymnasium id."""
    environment_kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    max_episode_steps: int | None = Field(default=None, ge=1, le=1_000_000)
    """Replaces the environment's own limit when set."""
    replayed_episodes: int = Field(default=2, ge=1, le=100)
    """Episodes whose observations are shown again to a second agent."""


class PerformanceSettings(Record):
    """Settings of `agent.performance`."""

    full_marks_at: float = Field(default=0.95, gt=0, le=10)
    """Normalised score that earns full marks."""
    no_marks_at: float = Field(default=0.0, ge=-10, lt=10)
    """Normalised score that earns nothing; linear between."""
    bootstrap_samples: int = Field(default=10_000, ge=100, le=1_000_000)
    """Resamplings for the interval shown beside the score."""
    bootstrap_seed: int = Field(default=13, ge=0)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.full_marks_at > self.no_marks_at:
            raise ValueError("full_marks_at must be above no_marks_at")
        return self


class EnvironmentSettings(Record):
    """Settings of an `environment` part."""

    episodes: int = Field(default=5, ge=1, le=1000)
    """Episodes played with random actions."""
    max_steps: int = Field(default=20_000, ge=1, le=10_000_000)
    """Steps within which an episode must end."""
    compared_steps: int = Field(default=200, ge=1, le=100_000)
    """Steps compared when determinism is checked."""


class FunctionSettings(Record):
    """Settings of a `function` part."""

    reference: Literal["cross_correlation_2d"]
    """What the function must compute."""


class ValuesSettings(Record):
    """Settings of `function.values`."""

    absolute_tolerance: float = Field(default=1e-5, gt=0)
    relative_tolerance: float = Field(default=1e-4, gt=0)
