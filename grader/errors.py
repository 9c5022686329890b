"""The three ways a probe can end badly, kept apart because each falls to someone else.

`StudentError` and `LimitHit` become findings in the student's report. `GraderFault` withholds the
mark: it means that this program or this machine failed, and nobody loses points for that.
"""

from __future__ import annotations


class GraderError(Exception):
    """Base of all errors this package raises on purpose."""


class UsageError(GraderError):
    """The command was called with something it cannot use; the caller must act (exit code 2)."""


class AssignmentError(UsageError):
    """An assignment file is wrong; its author must act.

    Attributes:
        problems: one readable line for each problem, all of them and not the first.
    """

    def __init__(self, source: str, problems: tuple[str, ...]) -> None:
        self.source = source
        self.problems = problems
        super().__init__(f"{source}: {len(problems)} problem(s)\n" + "\n".join(problems))


class SubmissionRefused(GraderError):
    """A submission cannot be taken in as it is (a hostile or broken archive); its author must act.

    Attributes:
        reason: what was found, one sentence.
        advice: what to hand in instead, one sentence.
    """

    def __init__(self, reason: str, advice: str) -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(f"{reason} {advice}")


class GraderFault(GraderError):
    """The grader or the machine failed; its operator must act and the mark is withheld."""
