"""A trap that is set, as it stands around an attack."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from grader.selftest.trap import Trap


@pytest.fixture
def trap() -> Iterator[Trap]:
    with Trap() as made:
        made.set(os.geteuid())
        yield made
