"""Files written inline become a submission; a real worker runs it; the probe's evidence returns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from grader.assignments.registry import probe_kind, settings_of
from grader.probes.context import ProbeContext
from grader.records.evidence import PartEvidence
from grader.records.report import SeedSet
from grader.records.spec import Limits, PartSpec
from grader.records.submission import Submission, SubmittedFile
from grader.sandbox.server import ForkServer

Contexts = Callable[..., ProbeContext]
Probe = Callable[..., Any]

FILE = "work.py"
LIMITS = Limits(call_wall_s=20, call_cpu_s=10, part_wall_s=120, part_cpu_s=60)


@pytest.fixture(scope="session")
def contexts(fork_server: ForkServer) -> Contexts:
    """Makes the context of one part, with what was handed in for it."""

    def make(
        kind: str,
        source: str | bytes | None,
        *,
        settings: dict[str, Any] | None = None,
        names: dict[str, tuple[str, ...]] | None = None,
        limits: Limits = LIMITS,
        seeds: tuple[int, ...] = (1, 2),
        seed_set: SeedSet = SeedSet.PUBLIC,
        more: dict[str, bytes] | None = None,
        films: bool = False,
    ) -> ProbeContext:
        content = {} if source is None else {FILE: source}
        files = tuple(
            SubmittedFile(
                path=path,
                content=data if isinstance(data, bytes) else textwrap.dedent(data).encode(),
            )
            for path, data in sorted({**content, **(more or {})}.items())
        )
        probe = probe_kind(kind)
        return ProbeContext(
            part_id="part",
            part=PartSpec.parse(
                {
                    "title": "Part", "kind": kind, "file": FILE, "names": names or {},
                    "checks": {"interface": {"title": "Interface", "points": 1}},
                }
            ),
            kind=probe,
            settings=settings_of(probe.settings, settings or {}),
            limits=limits,
            submission=Submission(id="alice", files=files),
            source=fork_server,
            seed_set=seed_set,
            seeds=seeds,
            films=films,
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def probe(contexts: Contexts) -> Probe:
    """Collects the evidence of one part."""

    def collect(kind: str, source: str | bytes | None, **options: Any) -> PartEvidence:
        context = contexts(kind, source, **options)
        return context.kind.collect(context)

    return collect
