"""The linear schedule of exploration, right and as people get it wrong."""

from __future__ import annotations

from typing import Final

import numpy as np

from grader.checks.function_codes import FunctionCode
from grader.checks.function_reference import (
    Array,
    FunctionReference,
    Told,
    Wrong,
    combined,
    explainer,
)


def epsilon_schedule(step: int, start: float, end: float, decay_steps: int) -> Array:
    """ε falls in a straight line from `start` to `end` in `decay_steps` steps, then stays.

    Mnih et al., *Human-level control through deep reinforcement learning*, Nature 518:529 (2015),
    Methods: from 1.0 to 0.1 over the first million frames, and fixed at 0.1 thereafter.

    Args:
        step: steps taken so far, from 0.
        start: ε at step 0.
        end: ε from step `decay_steps` on.
        decay_steps: steps of the fall.

    Returns:
        float64, shape ().
    """
    share = min(step / decay_steps, 1.0)
    return np.asarray(start + share * (end - start))


_TOLD: Final[dict[str, Told]] = {
    "never_stops": Told(
        FunctionCode.NEVER_STOPS, "ε goes on falling after the last step of the fall.",
        "Stop at the end value: `max(end, ...)`; a probability is never negative."),
    "to_zero": Told(
        FunctionCode.OTHER_END, "ε falls to 0 instead of the end value.",
        "Let it fall by `start - end` in all, not by `start`."),
    "stops_at_zero": Told(
        FunctionCode.OTHER_END, "ε falls past the end value and stops at 0.",
        "Stop at the end value: `max(end, ...)`."),
    "from_zero": Told(
        FunctionCode.OTHER_END, "ε falls by `start` in all, past the slope that was asked for.",
        "Let it fall by `start - end` in all: `start - (start - end) * step / decay_steps`."),
    "one_late": Told(
        FunctionCode.SCHEDULE_OFF_BY_ONE, "ε is one step behind.",
        "Step 0 has the start value and step `decay_steps` the end value."),
    "one_early": Told(
        FunctionCode.SCHEDULE_OFF_BY_ONE, "ε is one step ahead.",
        "Step 0 has the start value and step `decay_steps` the end value."),
    "one_short": Told(
        FunctionCode.SCHEDULE_OFF_BY_ONE, "The fall takes one step less than asked for.",
        "Divide by `decay_steps`, not by `decay_steps - 1`."),
    "rises": Told(
        FunctionCode.RISES, "ε goes the other way.",
        "It falls: `start` at step 0, `end` from step `decay_steps` on."),
    "exponential": Told(
        FunctionCode.EXPONENTIAL, "ε falls exponentially where a straight line was asked for.",
        "Use `start + (end - start) * step / decay_steps`, and stop at `end`.", is_slip=False),
    "never_falls": Told(
        FunctionCode.NEVER_FALLS, "ε stays at its start value.",
        "Let it depend on `step`.", is_slip=False),
    "whole_numbers": Told(
        FunctionCode.NEVER_FALLS, "ε falls in one leap at the end.",
        "Divide with `/`, not with `//`: the share of the way is a fraction."),
    "at_end": Told(
        FunctionCode.NEVER_FALLS, "ε has its end value from the start.",
        "Let it begin at `start` and depend on `step`.", is_slip=False),
}  # fmt: skip


def _wrong(step: int, start: float, end: float, decay_steps: int) -> Wrong:
    fall = start - end

    def line(share: float) -> Array:
        return np.asarray(start - fall * min(max(share, 0.0), 1.0))

    share = step / decay_steps
    yield combined("never_stops"), np.asarray(start - fall * share)
    yield combined("stops_at_zero"), np.asarray(max(start - fall * share, 0.0))
    yield combined("to_zero"), np.asarray(start * (1 - min(share, 1.0)))
    yield combined("from_zero"), np.asarray(max(end, start - start * share))
    yield combined("one_early"), line((step + 1) / decay_steps)
    yield combined("one_late"), line((step - 1) / decay_steps)
    yield combined("one_short"), line(step / (decay_steps - 1))
    yield combined("rises"), np.asarray(end + fall * min(share, 1.0))
    yield combined("never_falls"), np.asarray(start)
    yield combined("at_end"), np.asarray(end)
    yield combined("whole_numbers"), line(float(step // decay_steps))
    for rate in (1.0, 3.0, 4.0, 5.0):
        yield combined("exponential"), np.asarray(end + fall * np.exp(-rate * share))
    ratio = end / start if start else 0.0
    yield combined("exponential"), np.asarray(start * ratio**share)
    yield combined("exponential"), np.asarray(max(end, start * ratio**share))
    for decay in (0.9, 0.95, 0.99, 0.995, 0.999, 0.9999):
        yield combined("exponential"), np.asarray(max(end, start * decay**step))


SCHEDULE: Final = FunctionReference(
    compute=epsilon_schedule, explain=explainer(_wrong, _TOLD), told=_TOLD,
    shape_advice="Return one number.",
    values_advice="Compute half of the way by hand: it lies in the middle between `start` and "
    "`end`, and from `decay_steps` on ε is `end`.",
    result="one number",
    no_result_advice="Return the number; a function without `return` returns None.",
)  # fmt: skip
