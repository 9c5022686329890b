"""Judge of `network.gradients`: do gradients reach every layer of the network?"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from grader.assignments.registry import JudgeInput
from grader.checks.incidents import incident_verdict
from grader.checks.interface import graded
from grader.checks.weights_examined import unexamined
from grader.records.network_evidence import NetworkEvidence, ProofMethod
from grader.records.result import Finding, Severity, Verdict
from grader.records.weights_evidence import LayerGradient
from grader.records.weights_settings import GradientsSettings

ROLE: Final = "builder"


class GradientCode(StrEnum):
    """Codes of findings about the gradients of a network."""

    NOT_BUILT = "WT201"
    DETACHED = "WT202"
    DEAD = "WT203"
    VANISHED = "WT204"
    NOT_FINITE = "WT205"
    MANY_DEAD = "WT206"
    FROZEN = "WT207"


def judge_gradients(given: JudgeInput) -> Verdict:
    """The share of the layers with weights to train that a gradient reaches, and that are trained.

    Gradients are computed in a process without the student's code, from the network that was proven
    to be the student's, on inputs it has not seen.

    Raises:
        GraderFault: no gradients were recorded; the author of the assignment must act.
    """
    evidence: NetworkEvidence = given.evidence
    settings: GradientsSettings = given.settings
    trial = evidence.gradients
    nothing = unexamined(evidence, evidence.weights)
    if nothing is not None:
        return nothing
    where = evidence.place(ROLE)
    if trial is not None and trial.incident is not None:
        return incident_verdict(trial.incident)
    if trial is None or trial.reason:
        return graded(0.0, (_not_built(trial.reason if trial else "nothing", where),))
    trained = [layer for layer in trial.layers if layer.gradients]
    frozen = [layer for layer in trial.layers if layer.frozen]
    if not trained and not frozen:
        return graded(0.0, (_finding(
            GradientCode.DETACHED, "No layer of the network can be trained.",
            "layers with weights that are trained", "none", where,
            "Leave `trainable` at True.",
        ),))  # fmt: skip
    findings = (*_frozen(frozen, where), *_findings(trial.layers, trained, settings, where))
    if evidence.proof is None or evidence.proof.method is not ProofMethod.REBUILT:
        # A dead network answers the same to everything, which proves nothing; what is wrong with
        # it is told all the same. Points are given for what is proven alone.
        unproven = _not_built("a network that answers otherwise than its description", where)
        return graded(0.0, findings or (unproven,))
    reached = [layer for layer in trained if _reached(layer)]
    return graded(len(reached) / (len(trained) + len(frozen)), findings)


def _not_built(received: str, where: str) -> Finding:
    return _finding(
        GradientCode.NOT_BUILT, "The network cannot be built again without your code.",
        "layers of Keras, put together in a way that can be followed", received, where,
        "Use Keras' own layers and operations.",
    )  # fmt: skip


def _frozen(layers: list[LayerGradient], where: str) -> tuple[Finding, ...]:
    if not layers:
        return ()
    return (_finding(
        GradientCode.FROZEN, "Some of the layers are set not to be trained.",
        "layers with weights that are trained", f"`trainable=False` in {_names(layers)}", where,
        "Leave `trainable` at True, for the layers and for the model.",
    ),)  # fmt: skip


def _reached(layer: LayerGradient) -> bool:
    return layer.finite and all(size is not None and size > 0 for size in layer.gradients)


def _findings(
    layers: tuple[LayerGradient, ...],
    trained: list[LayerGradient],
    settings: GradientsSettings,
    where: str,
) -> tuple[Finding, ...]:
    infinite = [layer for layer in trained if not layer.finite]
    detached = [
        layer for layer in trained
        if layer.finite and any(size is None for size in layer.gradients)
    ]  # fmt: skip
    still = [
        layer for layer in trained
        if not _reached(layer) and layer not in infinite and layer not in detached
    ]  # fmt: skip
    dead = [layer for layer in layers if layer.units and layer.dead == layer.units]
    dying = [
        layer for layer in layers
        if layer.units > layer.dead >= settings.dead_share * layer.units and layer.dead > 0
    ]  # fmt: skip
    findings = []
    if infinite:
        findings.append(_finding(
            GradientCode.NOT_FINITE, "Gradients are not finite (NaN or infinity).",
            "finite gradients in every layer", f"NaN or infinity in {_names(infinite)}", where,
            "Look for divisions, roots and logarithms between the layers, and for weights that are "
            "far too large.",
        ))  # fmt: skip
    if detached:
        findings.append(_finding(
            GradientCode.DETACHED, "No gradient reaches some of the layers.",
            "a way back from the outputs to every layer", f"none in {_names(detached)}", where,
            "Leave out `tf.stop_gradient`, and connect the layer to the output.",
        ))  # fmt: skip
    if still and dead:
        findings.append(_finding(
            GradientCode.DEAD, "A ReLU is dead: it answers 0 to every input.",
            "units that answer to some of the inputs",
            f"all {dead[0].units} units of {dead[0].layer} are 0; no gradient in {_names(still)}",
            where,
            "Begin with biases of 0 and kernels of mean 0, and put no ReLU behind values that are "
            "never positive.",
        ))  # fmt: skip
    elif still:
        findings.append(_finding(
            GradientCode.VANISHED, "The gradient is 0 in some of the layers.",
            "gradients that are not 0", f"0 in {_names(still)}", where,
            "Look for activations that are saturated, kernels of zeros, and rounding or comparing "
            "between the layers.",
        ))  # fmt: skip
    if dying:
        layer = dying[0]
        findings.append(_finding(
            GradientCode.MANY_DEAD, "Many units behind a ReLU answer 0 to every input.",
            "most units active for some of the inputs",
            f"{layer.dead} of {layer.units} units of {layer.layer} are 0", where,
            "Check the range of the inputs and the first weights.",
        ).model_copy(update={"severity": Severity.WARNING}))  # fmt: skip
    return tuple(findings)


def _names(layers: list[LayerGradient]) -> str:
    shown = ", ".join(f"{layer.layer} ({layer.kind})" for layer in layers[:3])
    return f"{shown} and {len(layers) - 3} more" if len(layers) > 3 else shown


def _finding(
    code: GradientCode, claim: str, expected: str, received: str, where: str, advice: str
) -> Finding:
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where, expected=expected,
        received=received, try_=advice,
    )  # fmt: skip
