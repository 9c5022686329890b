import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

WEEK13 = Path(__file__).parents[2] / "reference" / "week13"


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    """Returns a function that loads a file of the model solution under a name of its own."""
    loaded: dict[str, ModuleType] = {}

    def load_once(name: str) -> ModuleType:
        if name not in loaded:
            qualified = f"reference_week13_{name}"
            spec = importlib.util.spec_from_file_location(qualified, WEEK13 / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            # Dataclasses look their module up while it is being executed.
            sys.modules[qualified] = module
            # Compiled files beside the sources would become part of the submission.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "dont_write_bytecode", True)
                spec.loader.exec_module(module)
            loaded[name] = module
        return loaded[name]

    return load_once


@pytest.fixture
def train_agent(load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Returns the training script, which imports its neighbours by their bare names."""
    for neighbour in ("agent", "training"):
        monkeypatch.setitem(sys.modules, neighbour, load(neighbour))
    return load("train_agent")
