import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from grader.reporting import class_page, score_report


def load_beside(file: str) -> ModuleType:
    """A module of this folder, which is no package, under a name of its own."""
    name = f"report_{file}"
    if name not in sys.modules:
        path = Path(__file__).with_name(f"{file}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """Reports of every kind, in `samples.py`."""
    return load_beside("samples")


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], object]:
    """Reads a page: its text, ids, links and attributes."""
    parse: Callable[[str], object] = load_beside("markup").Markup
    return parse


@pytest.fixture
def explained(samples: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the catalogue by two entries with known words."""
    for module in (score_report, class_page):
        monkeypatch.setattr(module, "catalogue", lambda: samples.CATALOGUE)
