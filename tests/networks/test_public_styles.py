"""Deep Q-Networks in the styles in which they are found, judged by what week 13 asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from grader.checks.network_codes import NetworkCode
from grader.records.result import Outcome, Verdict
from grader.records.spec import Assignment

STYLES: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "public_styles.toml").read_text("utf-8")
)
WEEK_13 = Assignment.parse(
    tomllib.loads(
        (files("grader.assignments") / "builtin" / "week13" / "assignment.toml").read_text("utf-8")
    )
)
SETTINGS = WEEK_13.parts["network"].settings
WEIGHT, LAYERS = 5.5, 6


def told(verdict: Verdict) -> list[str]:
    """Codes of the findings in words, where they are about networks."""
    known = {str(code): code.name for code in NetworkCode}
    # What is wrong with both calls of the builder is told for both.
    codes = dict.fromkeys(str(finding.code) for finding in verdict.findings)
    if verdict.outcome is not Outcome.FAILED:
        return [known.get(str(finding.code), str(finding.code)) for finding in verdict.findings]
    return [known.get(code, code) for code in codes]


@pytest.mark.parametrize("name", STYLES)
def test_a_network_is_judged_as_a_teacher_would(workbench: Callable[..., Any], name: str) -> None:
    style = STYLES[name]
    examined = workbench(SETTINGS, style["network"], fresh=style.get("fresh", False))
    lost = style.get("lost", 0.0) + style.get("extra", 0.0) * WEIGHT / LAYERS
    assert told(examined.verdict) == style.get("codes", [])
    assert examined.verdict.fraction == pytest.approx(1 - lost / WEIGHT)
    interface = style.get("interface", {"codes": [], "fraction": 1.0})
    assert told(examined.interface) == interface["codes"]
    assert examined.interface.fraction == interface["fraction"]
