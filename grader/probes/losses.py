"""Probe of a loss: called and differentiated on inputs drawn on the trusted side."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from grader.assignments.registry import ProbeKind, Role
from grader.probes.cases import Case
from grader.probes.context import ProbeContext, load, parsed
from grader.probes.loss_cases import cases_of_loss
from grader.probes.values import TYPE_CHARS, as_array, recorded_arguments, renamed
from grader.records.evidence import FunctionTrial
from grader.records.function_settings import LossSettings
from grader.records.learning_evidence import LossEvidence
from grader.records.messages import Loss, LossValue
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

_CASES_SEED: Final = 61
_ENTROPY: Final = 607
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


def loss_trial(
    worker: Worker,
    case: Case,
    with_respect_to: str = "y_pred",
    names: Mapping[str, str] = _NO_NAMES,
) -> FunctionTrial:
    """One call of a loss, with its gradient.

    Args:
        worker: has the loss under the role `loss`.
        case: what it is called with.
        with_respect_to: the argument that the gradient is taken with respect to.
        names: names under which the arguments are offered, where they are others.
    """
    arguments = recorded_arguments(case)
    stage = f"calling the loss ({case.label})"
    request = Loss(
        target="loss",
        arguments=renamed(case.arguments, names),
        with_respect_to=names.get(with_respect_to, with_respect_to),
    )
    try:
        value = parsed(LossValue, worker.ask(request, stage), stage)
    except WorkerIncident as error:
        return FunctionTrial(label=case.label, arguments=arguments, incident=error.incident)
    return FunctionTrial(
        label=case.label,
        arguments=arguments,
        result=as_array(value.value),
        result_type=clean_line(value.type_name, TYPE_CHARS),
        gradient=as_array(value.gradient),
        gradient_missing=value.gradient is None,
    )


def collect(context: ProbeContext) -> LossEvidence:
    """Calls the loss on every case."""
    settings: LossSettings = context.settings
    differentiated = "q_values" if settings.reference == "masked_q_loss" else "y_pred"
    with context.worker(_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return LossEvidence(**fields)
        trials = tuple(
            loss_trial(worker, case, differentiated, settings.arguments)
            for case in cases_of_loss(settings, _CASES_SEED)
        )
    return LossEvidence(**fields, trials=trials)


PROBE = ProbeKind(
    id="loss",
    roles=(Role("loss", "function", ("loss", "custom_loss", "loss_function")),),
    settings=LossSettings,
    evidence=LossEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `loss`."""
