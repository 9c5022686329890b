"""Which node a tensor comes from, as code between layers or a layer hands it on."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.worker.tracing.by_numbers import identify
from grader.worker.tracing.record import Aside, TooLarge, Trace


def resolve(trace: Trace, value: Any, like: int | None = None) -> int:
    """The node that makes a tensor.

    Args:
        trace: what has been found so far.
        value: a tensor or an array.
        like: a node with the batch axis along which a constant may repeat.

    Returns:
        The node; for a constant or for code that left no trace, one that is added.
    """
    known = trace.by_identity.get(id(value))
    if known is not None:
        return known
    aside = trace.asides.get(id(value))
    if aside is not None and not aside.fixed:
        return trace.unknown((), value, aside.variables)
    if aside is None and not trace.by_operations:
        return _identified(trace, value)
    if aside is None and differs_by_row(trace, value):
        return _identified(trace, value)
    try:
        return trace.constant(value, like if _is_batch(trace, value) else None)
    except TooLarge:
        return trace.unknown((), value)


def _identified(trace: Trace, value: Any) -> int:
    found = identify(trace, value)
    if found is not None:
        return found
    recent = trace.recent()
    return trace.unknown((recent[0].node,) if recent else (), value)


def _is_batch(trace: Trace, value: Any) -> bool:
    """Whether something has a batch axis along which its numbers repeat."""
    if len(value.shape) < 1 or value.shape[0] != trace.batch:
        return False
    array = np.asarray(value)
    return bool((array == array[:1]).all())


def differs_by_row(trace: Trace, value: Any) -> bool:
    """Whether something has a batch axis and other numbers for each row, as an input has."""
    if len(value.shape) < 2 or value.shape[0] != trace.batch:
        return False
    array = np.asarray(value)
    return not bool((array == array[:1]).all())


def aside_of(trace: Trace, value: Any) -> Aside | None:
    """A tensor that the input has no part in, or None where it has one."""
    if id(value) in trace.by_identity:
        return None
    aside = trace.asides.get(id(value))
    if aside is not None:
        return aside
    if differs_by_row(trace, value):
        # It went through numpy: nothing tells of what was done there but its numbers.
        if identify(trace, value) is not None:
            return None
        return Aside(value, fixed=False)
    return Aside(value, fixed=True)
