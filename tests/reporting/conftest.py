import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from grader.reporting import class_page, score_report


def load_samples() -> ModuleType:
    name = "report_samples"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("samples.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """Reports of every kind, in `samples.py`."""
    return load_samples()


@pytest.fixture
def explained(samples: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the catalogue by two entries with known words."""
    for module in (score_report, class_page):
        monkeypatch.setattr(module, "catalogue", lambda: samples.CATALOGUE)
