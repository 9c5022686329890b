"""Which isolation a batch runs at: what was asked for, what the machine has, what must be."""

from __future__ import annotations

from typing import Final

from grader.errors import GraderFault
from grader.records.barriers import strength
from grader.records.spec import Isolation
from grader.sandbox.probing import Offer, offered

_DOCTOR: Final = "`grader doctor` tells what is missing on this machine and what to do about it."


def decide(asked: str | None, required: Isolation) -> Isolation:
    """The level to grade at.

    Args:
        asked: the level given on the command line, if any.
        required: the least that the assignment accepts.

    Raises:
        GraderFault: it is not to be had, or is less than it must be; the operator must act.
    """
    return choose(None if asked is None else Isolation(asked), required, offered())


def choose(asked: Isolation | None, required: Isolation, offer: Offer) -> Isolation:
    """As `decide`, for what a machine was found to offer.

    Raises:
        GraderFault: see `decide`.
    """
    level = offer.isolation if asked is None else asked
    if strength(level) > strength(offer.isolation):
        reason = offer.refused.get(level, "it is not to be had here")
        raise GraderFault(f"{level} isolation was asked for: {reason}. {_DOCTOR}")
    if strength(level) < strength(required):
        why = f" ({offer.refused[required]})" if required in offer.refused else ""
        raise GraderFault(
            f"the assignment requires {required} isolation, and {level} is what there is{why}. "
            f"Nothing was graded. {_DOCTOR}"
        )
    if asked is None and level is Isolation.PROCESS:
        reasons = "; ".join(f"{stronger}: {why}" for stronger, why in offer.refused.items())
        raise GraderFault(
            "this machine could not keep student code from its files and its network "
            f"({reasons}). Nothing was graded. {_DOCTOR} For code that you trust, add "
            "`--isolation process`."
        )
    return level
