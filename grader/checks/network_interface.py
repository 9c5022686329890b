"""Can the network be built for every number of actions, and does it take the input?"""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from grader.assignments.registry import JudgeInput
from grader.checks.advice.codes import KerasCode
from grader.checks.advice.matching import matching_rule
from grader.checks.advice.relics import ARGUMENTS, argument_codes
from grader.checks.architecture.expected import sides_of
from grader.checks.incidents import (
    GeneralCode,
    incident_finding,
    incident_outcome,
    incident_verdict,
)
from grader.checks.interface import graded, interface_verdict
from grader.checks.network_codes import NetworkCode
from grader.records.catalogue import catalogue
from grader.records.incident import Incident, IncidentKind
from grader.records.network_evidence import BuildTrial, NetworkEvidence
from grader.records.network_settings import NetworkSettings
from grader.records.result import Finding, Outcome, Severity, Verdict
from grader.records.text import clean_line

_CHANNELS_FIRST: Final = "only supports the NHWC"
"""What TensorFlow says on a processor when channels come first."""

_OF_THE_INPUT: Final = frozenset({
    NetworkCode.CHANNELS_FIRST, KerasCode.INPUT_WITH_BATCH, KerasCode.INPUT_LACKS_AXIS,
    KerasCode.BATCH_MISSING, KerasCode.OTHER_SIZE, KerasCode.CHANNELS_FIRST_INPUT,
    KerasCode.KERNEL_TOO_LARGE, KerasCode.TENSOR_SHAPES,
})  # fmt: skip
"""Errors that say that the input has another shape than the model takes."""

_MADE_FOR: Final = re.compile(r"expected shape=\(None, ([\d, ]+)\)")
"""What Keras says of a model that is called on an input of another shape."""

FORM_COST: Final = 0.25
"""Share of the points lost by a model that is wrapped, and by inputs that were not asked for."""

_KINDS: Final = {
    "type": "a class", "ABCMeta": "a class", "function": "a function", "method": "a method",
}  # fmt: skip
_NOT_A_MODEL_ADVICE: Final = {
    "type": "This is a class, not an object: call it, as in `return MyModel(num_actions)`.",
    "ABCMeta": "This is a class, not an object: call it, as in `return MyModel(num_actions)`.",
    "function": "This is a function, not its result: add the parentheses of a call.",
    "method": "This is a method, not its result: add the parentheses of a call.",
    "History": "`model.fit(…)` returns the history of the training: return `model` after it.",
    "tuple": "Return the model alone, without a comma and further values behind it.",
    "list": "Layers in a list are no model yet: return `keras.Sequential(layers)`.",
    "KerasTensor": "This is the output of a layer: return `keras.Model(inputs, outputs)`.",
    "EagerTensor": "This is a value that was computed: return the model, and do not call it.",
}


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether every call of the builder returns a model and the model takes the input.

    Half of the points are for the models, in equal shares over the numbers of actions tried, half
    for an accepted input shape. What the outputs look like is left to the other checks.
    """
    evidence: NetworkEvidence = given.evidence
    settings: NetworkSettings = given.part_settings
    if (blocked := interface_verdict(evidence)) is not None:
        old = old_arguments_finding(evidence.construction)
        return blocked.model_copy(update={"findings": old or blocked.findings})
    incidents = [trial.incident for trial in evidence.builds if trial.incident is not None]
    if (fault := _fault(evidence, settings, incidents)) is not None:
        return incident_verdict(fault)
    built = [
        arguments
        for arguments in settings.builder_arguments
        if any(_is_built(trial) and trial.arguments == arguments for trial in evidence.builds)
    ]
    findings = (*_build_findings(evidence), *_form_findings(evidence, settings))
    if not built:
        outcomes = {incident_outcome(incident) for incident in incidents}
        ended = outcomes == {Outcome.INVALID} and len(incidents) == len(evidence.builds)
        outcome = Outcome.INVALID if ended else Outcome.FAILED
        return Verdict(outcome=outcome, fraction=0.0, findings=findings)
    lost = 0.5 * (1.0 - len(built) / len(settings.builder_arguments))
    lost += FORM_COST * (_wrapper(evidence) != "") + FORM_COST * (evidence.extra_inputs != ())
    if evidence.input_shape is None:
        lost += 0.5
        findings += input_findings(evidence, settings)
    return graded(1.0 - lost, findings)


def _wrapper(evidence: NetworkEvidence) -> str:
    """Where the model was found in what the builder returned; empty for itself."""
    return next((trial.wrapper for trial in evidence.builds if trial.wrapper), "")


def _form_findings(evidence: NetworkEvidence, settings: NetworkSettings) -> tuple[Finding, ...]:
    """What is not as asked although the network can be judged."""
    findings: list[Finding] = []
    if wrapper := _wrapper(evidence):
        findings.append(
            Finding(
                code=NetworkCode.WRAPPED,
                severity=Severity.ERROR,
                claim="The function returns an object that holds the model, not the model.",
                where=evidence.place("builder"),
                expected="a keras.Model",
                received=f"an object with the model in `{clean_line(wrapper, 60)}`",
                try_=f"Return the model itself: `return agent{clean_line(wrapper, 60)}`.",
            )
        )
    if evidence.extra_inputs:
        asked, more = len(settings.network_inputs), len(evidence.extra_inputs)
        findings.append(
            Finding(
                code=NetworkCode.EXTRA_INPUT,
                severity=Severity.ERROR,
                claim="The network has more inputs than asked for.",
                where=evidence.place("builder"),
                expected="one input" if asked == 1 else f"{asked} inputs",
                received=f"{asked + more} inputs; those not asked for have the shape "
                + " and ".join(map(str, evidence.extra_inputs)),
                try_="Leave them out of the network. A mask of actions is applied to the Q-values "
                "outside, when the action is chosen.",
            )
        )
    return tuple(findings)


def _is_built(trial: BuildTrial) -> bool:
    return trial.incident is None and trial.is_model


def _fault(
    evidence: NetworkEvidence, settings: NetworkSettings, incidents: list[Incident]
) -> Incident | None:
    """The grader's own failure, if there is one; evidence that is simply absent is one too."""
    for incident in (*incidents, *evidence.rejected_inputs):
        if incident.kind is IncidentKind.FAULT:
            return incident
    tried = [trial.arguments for trial in evidence.builds]
    untried = [arguments for arguments in settings.builder_arguments if arguments not in tried]
    unexplained = not incidents and bool(untried)
    untried_input = (
        evidence.input_shape is None
        and not evidence.rejected_inputs
        and any(_is_built(trial) for trial in evidence.builds)
        and not incidents
    )
    if unexplained or untried_input:
        return Incident(
            kind=IncidentKind.FAULT,
            stage="building the network",
            message="the evidence does not say what became of the network",
        )
    return None


def _build_findings(evidence: NetworkEvidence) -> tuple[Finding, ...]:
    """One finding for each different way in which building failed."""
    found: dict[Finding, None] = {}
    for trial in evidence.builds:
        if trial.incident is not None:
            # The stage names the number of actions; one cause is told once all the same.
            finding = incident_finding(trial.incident, evidence.place("builder"))
            told = old_arguments_finding(trial.incident) or (finding,)
            if not any(_same_cause(told[0], other) for other in found):
                found.update(dict.fromkeys(told))
        elif not trial.is_model:
            found.setdefault(_not_a_model(trial, evidence.place("builder")))
    return tuple(found)


def _same_cause(one: Finding, other: Finding) -> bool:
    if (one.code, one.where) != (other.code, other.where):
        return False
    # An error with a code of its own is the same one, though Keras numbers its layers on.
    return one.code != GeneralCode.RAISED or one.received == other.received


def _not_a_model(trial: BuildTrial, place: str) -> Finding:
    returned = clean_line(trial.returned, 80).rpartition(".")[2] or "something else"
    if returned in {"NoneType", "None"}:
        return Finding(
            code=NetworkCode.NOTHING_RETURNED,
            severity=Severity.ERROR,
            claim="The function ends without returning the model.",
            where=place,
            expected="a keras.Model",
            received="None",
            try_="End the function with `return model`. `model.compile(…)`, `model.build(…)` and "
            "`model.summary()` return None: call them on a line before.",
        )
    return Finding(
        code=NetworkCode.NOT_A_MODEL,
        severity=Severity.ERROR,
        claim="What the function returns is not a Keras model.",
        where=place,
        expected="a keras.Model",
        received=_KINDS.get(returned, f"an object of type {returned}"),
        try_=_NOT_A_MODEL_ADVICE.get(
            returned, "Return a `keras.Sequential`, a `keras.Model`, or an object of a subclass."
        ),
    )


def ending_incident(evidence: NetworkEvidence) -> Incident | None:
    """What kept the network from being looked at after it was built; None when nothing did."""
    built = (trial.incident for trial in evidence.builds if trial.incident is not None)
    return evidence.graph_incident or next(built, None)


def unexamined_verdict(evidence: NetworkEvidence, settings: NetworkSettings) -> Verdict | None:
    """The verdict of every check when the first network could not be looked at; else None.

    It is none for a reason on the student's side: no model came, or none that takes the input.
    """
    if evidence.builds and evidence.builds[0].incident is None and not evidence.builds[0].is_model:
        return Verdict(outcome=Outcome.FAILED, fraction=0.0, findings=_build_findings(evidence))
    if evidence.input_shape is None and evidence.rejected_inputs:
        return Verdict(
            outcome=Outcome.FAILED, fraction=0.0, findings=input_findings(evidence, settings)
        )
    return None


def input_findings(evidence: NetworkEvidence, settings: NetworkSettings) -> tuple[Finding, ...]:
    """Why the network took none of the accepted input shapes."""
    offered = _shapes_offered(settings)
    shapes = " or ".join(offered)
    first = next(iter(evidence.rejected_inputs), None)
    rule = None if first is None else matching_rule(first)
    if first is not None and rule is not None and rule.code not in _OF_THE_INPUT:
        return (incident_finding(first, evidence.place("builder")),)
    told: list[str] = []
    made_for: str | None = None
    place: str | None = None
    for shape, incident in zip(offered, evidence.rejected_inputs, strict=False):
        if _CHANNELS_FIRST in incident.message:
            return (_channels_first(evidence, incident),)
        told.append(f"for {shape}: {_reason(incident)}")
        if (match := _MADE_FOR.search(incident.message)) is not None:
            made_for = f"a model made for inputs of the shape ({match[1]})"
        place = place or incident.where()
    refused = Finding(
        code=NetworkCode.INPUT_REFUSED,
        severity=Severity.ERROR,
        claim="The model does not take the input that the assignment gives it.",
        where=place or evidence.place("builder"),
        expected=f"a batch of inputs of the shape {shapes}",
        received=made_for or "; ".join(told) or "an error for each of them",
        try_=f"Begin with `keras.Input(shape={offered[0]})` and call the model on a batch of two "
        "such inputs yourself.",
    )
    hard = tuple(
        incident_finding(incident, evidence.place("builder"))
        for incident in evidence.rejected_inputs
        if incident.kind is not IncidentKind.RAISED
    )
    return (refused, *dict.fromkeys(hard))


def _shapes_offered(settings: NetworkSettings) -> list[str]:
    """The combinations of input shapes in the order in which they were tried."""
    arguments = settings.builder_arguments[0]
    choices = product(*(single.shapes for single in settings.network_inputs))
    return [" and ".join(str(sides_of(shape, arguments)) for shape in choice) for choice in choices]


def _reason(incident: Incident) -> str:
    """What an error says, without the listing of arguments that Keras adds to it."""
    message = incident.message.partition("Arguments received by")[0]
    return clean_line(message or incident.error_type or str(incident.kind))


def _channels_first(evidence: NetworkEvidence, incident: Incident) -> Finding:
    return Finding(
        code=NetworkCode.CHANNELS_FIRST,
        severity=Severity.ERROR,
        claim="A layer takes channels to be the first axis, which cannot be computed here.",
        where=incident.where() or evidence.place("builder"),
        expected="data_format channels_last",
        received="data_format channels_first",
        try_="Leave `data_format` out. If the frames come as (4, 84, 84), put `Permute((2, 3, 1))` "
        "in front of the first layer.",
    )


def old_arguments_finding(incident: Incident | None) -> tuple[Finding, ...]:
    """The findings instead of an error that names several arguments of Keras 1; empty for others.

    One alone has a code of its own, as any error has.
    """
    if incident is None or incident.error_type not in {"TypeError", "ValueError"}:
        return ()
    codes = argument_codes(incident.message)
    if len(codes) < 2:
        return ()
    names = [
        name for code in codes for name in ARGUMENTS[code] if f"'{name}'" in incident.message
    ]  # fmt: skip
    return (
        Finding(
            code=NetworkCode.OLD_ARGUMENTS,
            severity=Severity.ERROR,
            claim="Arguments have the names that they had in Keras 1, which are gone.",
            where=incident.where(),
            expected="filters, kernel_size, strides, padding, units",
            received=", ".join(names),
            try_="Write `Conv2D(filters=32, kernel_size=(8, 8), strides=(4, 4), padding='valid')` "
            "and `Dense(units=512)`.",
        ),
        *(
            Finding(
                code=code,
                severity=Severity.NOTE,
                claim=f"{catalogue()[code].title}.",
                where=incident.where(),
                try_=catalogue()[code].fix,
            )
            for code in codes
        ),
    )
