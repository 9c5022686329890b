"""The level a batch runs at, for every combination of wish, need and machine."""

from __future__ import annotations

import pytest

from grader.cli.isolation import choose, decide
from grader.errors import GraderFault
from grader.records.spec import Isolation
from grader.sandbox.probing import Offer

FULL, RESTRICTED, PROCESS = Isolation.FULL, Isolation.RESTRICTED, Isolation.PROCESS
REFUSED = {FULL: "a user namespace: not permitted", RESTRICTED: "Landlock: not there"}


def _offer(level: Isolation) -> Offer:
    order = list(Isolation)
    return Offer(level, {k: v for k, v in REFUSED.items() if order.index(k) > order.index(level)})


@pytest.mark.parametrize(
    ("asked", "required", "has", "level"),
    [
        (None, PROCESS, FULL, FULL),
        (None, PROCESS, RESTRICTED, RESTRICTED),
        (None, FULL, FULL, FULL),
        (RESTRICTED, PROCESS, FULL, RESTRICTED),
        (PROCESS, PROCESS, FULL, PROCESS),
        (PROCESS, PROCESS, PROCESS, PROCESS),
        (FULL, RESTRICTED, FULL, FULL),
    ],
)
def test_level_that_is_chosen(
    asked: Isolation | None, required: Isolation, has: Isolation, level: Isolation
) -> None:
    assert choose(asked, required, _offer(has)) is level


@pytest.mark.parametrize(
    ("asked", "required", "has", "says"),
    [
        (None, PROCESS, PROCESS, "--isolation process"),
        (FULL, PROCESS, RESTRICTED, "a user namespace: not permitted"),
        (FULL, PROCESS, PROCESS, "a user namespace: not permitted"),
        (None, FULL, RESTRICTED, "requires full isolation"),
        (RESTRICTED, FULL, FULL, "requires full isolation"),
        (PROCESS, RESTRICTED, FULL, "requires restricted isolation"),
    ],
)
def test_less_than_what_is_needed_is_refused_and_told(
    asked: Isolation | None, required: Isolation, has: Isolation, says: str
) -> None:
    with pytest.raises(GraderFault, match=says) as refused:
        choose(asked, required, _offer(has))
    assert "grader doctor" in str(refused.value)


def test_machine_is_asked() -> None:
    assert decide("process", PROCESS) is PROCESS
