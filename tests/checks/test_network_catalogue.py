from __future__ import annotations

import pytest

from grader.checks.network_codes import NetworkCode
from grader.records.catalogue import catalogue


@pytest.mark.parametrize("code", NetworkCode)
def test_every_code_is_explained(code: NetworkCode) -> None:
    assert code in catalogue()


def test_nothing_is_explained_that_is_never_said() -> None:
    assert {code for code in catalogue() if code.startswith("NW")} == set(NetworkCode)
