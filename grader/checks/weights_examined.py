"""What the judges of weights and gradients begin with: was there a network to look into?"""

from __future__ import annotations

from collections.abc import Sized

from grader.checks.incidents import incident_verdict
from grader.checks.interface import graded, interface_verdict
from grader.errors import GraderFault
from grader.records.network_evidence import NetworkEvidence
from grader.records.result import Verdict


def unexamined(evidence: NetworkEvidence, found: Sized | None) -> Verdict | None:
    """The verdict when there is nothing to judge; None when there is.

    Args:
        evidence: of the network.
        found: what should have been recorded.

    Raises:
        GraderFault: there is a network, and nothing was recorded although nothing went wrong; the
            author of the assignment must act.
    """
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    incidents = [build.incident for build in evidence.builds[:1]] + [evidence.graph_incident]
    for incident in incidents:
        if incident is not None:
            return incident_verdict(incident)
    if evidence.graph is None:
        return graded(0.0, ())  # no model came back; the interface says so
    if not found:
        if not any(node.parameters for node in evidence.graph.nodes):
            return graded(0.0, ())  # nothing in it can be trained
        raise GraderFault("weights were not recorded; set `examine_weights = true` for the part")
    return None
