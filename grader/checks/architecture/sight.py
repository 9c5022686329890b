"""Receptive fields: how much of the input one output value sees.

The recurrences are those of Araujo, Norris and Sim, "Computing receptive fields of convolutional
neural networks", Distill 2019: with a kernel k, dilation d and stride s, the field grows by
(k − 1) · d times the distance of neighbouring values, and that distance by the factor s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from grader.checks.architecture.layers import (
    DROPOUTS,
    GLOBAL_POOLINGS,
    NORMALIZATIONS,
    Layer,
)
from grader.records.layer_families import MERGES, Attribute, Value


@dataclass(frozen=True)
class Sight:
    """The receptive field after some layers.

    Attributes:
        image: height and width of the input, in pixels.
        size: height and width of the field, in pixels.
        step: distance of the fields of neighbouring values, in pixels.
    """

    image: tuple[int, int]
    size: tuple[int, int] = (1, 1)
    step: tuple[int, int] = (1, 1)

    @classmethod
    def of_image(cls, shape: tuple[int, ...]) -> Self | None:
        """The field before any layer, for a channels-last image; None for other inputs."""
        return cls(image=(shape[0], shape[1])) if len(shape) == 3 else None

    @property
    def seen(self) -> tuple[int, int]:
        """The field, no larger than the image."""
        return (min(self.size[0], self.image[0]), min(self.size[1], self.image[1]))

    @classmethod
    def merged(cls, sights: Sequence[Self | None]) -> Self | None:
        """The field behind a merge: the largest of its branches, if they lie equally dense."""
        known = [sight for sight in sights if sight is not None]
        if not known or len(known) != len(sights):
            return None
        image, steps = known[0].image, {sight.step for sight in known}
        if len(steps) != 1 or any(sight.image != image for sight in known):
            return None
        height, width = (max(sight.size[side] for sight in known) for side in (0, 1))
        return cls(image, (height, width), known[0].step)

    def after(self, layer: Layer, input_rank: int | None) -> Self | None:
        """The field after one more layer; None when the layer is not understood."""
        match layer.kind:
            case "Conv2D" | "SeparableConv2D" | "DepthwiseConv2D":
                window, dilation = (
                    layer.values.get(Attribute.KERNEL_SIZE),
                    layer.values.get(Attribute.DILATION_RATE, (1, 1)),
                )
            case "MaxPooling2D" | "AveragePooling2D":
                window, dilation = layer.values.get(Attribute.POOL_SIZE), (1, 1)
            case "Dense" if input_rank == 1:
                return type(self)(self.image, self.image, self.image)
            case kind if kind in GLOBAL_POOLINGS:
                return type(self)(self.image, self.image, self.image)
            case kind if kind in {"Dense", "Flatten"} | DROPOUTS | NORMALIZATIONS | MERGES:
                return self
            case _:
                return self if layer.is_activation else None
        return self._window(window, layer.values.get(Attribute.STRIDES), dilation)

    def _window(
        self, window: Value | None, strides: Value | None, dilation: Value | None
    ) -> Self | None:
        if not (
            isinstance(window, tuple) and isinstance(strides, tuple) and isinstance(dilation, tuple)
        ):
            return None
        # Beyond the image the size says nothing more; bounded, the numbers stay small as well.
        sizes = [
            min(size + (side - 1) * gap * step, 1 << 32)
            for size, side, gap, step in zip(self.size, window, dilation, self.step, strict=True)
        ]
        steps = [
            min(step * stride, 1 << 32) for step, stride in zip(self.step, strides, strict=True)
        ]
        return type(self)(self.image, (sizes[0], sizes[1]), (steps[0], steps[1]))
