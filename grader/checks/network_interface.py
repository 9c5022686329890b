"""Can the network be built for every number of actions, and does it take the input?"""

from __future__ import annotations

import re
from typing import Final

from grader.assignments.registry import JudgeInput
from grader.checks.incidents import incident_finding, incident_outcome, incident_verdict
from grader.checks.interface import graded, interface_verdict
from grader.checks.network_codes import NetworkCode
from grader.records.incident import Incident, IncidentKind
from grader.records.network_evidence import BuildTrial, NetworkEvidence
from grader.records.result import Finding, Outcome, Severity, Verdict
from grader.records.settings import NetworkSettings
from grader.records.text import clean_line

_OLD_ARGUMENTS: Final = re.compile(
    r"\b(nb_filter|nb_row|nb_col|subsample|border_mode|dim_ordering|input_dim|output_dim|init)\b"
)
"""Argument names of Keras 1, all renamed since."""

_CHANNELS_FIRST: Final = "only supports the NHWC"
"""What TensorFlow says on a processor when channels come first."""

_MADE_FOR: Final = re.compile(r"expected shape=\(None, ([\d, ]+)\)")
"""What Keras says of a model that is called on an input of another shape."""

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
    built = {trial.num_actions for trial in evidence.builds if _is_built(trial)}
    findings = _build_findings(evidence)
    if not built:
        outcomes = {incident_outcome(incident) for incident in incidents}
        ended = outcomes == {Outcome.INVALID} and len(incidents) == len(evidence.builds)
        outcome = Outcome.INVALID if ended else Outcome.FAILED
        return Verdict(outcome=outcome, fraction=0.0, findings=findings)
    lost = 0.5 * (1.0 - len(built & set(settings.num_actions)) / len(set(settings.num_actions)))
    if evidence.input_shape is None:
        lost += 0.5
        findings += input_findings(evidence, settings)
    return graded(1.0 - lost, findings)


def _is_built(trial: BuildTrial) -> bool:
    return trial.incident is None and trial.is_model


def _fault(
    evidence: NetworkEvidence, settings: NetworkSettings, incidents: list[Incident]
) -> Incident | None:
    """The grader's own failure, if there is one; evidence that is simply absent is one too."""
    for incident in (*incidents, *evidence.rejected_inputs):
        if incident.kind is IncidentKind.FAULT:
            return incident
    tried = {trial.num_actions for trial in evidence.builds}
    unexplained = not incidents and not tried >= set(settings.num_actions)
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
    return (one.code, one.where, one.received) == (other.code, other.where, other.received)


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
    shapes = " or ".join(str(shape) for shape in settings.input_shapes)
    told: list[str] = []
    made_for: str | None = None
    place: str | None = None
    for shape, incident in zip(settings.input_shapes, evidence.rejected_inputs, strict=False):
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
        try_=f"Begin with `keras.Input(shape={settings.input_shapes[0]})` and call the model on "
        "a batch of two such inputs yourself.",
    )
    hard = tuple(
        incident_finding(incident, evidence.place("builder"))
        for incident in evidence.rejected_inputs
        if incident.kind is not IncidentKind.RAISED
    )
    return (refused, *dict.fromkeys(hard))


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
    """The finding instead of an error that names arguments of Keras 1; empty for others."""
    if incident is None or incident.error_type not in {"TypeError", "ValueError"}:
        return ()
    names = dict.fromkeys(_OLD_ARGUMENTS.findall(incident.message))
    if not names:
        return ()
    return (
        Finding(
            code=NetworkCode.OLD_ARGUMENTS,
            severity=Severity.ERROR,
            claim="An argument has the name that it had in Keras 1, which is gone."
            if len(names) == 1
            else "Arguments have the names that they had in Keras 1, which are gone.",
            where=incident.where(),
            expected="filters, kernel_size, strides, padding, units",
            received=", ".join(names),
            try_="Write `Conv2D(filters=32, kernel_size=(8, 8), strides=(4, 4), padding='valid')` "
            "and `Dense(units=512)`.",
        ),
    )
