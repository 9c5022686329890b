"""The verdict on a network's layers."""

from __future__ import annotations

from typing import Final

from grader.assignments.registry import JudgeInput
from grader.checks.architecture.comparison import (
    Comparison,
    compare,
    units_are_fixed,
)
from grader.checks.architecture.expected import canonical_shapes, expected_networks
from grader.checks.architecture.layers import DROPOUTS
from grader.checks.architecture.mistakes import layer_findings
from grader.checks.architecture.places import Places, places_of
from grader.checks.architecture.rows import attribute_share
from grader.checks.architecture.structure import remarks, structure_findings, unused_findings
from grader.checks.architecture.surplus import surplus_mistake
from grader.checks.architecture.table import network_table
from grader.checks.architecture.wording import layers_text
from grader.checks.incidents import incident_finding, incident_outcome, incident_verdict
from grader.checks.interface import graded, interface_verdict
from grader.checks.network_codes import NetworkCode
from grader.checks.network_interface import ending_incident, unexamined_verdict
from grader.checks.pictures import network_exhibits
from grader.records.incident import Incident, IncidentKind
from grader.records.network_evidence import (
    NetworkEvidence,
    NetworkProof,
    NodeSource,
    ProofMethod,
)
from grader.records.network_settings import ArchitectureSettings, NetworkSettings
from grader.records.result import Finding, NetworkTable, Outcome, Severity, Verdict
from grader.records.text import clean_line

MAX_FINDINGS: Final = 40
"""More mistakes than this teach nothing; the last finding says how many are left out."""

_OWN_CODE: Final = "code"
_MAX_KINDS: Final = 4
"""Layers of the student's own that are named in one finding."""
_NOT_PLAIN: Final = "holds more than plain settings"
_NOT_PLAIN_TOLD: Final = (
    "holds code of your own, such as a function, where names and numbers are expected"
)

_PROOFS: Final = {
    ProofMethod.REBUILT: "Proven: a network rebuilt from these layers and their weights, without "
    "your code, gives the same outputs for fresh inputs.",
    ProofMethod.TRANSPLANTED: "Proven: with the same random weights your network gives the same "
    "outputs as the one asked for, for fresh inputs.",
    ProofMethod.NONE: "Not proven: this is what your code says about itself, and it could not be "
    "shown that these layers compute the output.",
}


def judge_architecture(given: JudgeInput) -> Verdict:
    """Points for the layers that are there, as far as it is proven that they compute the output.

    Proven by rebuilding: judged layer by layer (see `comparison`). Proven by transplanting
    weights: the network computes what was asked for, whatever it is made of, and earns full
    marks, less the output layer's units if they do not follow the number of actions. Not proven:
    no points.
    """
    evidence: NetworkEvidence = given.evidence
    settings: NetworkSettings = given.part_settings
    options: ArchitectureSettings = given.settings
    if (blocked := interface_verdict(evidence)) is not None:
        return blocked
    if (absent := _without_graph_or_proof(evidence, settings)) is not None:
        return absent
    proof = evidence.proof or NetworkProof(method=ProofMethod.NONE)
    comparison: Comparison | None = None
    exhibits: tuple[NetworkTable, ...] = ()
    if evidence.graph is not None:
        comparison = compare(evidence, evidence.graph, settings, options.extra_layer_cost)
        exhibits = (
            network_table(comparison, proof.method, given.check.points, _PROOFS[proof.method]),
        )
    match proof.method:
        case ProofMethod.REBUILT if comparison is not None:
            places = places_of(evidence, comparison.form)
            verdict = _judge_layers(comparison, settings, places)
        case ProofMethod.TRANSPLANTED:
            verdict = _judge_function(evidence, settings, comparison)
        case _:
            verdict = _unproven(evidence, proof, comparison)
    shown = (*exhibits, *network_exhibits(evidence))
    return verdict.model_copy(update={"exhibits": shown, "findings": _bounded(verdict.findings)})


def _without_graph_or_proof(evidence: NetworkEvidence, settings: NetworkSettings) -> Verdict | None:
    """The verdict when there is nothing to judge; None when there is."""
    for incident in (evidence.graph_incident, *evidence.rejected_inputs):
        if incident is not None and incident.kind is IncidentKind.FAULT:
            return incident_verdict(incident, place=evidence.place("builder"))
    rebuilt = evidence.proof is not None and evidence.proof.method is ProofMethod.REBUILT
    if evidence.proof is not None and not (rebuilt and evidence.graph is None):
        return None
    if (ended := ending_incident(evidence)) is not None:
        return incident_verdict(ended, place=evidence.place("builder"))
    if (unexamined := unexamined_verdict(evidence, settings)) is not None:
        return unexamined
    return incident_verdict(
        Incident(
            kind=IncidentKind.FAULT,
            stage="tracing the network",
            message="the evidence does not say what the network consists of",
        )
    )


def _judge_layers(comparison: Comparison, settings: NetworkSettings, places: Places) -> Verdict:
    findings = (
        *structure_findings(comparison, places.builder, settings.parameters),
        *layer_findings(comparison, places),
        *remarks(comparison, places.builder),
    )
    return graded(comparison.fraction, findings)


def _judge_function(
    evidence: NetworkEvidence, settings: NetworkSettings, comparison: Comparison | None
) -> Verdict:
    place = evidence.place("builder")
    findings = [
        Finding(
            code=NetworkCode.PROVEN_BY_FUNCTION,
            severity=Severity.NOTE,
            claim=f"The network {_own_code(evidence)}was judged by what it computes: with the "
            "same weights it answers like the network asked for.",
            where=place,
        )
    ]
    lost = 0.0
    (network, *_) = expected_networks(settings, canonical_shapes(settings, None))
    sizes = [network.layers[place] for place in sorted(network.giving_outputs)]
    follows = [layer for layer in sizes if layer.per_argument]
    if follows and units_are_fixed(evidence, settings):
        lost = attribute_share(follows[0]) / (network.weight or 1.0)
        findings.append(
            Finding(
                code=NetworkCode.OUTPUT_UNITS,
                severity=Severity.ERROR,
                claim=f"The number of outputs does not follow `{follows[0].per_argument}`.",
                where=place,
                expected=f"{follows[0].per_argument} outputs, whatever the arguments are",
                received="the wrong number of outputs for other arguments",
                try_=f"Use the argument: `Dense({follows[0].per_argument})`.",
            )
        )
    if comparison is not None:
        findings.extend(_dropouts(comparison, place))
        findings.extend(remarks(comparison, place))
    return graded(1.0 - lost, tuple(findings))


def _own_code(evidence: NetworkEvidence) -> str:
    """Why it was judged so, where code of the student's is the reason."""
    graph = evidence.graph
    plain = graph is not None and all(node.source is not NodeSource.UNKNOWN for node in graph.nodes)
    return "" if plain else "has code of its own and "


def _dropouts(comparison: Comparison, place: str) -> tuple[Finding, ...]:
    """Warnings about what the comparison of outputs cannot see: dropout acts in training only."""
    return tuple(
        surplus_mistake(row.received)
        .finding(layers_text("your layer", [row.received_number], row.received.kind), place)
        .model_copy(update={"severity": Severity.WARNING})
        for row in comparison.rows
        if row.received is not None and row.expected is None and row.received.kind in DROPOUTS
    )


def _unproven(
    evidence: NetworkEvidence, proof: NetworkProof, comparison: Comparison | None
) -> Verdict:
    place = evidence.place("builder")
    findings = [
        Finding(
            code=NetworkCode.UNPROVEN,
            severity=Severity.ERROR,
            claim="It could not be shown that the layers of the network compute its output.",
            where=place,
            expected="a network whose output follows from its layers and weights",
            received=_reason(proof) or "outputs that the layers do not explain",
            try_=_unproven_advice(comparison),
        )
    ]
    outcome = Outcome.FAILED
    if evidence.graph_incident is not None:
        outcome = incident_outcome(evidence.graph_incident)
        findings.append(incident_finding(evidence.graph_incident, place))
    if comparison is not None:
        findings.extend(unused_findings(comparison.form.unused, place))
        if _own_kinds(comparison):
            findings.extend(_differences_seen(comparison, places_of(evidence, comparison.form)))
    return Verdict(outcome=outcome, fraction=0.0, findings=tuple(findings))


def _own_kinds(comparison: Comparison) -> tuple[str, ...]:
    """What the student's own layers are called, each once."""
    own = (layer.kind for layer in comparison.form.layers if layer.is_custom)
    return tuple(dict.fromkeys(kind.removesuffix(" (custom)") for kind in own))[:_MAX_KINDS]


def _unproven_advice(comparison: Comparison | None) -> str:
    own = [] if comparison is None else [f"`{kind}`" for kind in _own_kinds(comparison)]
    if own and own != [f"`{_OWN_CODE}`"]:
        return (
            f"Use Keras' own layers instead of {', '.join(own)}: each layer is then judged by "
            "itself, and those that are right earn their points."
        )
    return (
        "Build the network from Keras' own layers, and let nothing but them compute the output: "
        "`model = keras.Sequential([…])`, then `return model`."
    )


def _differences_seen(comparison: Comparison, places: Places) -> tuple[Finding, ...]:
    """What differs as far as the code tells of itself; notes, because it is not proven."""
    return tuple(
        finding.model_copy(update={"severity": Severity.NOTE})
        for finding in layer_findings(comparison, places)
        if finding.code != NetworkCode.UNKNOWN_LAYER
    )


def _reason(proof: NetworkProof) -> str:
    """Why there is no proof, in words for the student."""
    reason = clean_line(proof.reason).replace(_NOT_PLAIN, _NOT_PLAIN_TOLD)
    # Code that is nothing known stands in the graph as a node of this kind.
    code, separator, rest = reason.partition(f"{_OWN_CODE} is ")
    return f"{_OWN_CODE} of your own is {rest}" if separator and not code else reason


def _bounded(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    if len(findings) <= MAX_FINDINGS:
        return findings
    left_out = len(findings) - MAX_FINDINGS + 1
    further = Finding(
        code=NetworkCode.FURTHER,
        severity=Severity.ERROR,
        claim=f"There are {left_out} further findings about this network.",
        where=findings[0].where,
        try_="Mend those above first, and grade again.",
    )
    return (*findings[: MAX_FINDINGS - 1], further)
