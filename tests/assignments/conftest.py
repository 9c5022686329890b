from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.assignments import registry
from grader.assignments.registry import (
    CHECKS_GROUP,
    PROBES_GROUP,
    CheckKind,
    JudgeInput,
    NoSettings,
    ProbeKind,
    Role,
)
from grader.records.agent_settings import AgentSettings, PerformanceSettings
from grader.records.base import Record
from grader.records.evidence import PartEvidence
from grader.records.network_settings import ArchitectureSettings, NetworkSettings
from grader.records.result import Outcome, Verdict


@dataclass(frozen=True)
class Installed:
    """An entry point of a plugin made for a test."""

    value: str
    loaded: Any

    def load(self) -> Any:
        return self.loaded


def never_collected(*_: Any) -> PartEvidence:
    raise AssertionError("loading an assignment runs nothing")


def judge(_: JudgeInput) -> Verdict:
    return Verdict(outcome=Outcome.PASSED, fraction=1.0)


def probe(
    name: str, roles: tuple[Role, ...], settings: type[Record], *, uses_baseline: bool = False
) -> ProbeKind:
    return ProbeKind(
        id=name,
        roles=roles,
        settings=settings,
        evidence=PartEvidence,
        collect=never_collected,
        uses_baseline=uses_baseline,
    )


def checks(part_kind: str, **settings: type[Record]) -> tuple[CheckKind, ...]:
    return tuple(
        CheckKind(id=f"{part_kind}.{name}", settings=model, judge=judge, description=name)
        for name, model in settings.items()
    )


PROBES = {
    "network": probe(
        "network", (Role("builder", "function", ("create_q_model",)),), NetworkSettings
    ),
    "agent": probe(
        "agent",
        (
            Role("agent_class", "class", ("DQNAgent",)),
            Role("act", "method", ("act",), owner="agent_class"),
        ),
        AgentSettings,
        uses_baseline=True,
    ),
    "plain": probe("plain", (Role("function", "function", ()),), NoSettings),
}
CHECKS = {
    "network": checks("network", interface=NoSettings, architecture=ArchitectureSettings),
    "agent": checks("agent", interface=NoSettings, performance=PerformanceSettings),
    "plain": checks("plain", interface=NoSettings, values=NoSettings),
}


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three kinds of part, installed as plugins are."""
    groups: dict[str, dict[str, Any]] = {PROBES_GROUP: PROBES, CHECKS_GROUP: CHECKS}

    def entries(group: str) -> dict[str, Installed]:
        return {name: Installed(name, loaded) for name, loaded in groups[group].items()}

    registry.probe_kind.cache_clear()
    registry.check_kinds.cache_clear()
    monkeypatch.setattr(registry, "_entries", entries)
    yield
    registry.probe_kind.cache_clear()
    registry.check_kinds.cache_clear()


GOOD = """\
id = "course"
title = "A course"

[seeds]
public = [1, 2]
final = [3, 4, 5]

[parts.network]
title = "A network"
kind = "network"
file = "network.py"

[parts.network.settings]
input_shapes = [[8, 8, 1]]
num_actions = [4]

[[parts.network.settings.layers]]
layer = "Conv2D"
filters = 8
kernel_size = [3, 3]

[[parts.network.settings.layers]]
layer = "Dense"
units = "num_actions"

[parts.network.checks.interface]
title = "It can be built"
points = 1

[parts.network.checks.architecture]
title = "Its layers"
points = 3
requires = ["network.interface"]

[parts.agent]
title = "An agent"
kind = "agent"
file = "agent.py"

[parts.agent.settings]
environment_id = "CartPole-v1"

[parts.agent.checks.performance]
title = "It plays"
points = 4
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes the good assignment with some texts replaced, and returns its path."""

    def written(*changes: tuple[str, str]) -> Path:
        text = GOOD
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} must stand once"
            text = text.replace(old, new)
        path = tmp_path / "assignment.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written
