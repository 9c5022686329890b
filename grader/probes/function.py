"""Probe of a function: called on inputs drawn on the trusted side, edge cases included."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from grader.assignments.registry import ProbeKind, Role
from grader.probes.cases import Case
from grader.probes.choices import choice_trials
from grader.probes.context import ProbeContext, load, parsed
from grader.probes.frames import edge_case
from grader.probes.value_cases import function_cases
from grader.probes.values import TYPE_CHARS, as_array, recorded_arguments, renamed
from grader.records.evidence import FunctionEvidence, FunctionTrial
from grader.records.function_settings import FunctionSettings
from grader.records.messages import Call, CallValue
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

_CASES_SEED: Final = 31
_ENTROPY: Final = 303


def _trial(worker: Worker, case: Case, names: dict[str, str]) -> FunctionTrial:
    arguments = recorded_arguments(case)
    stage = f"calling the function ({case.label})"
    try:
        answer = worker.ask(
            Call(target="function", arguments=renamed(case.arguments, names)), stage
        )
        value = parsed(CallValue, answer, stage)
    except WorkerIncident as error:
        return FunctionTrial(label=case.label, arguments=arguments, incident=error.incident)
    mutated = tuple(
        name
        for name, given in case.arguments.items()
        if isinstance(given, np.ndarray)
        and not _same(value.arguments.get(names.get(name, name)), given)
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
    """Calls the function on every case; often, where it draws at random."""
    settings: FunctionSettings = context.settings
    with context.worker(_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return FunctionEvidence(**fields)
        if settings.reference == "epsilon_greedy":
            trials = choice_trials(worker, _CASES_SEED, settings.arguments)
        else:
            cases = function_cases(settings.reference, _CASES_SEED, settings.fixed())
            trials = tuple(_trial(worker, case, settings.arguments) for case in cases)
        shown = not worker.ended and settings.reference == "cross_correlation_2d"
        picture = _trial(worker, edge_case(), settings.arguments) if shown else None
    return FunctionEvidence(**fields, trials=trials, picture=picture)


PROBE = ProbeKind(
    id="function",
    roles=(Role("function", "function", ("function",)),),
    settings=FunctionSettings,
    evidence=FunctionEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `function`."""
