"""What an assignment accepts for one attribute of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from grader.checks.architecture.values import equal_values, value_text
from grader.records.arithmetic import evaluate
from grader.records.layer_families import Attribute, Value
from grader.records.patterns import Between, OneActivation, OneSize, OneWindow, OneWord

WINDOWS: Final = frozenset(
    {Attribute.KERNEL_SIZE, Attribute.STRIDES, Attribute.POOL_SIZE, Attribute.DILATION_RATE}
)
"""Attributes with one number for each side."""
_WORDS: Final = frozenset(
    {
        Attribute.ACTIVATION, Attribute.RECURRENT_ACTIVATION, Attribute.PADDING,
        Attribute.DATA_FORMAT, Attribute.BIDIRECTIONAL, Attribute.SCORE_MODE, Attribute.BASELINE,
        Attribute.WEIGHTS,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """Accepted values.

    Attributes:
        exact: the values accepted, where they are listed; empty for a range.
        low: smallest accepted number; None for no bound.
        high: largest accepted number; None for no bound.
    """

    exact: tuple[Value, ...] = ()
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(
        cls, attribute: Attribute, written: Any, rank: int, arguments: Mapping[str, Any]
    ) -> Self:
        """The rule an assignment writes for an attribute.

        Args:
            attribute: what it is about.
            written: the value of the pattern's field.
            rank: number of sides of a window.
            arguments: what the builder was called with, for expressions.

        Raises:
            ArithmeticProblem: an expression has no value; reading the assignment found that out.
        """

        def plain(value: Any) -> Value:
            if attribute in WINDOWS and isinstance(value, int):
                return (value,) * rank
            if isinstance(value, str) and attribute not in _WORDS:
                return evaluate(value, arguments)
            result: Value = value
            return result

        match written:
            case "any":
                return cls()
            case Between():
                return cls(low=written.min, high=written.max)
            case OneSize() | OneWindow() | OneActivation() | OneWord():
                return cls(exact=tuple(plain(value) for value in written.one_of))
        return cls(exact=(plain(written),))

    @property
    def sole(self) -> Value | None:
        """The one value that is accepted; None where there are several."""
        return self.exact[0] if len(self.exact) == 1 else None

    @property
    def is_free(self) -> bool:
        """Whether any value is accepted."""
        return not self.exact and self.low is None and self.high is None

    def accepts(self, value: Value | None) -> bool:
        """Whether a received value is right; one that cannot be read is so where all are."""
        if self.is_free:
            return True
        if self.exact:
            return any(equal_values(one, value) for one in self.exact)
        sides = value if isinstance(value, tuple) else (value,)
        return all(self._within(side) for side in sides)

    def _within(self, side: object) -> bool:
        return (
            isinstance(side, int | float)
            and not isinstance(side, bool)
            and (self.low is None or side >= self.low)
            and (self.high is None or side <= self.high)
        )

    @property
    def text(self) -> str:
        """The rule in words, such as `64`, `relu or elu`, `at least 64`."""
        if self.is_free:
            return "any"
        if self.exact:
            return " or ".join(value_text(value) for value in self.exact)
        if self.high is None:
            return f"at least {self.low:g}"
        if self.low is None:
            return f"at most {self.high:g}"
        return f"{self.low:g} to {self.high:g}"

    @property
    def example(self) -> Value | None:
        """A value that is accepted and can be written into code; None where any is."""
        if self.exact:
            return self.exact[0]
        bound = self.low if self.low is not None else self.high
        if bound is None:
            return None
        return int(bound) if float(bound).is_integer() else bound
