"""What an assignment can set for the checks of a network's first weights and its gradients."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from grader.records.base import Record

Scheme = Literal[
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "random_uniform", "random_normal", "truncated_normal", "any",
]  # fmt: skip
_SCALED: Final = frozenset({"random_uniform", "random_normal", "truncated_normal"})


class InitialisationSettings(Record):
    """Settings of `network.initialisation`."""

    kernel: Scheme = "any"
    """How kernels are drawn, by Keras' name; `any`: only that units differ."""
    output_kernel: Scheme | None = None
    """The same for the last layer with a kernel, where it differs."""
    scale: float = Field(default=0.05, gt=0)
    """Half the width of `random_uniform`, the standard deviation of `random_normal` and
    `truncated_normal`."""
    bias: Literal["zeros", "any"] = "any"
    false_alarm: float = Field(default=5e-5, gt=0, lt=0.05)
    """Probability that rightly drawn weights are called wrong, over all layers."""

    @model_validator(mode="after")
    def _scale_is_used(self) -> Self:
        used = {self.kernel, self.output_kernel} & _SCALED
        if "scale" in self.model_fields_set and not used:
            raise ValueError(f"scale belongs to {', '.join(sorted(_SCALED))}")
        return self


class GradientsSettings(Record):
    """Settings of `network.gradients`."""

    dead_share: float = Field(default=0.5, gt=0, le=1)
    """Share of dead units from which a layer with ReLU counts as dying."""
