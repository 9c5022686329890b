"""Finds the rule for an exception: the first that fits, from the particular to the general."""

from __future__ import annotations

from typing import Final

from grader.checks.advice.keras_errors import KERAS_ERRORS
from grader.checks.advice.python_errors import IMPORTS, RUNNING, SOURCE
from grader.checks.advice.relics import RELICS
from grader.checks.advice.rules import Rule
from grader.records.incident import Incident, IncidentKind

RULES: Final[tuple[Rule, ...]] = (*IMPORTS, *SOURCE, *RELICS, *KERAS_ERRORS, *RUNNING)
"""All rules, in the order in which they are tried."""


def matching_rule(incident: Incident) -> Rule | None:
    """The rule that an exception fits; None where it cannot be attributed, and for other ends."""
    if incident.kind is not IncidentKind.RAISED:
        return None
    return next((each for each in RULES if each.fits(incident)), None)
