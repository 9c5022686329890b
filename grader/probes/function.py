"""Probe of a function: called on inputs drawn on the trusted side, edge cases included."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from grader.assignments.registry import ProbeKind, Role
from grader.probes.cases import Case, convolution_cases
from grader.probes.context import ProbeContext, load, parsed
from grader.records.arrays import ALLOWED_DTYPES, ArrayRecord
from grader.records.evidence import FunctionEvidence, FunctionTrial
from grader.records.messages import Call, CallValue
from grader.records.settings import FunctionSettings
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

_CASES_SEED: Final = 31
_ENTROPY: Final = 303
MAX_ELEMENTS: Final = 1 << 20
"""Largest array that is kept in evidence; a hundred times what any right answer has."""
TYPE_CHARS: Final = 200
"""Longest name of a type that is kept."""


def as_array(value: object) -> ArrayRecord | None:
    """A number, an array, or nested lists of numbers as an array; None for anything else.

    A boolean is no number; an array larger than any right answer is None too.
    """
    if isinstance(value, bool | np.bool_):
        return None
    if not isinstance(value, np.ndarray | np.generic | int | float | list | tuple):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # lists of different lengths, for one
        return None
    fits = array.dtype.name in ALLOWED_DTYPES and array.size <= MAX_ELEMENTS
    return ArrayRecord.of(array) if fits else None


def recorded_arguments(case: Case) -> dict[str, ArrayRecord | int | float]:
    """A case's arguments as they stand in evidence."""
    return {
        name: ArrayRecord.of(value) if isinstance(value, np.ndarray) else value
        for name, value in case.arguments.items()
    }


def _trial(worker: Worker, case: Case) -> FunctionTrial:
    arguments = recorded_arguments(case)
    stage = f"calling the function ({case.label})"
    try:
        answer = worker.ask(Call(target="function", arguments=dict(case.arguments)), stage)
        value = parsed(CallValue, answer, stage)
    except WorkerIncident as error:
        return FunctionTrial(label=case.label, arguments=arguments, incident=error.incident)
    mutated = tuple(
        name
        for name, given in case.arguments.items()
        if isinstance(given, np.ndarray) and not _same(value.arguments.get(name), given)
    )
    return FunctionTrial(
        label=case.label,
        arguments=arguments,
        result=as_array(value.value),
        result_type=clean_line(value.type_name, TYPE_CHARS),
        mutated=mutated,
    )


def _same(after: Any, before: np.ndarray[Any, Any]) -> bool:
    return isinstance(after, np.ndarray) and np.array_equal(after, before)


def collect(context: ProbeContext) -> FunctionEvidence:
    """Calls the function on every case."""
    with context.worker(_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return FunctionEvidence(**fields)
        trials = tuple(_trial(worker, case) for case in convolution_cases(_CASES_SEED))
    return FunctionEvidence(**fields, trials=trials)


PROBE = ProbeKind(
    id="function",
    roles=(Role("function", "function", ("function",)),),
    settings=FunctionSettings,
    evidence=FunctionEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `function`."""
