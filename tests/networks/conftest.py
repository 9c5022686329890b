"""Networks written as text are built in a real worker, proven by the inspector, and judged."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from grader.assignments.registry import JudgeInput, probe_kind, settings_of
from grader.checks.architecture.judge import judge_architecture
from grader.checks.network_interface import judge_interface
from grader.probes.context import ProbeContext
from grader.records.network_evidence import NetworkEvidence
from grader.records.network_settings import ArchitectureSettings, NetworkSettings
from grader.records.report import SeedSet
from grader.records.result import Verdict
from grader.records.spec import CheckSpec, Limits, PartSpec
from grader.records.submission import Submission, SubmittedFile
from grader.sandbox.server import ForkServer
from grader.sandbox.worker import Worker

HEAD = """
import keras
import numpy as np
import tensorflow as tf
from keras import Input, Model, Sequential, layers, ops

"""
LIMITS = Limits(call_wall_s=30, call_cpu_s=20, part_wall_s=900, part_cpu_s=600)


@dataclass(frozen=True)
class Examined:
    """What came of one network."""

    evidence: NetworkEvidence
    interface: Verdict
    verdict: Verdict

    @property
    def codes(self) -> list[str]:
        """Codes of the findings about its layers."""
        return [str(finding.code) for finding in self.verdict.findings]


@dataclass(frozen=True)
class _OneWorker(ProbeContext):
    """A context whose probes share one worker; starting one takes longer than a small network."""

    shared: Worker | None = None

    @contextmanager
    def worker(self, entropy: int) -> Iterator[Worker]:  # noqa: ARG002  it was drawn before
        assert self.shared is not None
        self.usage.confined(self.shared.isolation)
        self.shared.put_files(tuple((file.path, file.content) for file in self.submission.files))
        yield self.shared


def source_of(body: str, arguments: dict[str, Any]) -> str:
    """A file whose builder has this body, unless the text is a whole file already."""
    body = textwrap.dedent(body).strip()
    if "def create_q_model" in body:
        return HEAD + body
    return f"{HEAD}def create_q_model({', '.join(arguments)}):\n{textwrap.indent(body, '    ')}\n"


class Workbench:
    """Examines networks, many in one worker."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._worker: Worker | None = None
        self._number = 0

    def examine(self, settings: dict[str, Any], body: str, *, fresh: bool = False) -> Examined:
        """Builds, proves and judges one network.

        Args:
            settings: of the part.
            body: of the builder, or a whole file with `create_q_model`.
            fresh: whether it gets a worker of its own.
        """
        self._number += 1
        probe, file = probe_kind("network"), f"network_{self._number}.py"
        read: NetworkSettings = settings_of(probe.settings, settings)
        text = source_of(body, read.builder_arguments[0])
        context = ProbeContext(
            part_id="network",
            part=PartSpec.parse(
                {"title": "Network", "kind": "network", "file": file,
                 "checks": {"interface": {"title": "Interface", "points": 1}}}
            ),
            kind=probe,
            settings=read,
            limits=LIMITS,
            submission=Submission(
                id="student", files=(SubmittedFile(path=file, content=text.encode()),)
            ),
            source=self._server,
            seed_set=SeedSet.PUBLIC,
            seeds=(1,),
        )  # fmt: skip
        if not fresh:
            if self._worker is None or self._worker.ended:
                self.close()
                self._worker = self._server.student(LIMITS, 1)
            context = _OneWorker(
                **{name: getattr(context, name) for name in ProbeContext.__dataclass_fields__},
                shared=self._worker,
            )
        evidence: NetworkEvidence = probe.collect(context)  # type: ignore[assignment]
        given = JudgeInput(
            part_id="network",
            part=context.part,
            check=CheckSpec(title="Layers", points=12),
            part_settings=read,
            settings=ArchitectureSettings(),
            evidence=evidence,
        )
        return Examined(
            evidence, judge_interface(replace(given, settings=None)), judge_architecture(given)
        )

    def close(self) -> None:
        """Ends the worker, if there is one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


@pytest.fixture(scope="module")
def workbench(fork_server: ForkServer) -> Iterator[Callable[..., Examined]]:
    """Returns `examine(settings, body, fresh=False)`."""
    bench = Workbench(fork_server)
    yield bench.examine
    bench.close()
