from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grader.intake.discovery import Source, take_in
from grader.records.spec import Assignment
from grader.records.submission import Submission

Tree = Mapping[str, str | bytes]


@pytest.fixture
def assignment() -> Assignment:
    """Asks for agent.py and network.py."""
    part = {"kind": "any", "checks": {"interface": {"title": "c", "points": 1}}}
    return Assignment.parse(
        {
            "id": "course",
            "title": "A course",
            "seeds": {"public": [1], "final": [2]},
            "parts": {
                "agent": {**part, "title": "An agent", "file": "agent.py"},
                "network": {**part, "title": "A network", "file": "network.py"},
            },
        }
    )


@pytest.fixture
def plant(tmp_path: Path) -> Callable[[Tree], Path]:
    """Writes files below the test's folder and returns that folder."""

    def planted(tree: Tree) -> Path:
        for name, content in tree.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return planted


@pytest.fixture
def taken(assignment: Assignment) -> Callable[[Path], Submission]:
    """Takes in what lies at a path."""

    def take(path: Path) -> Submission:
        return take_in(Source("someone", path), assignment)

    return take
