"""The software's digests change with what it would do, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.pipeline.software import software, sources


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name in ("probes/agent.py", "checks/agent.py", "cli/main.py", "worker/server.py",
                 "records/catalogue/ag.toml", "assignments/builtin/week13/assignment.toml",
                 "worker/__pycache__/server.cpython-311.pyc", ".cache/x.py"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_what_cannot_change_a_report_does_not_count(package: Path) -> None:
    assert sorted(sources(package)) == [
        "checks/agent.py", "probes/agent.py", "records/catalogue/ag.toml", "worker/server.py",
    ]  # fmt: skip
    assert sorted(sources(package, ("checks/",))) == [
        "probes/agent.py", "records/catalogue/ag.toml", "worker/server.py",
    ]  # fmt: skip


def test_each_byte_counts(package: Path) -> None:
    before = sources(package)
    (package / "worker" / "server.py").write_text("worker/Server.py")
    after = sources(package)
    assert [name for name in before if before[name] != after[name]] == ["worker/server.py"]


def test_running_and_judging_are_told_apart() -> None:
    found = software()
    assert found.running != found.judging
    assert found == software()
