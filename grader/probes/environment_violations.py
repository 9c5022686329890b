"""Broken rules as they are gathered while an environment is tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from grader.records.environment_evidence import EnvironmentRule, Violation
from grader.records.incident import Incident, LimitName
from grader.records.text import clean_line
from grader.records.wire import describe
from grader.sandbox.incident import WorkerIncident

_RECEIVED_CHARS: Final = 400
PART_LIMITS: Final = frozenset({LimitName.PART_WALL, LimitName.PART_CPU})
"""Limits of all that is tried together: which call they hit says nothing of that call."""


def raised_text(incident: Incident) -> str:
    """An exception as Python prints it."""
    return ": ".join(part for part in (incident.error_type, incident.message) if part)


@dataclass
class Violations:
    """Broken rules: the first time in detail, then counted."""

    _found: dict[tuple[EnvironmentRule, str], Violation] = field(default_factory=dict)

    def add(
        self,
        rule: EnvironmentRule,
        *,
        expected: str = "",
        received: object = "",
        at: str = "",
        line: int | None = None,
        incident: Incident | None = None,
        variant: str = "",
    ) -> None:
        """Notes a broken rule.

        Args:
            rule: which.
            expected: what should have come.
            received: the text or value that came, or a function that makes the text.
            at: such as `step 3 after reset(seed=11)`.
            line: of the part's file, where one is known.
            incident: how the code ended, if it did.
            variant: keeps different violations of one rule apart.
        """
        before = self._found.get((rule, variant))
        if before is not None:
            self._found[rule, variant] = before.model_copy(update={"count": before.count + 1})
            return
        value = received() if callable(received) else received
        text = value if isinstance(value, str) else describe(value)
        self._found[rule, variant] = Violation(
            rule=rule,
            expected=clean_line(expected, _RECEIVED_CHARS),
            received=clean_line(text, _RECEIVED_CHARS),
            at=at,
            line=line,
            incident=incident,
        )

    def raised(
        self, rule: EnvironmentRule, error: WorkerIncident, *, expected: str, at: str,
        variant: str = "",
    ) -> None:  # fmt: skip
        """Notes a rule that was broken by an exception, or by the end of the process.

        Args:
            rule: which.
            error: what came instead of an answer.
            expected: what should have come.
            at: the call as the student reads it.
            variant: keeps different violations of one rule apart.
        """
        if error.incident.limit in PART_LIMITS:
            return
        self.add(
            rule, expected=expected, received=raised_text(error.incident), at=at,
            incident=error.incident,
            variant=f"{variant} {error.incident.kind}" if error.final else variant,
        )  # fmt: skip

    def broken(self) -> frozenset[EnvironmentRule]:
        """The rules that were broken."""
        return frozenset(rule for rule, _ in self._found)

    def tell(self, incident: Incident) -> bool:
        """Whether an incident stands in one of the violations."""
        return any(violation.incident == incident for violation in self._found.values())

    def all(self) -> tuple[Violation, ...]:
        """In the order of the rules."""
        order = list(EnvironmentRule)
        return tuple(sorted(self._found.values(), key=lambda item: order.index(item.rule)))
