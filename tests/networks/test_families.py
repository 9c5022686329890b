"""Every family of layers, written in many ways and with one mistake at a time.

The tables in `families/` hold for each family what an assignment asks for, honest networks, and
mistakes, each with its findings and the weight that it costs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.checks.network_codes import NetworkCode
from grader.records.network_evidence import ProofMethod
from grader.records.result import Severity

FAMILIES: dict[str, dict[str, Any]] = {
    f"{path.stem}-{name}": family
    for path in sorted((Path(__file__).parent / "families").glob("*.toml"))
    for name, family in tomllib.loads(path.read_text("utf-8")).items()
}
HALF = {"Flatten", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout"}
"""Layers that weigh half where the assignment gives no weight."""
CASES = [
    pytest.param(family, kind, name, id=f"{family}-{name}")
    for family in FAMILIES
    for kind in ("honest", "mistakes")
    for name in FAMILIES[family].get(kind, {})
]


def settings_of(family: dict[str, Any]) -> dict[str, Any]:
    """The settings of the part, with what most tables have in common filled in."""
    settings = dict(family["asked"])
    if "shape" in settings:
        settings["inputs"] = [{"shapes": [settings.pop("shape")], "range": [-0.9, 0.9]}]
    if "arguments" not in settings:
        settings["num_actions"] = [3]
    return settings


def weights_of(layers: list[dict[str, Any]]) -> list[float]:
    """What each layer that must be there weighs, of an assignment without alternatives."""
    return [
        entry.get("weight", 0.5 if entry["layer"] in HALF else 1.0)
        for entry in layers
        if entry["layer"] not in {"preprocessing", "anything"} and not entry.get("optional")
    ]


def changed(text: str, changes: list[list[str]]) -> str:
    """A text with each of the old strings, which must be there, replaced by a new one."""
    for old, new in changes:
        assert old in text, f"{old!r} does not stand in the network that is changed"
        text = text.replace(old, new, 1)
    return text


def network_of(family: dict[str, Any], case: dict[str, Any] | str) -> str:
    """The text of a case: given as it is, or as changes of an honest network."""
    if isinstance(case, str):
        return case
    if "network" in case:
        return str(case["network"])
    honest = family["honest"]
    return changed(honest[case.get("of", next(iter(honest)))], case["change"])


@pytest.mark.parametrize(("family_name", "kind", "name"), CASES)
def test_a_network_is_told_for_what_it_is(
    workbench: Callable[..., Any], family_name: str, kind: str, name: str
) -> None:
    family = FAMILIES[family_name]
    case = family[kind][name]
    told: dict[str, Any] = case if isinstance(case, dict) else {}
    examined = workbench(settings_of(family), network_of(family, case))
    assert examined.evidence.load is None
    assert [str(trial.incident) for trial in examined.evidence.builds if trial.incident] == []
    assert not examined.evidence.rejected_inputs
    proof = examined.evidence.proof
    assert proof is not None
    assert proof.method is ProofMethod.REBUILT, proof.reason

    weights = family.get("weights") or weights_of(family["asked"]["layers"])
    extra = sum(weights) / len(weights)
    lost = told.get("lost", 0.0) + told.get("extra", 0.0) * extra
    codes = [str(NetworkCode[code]) for code in told.get("codes", [])]
    assert examined.codes == codes
    assert examined.verdict.fraction == pytest.approx(1 - lost / sum(weights))
    if not lost:
        assert all(finding.severity is not Severity.ERROR for finding in examined.verdict.findings)


def test_sharing_a_worker_changes_nothing(workbench: Callable[..., Any]) -> None:
    family = FAMILIES["whole-resnet"]
    settings, network = settings_of(family), family["honest"]["a block of one's own"]
    shared, fresh = workbench(settings, network), workbench(settings, network, fresh=True)
    # Keras numbers the names of layers on.
    names = {"name": ""}
    one, two = (
        [node.model_copy(update=names) for node in examined.evidence.graph.nodes]
        for examined in (shared, fresh)
    )
    assert one == two
    assert shared.evidence.proof.method is fresh.evidence.proof.method is ProofMethod.REBUILT
    assert shared.verdict.fraction == fresh.verdict.fraction == 1.0
