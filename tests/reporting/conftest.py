from collections.abc import Callable
from types import ModuleType

import pytest

from grader.reporting import class_page, score_report


@pytest.fixture(scope="session")
def parsed(load_module: Callable[[str], ModuleType]) -> Callable[[str], object]:
    """Reads a page: its text, ids, links and attributes."""
    parse: Callable[[str], object] = load_module("reporting/markup.py").Markup
    return parse


@pytest.fixture
def explained(samples: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the catalogue by two entries with known words."""
    for module in (score_report, class_page):
        monkeypatch.setattr(module, "catalogue", lambda: samples.CATALOGUE)
