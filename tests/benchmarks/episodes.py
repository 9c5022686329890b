"""Measures what playing episodes costs: the boundary, `Model.predict`, lock-step, several jobs.

Run with `python tests/benchmarks/episodes.py [--steps 2000] [--seeds 20]`; nothing else should run.
Prints one table. Every pair of measurements must have played the same episodes; otherwise the
benchmark ends with 1.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from grader.assignments.registry import probe_kind, settings_of
from grader.episodes.lanes import SpareJobs
from grader.probes.agent import play_all
from grader.probes.context import ProbeContext
from grader.records.agent_evidence import AgentEvidence
from grader.records.agent_requests import Prepare
from grader.records.messages import Filled, ImportFile, Invoke, PreparedCall, Resolve
from grader.records.report import SeedSet
from grader.records.spec import Limits, PartSpec
from grader.records.submission import Submission, SubmittedFile
from grader.sandbox.server import ForkServer

LIMITS: Final = Limits(call_wall_s=600, call_cpu_s=300, part_wall_s=7200, part_cpu_s=3600)
PLAIN: Final = """
    class DQNAgent:
        def act(self, observation):
            return 1
"""
KERAS: Final = """
    import keras, numpy as np

    class DQNAgent:
        def __init__(self):
            self.model = keras.Sequential([
                keras.Input((4,)), keras.layers.Dense(64, 'relu'), keras.layers.Dense(64, 'relu'),
                keras.layers.Dense(2),
            ])

        def lean(self, observations):
            return observations[:, 2] + 0.3 * observations[:, 3]

        def act(self, observation):
            values = self.model.{method}(observation[None]{quiet})
            assert np.isfinite(np.asarray(values)).all()
            return int(self.lean(observation[None])[0] > 0)

        def {batch}(self, observations):
            values = self.model.{method}(observations{quiet})
            assert np.isfinite(np.asarray(values)).all()
            return (self.lean(observations) > 0).astype(int)
"""


@dataclass
class Table:
    """What was measured."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    same: bool = True

    def add(self, what: str, value: str) -> None:
        """Adds a line and shows it at once."""
        self.rows.append((what, value))
        print(f"| {what:70} | {value:>28} |", flush=True)


def agent(source: str, **words: str) -> str:
    """The text of an agent."""
    return textwrap.dedent(source).format(**words) if words else textwrap.dedent(source)


def context(
    server: ForkServer, source: str, seeds: Sequence[int], jobs: int = 1, **settings: Any
) -> ProbeContext:
    """A part that plays CartPole."""
    kind = probe_kind("agent")
    part = PartSpec.parse(
        {
            "title": "Agent", "kind": "agent", "file": "agent.py",
            "checks": {"interface": {"title": "Interface", "points": 1}},
        }
    )  # fmt: skip
    file = SubmittedFile(path="agent.py", content=source.encode())
    return ProbeContext(
        part_id="agent", part=part, kind=kind,
        settings=settings_of(kind.settings, {"environment_id": "CartPole-v1", **settings}),
        limits=LIMITS, submission=Submission(id="bench", files=(file,)), source=server,
        seed_set=SeedSet.PUBLIC, seeds=tuple(seeds), spare=SpareJobs(jobs - 1), films=False,
    )  # fmt: skip


def timed(make: Callable[[], AgentEvidence]) -> tuple[float, AgentEvidence]:
    """Seconds, and what was played."""
    begun = time.perf_counter()
    evidence = make()
    return time.perf_counter() - begun, evidence


def steps_of(evidence: AgentEvidence) -> int:
    """Steps of all episodes."""
    return sum(len(episode.actions) for episode in evidence.episodes)


def boundary(table: Table, server: ForkServer, steps: int) -> None:
    """Microseconds that the process boundary adds to a step."""
    space: dict[str, Any] = {}
    exec(agent(PLAIN), space)
    own = space["DQNAgent"]()
    call = PreparedCall("agent", "act", "observation")
    with server.student(LIMITS, 1) as worker:
        worker.put_files((("agent.py", agent(PLAIN).encode()),))
        worker.ask(ImportFile(file="agent.py"), "importing")
        for role, what, owner in (("DQNAgent", "class", None), ("act", "method", "DQNAgent")):
            worker.ask(Resolve(role=role, what=what, names=(role,), owner=owner), "looking")
        worker.ask(Invoke(target="DQNAgent", keep="agent"), "making")
        for name, seen in (
            ("4 floats (CartPole)", np.zeros(4, np.float32)),
            ("84×84×4 bytes (frames)", np.zeros((84, 84, 4), np.uint8)),
        ):
            begun = time.perf_counter()
            for _ in range(steps):
                own.act(seen)
            inside_us = (time.perf_counter() - begun) / steps * 1e6
            begun, cpu_s, worker_s = time.perf_counter(), time.process_time(), worker.cpu_s
            for step in range(steps):
                worker.ask(Filled(call, seen), f"calling act (step {step})")
            added_us = (time.perf_counter() - begun) / steps * 1e6 - inside_us
            own_us = (time.process_time() - cpu_s) / steps * 1e6
            worker_us = (worker.cpu_s - worker_s) / steps * 1e6
            table.add(f"boundary, {name}: added to a step", f"{added_us:.0f} µs")
            table.add(
                "  of it processor time, grader + worker", f"{own_us:.0f} + {worker_us:.0f} µs"
            )


def predict(table: Table, server: ForkServer, steps: int) -> None:
    """Milliseconds of an agent that calls `Model.predict` at every step."""
    source = agent(KERAS, method="predict", quiet=", verbose=0", batch="unused")
    call = PreparedCall("agent", "act", "observation")
    took: dict[bool, float] = {}
    for fast in (False, True):
        with server.student(LIMITS, 1) as worker:
            worker.ask(Prepare(fast_predict=fast), "getting ready")
            worker.put_files((("agent.py", source.encode()),))
            worker.ask(ImportFile(file="agent.py"), "importing")
            for role, what, owner in (("DQNAgent", "class", None), ("act", "method", "DQNAgent")):
                worker.ask(Resolve(role=role, what=what, names=(role,), owner=owner), "looking")
            worker.ask(Invoke(target="DQNAgent", keep="agent"), "making")
            seen = np.zeros(4, np.float32)
            worker.ask(Filled(call, seen), "compiling")
            count = steps if fast else max(20, steps // 20)
            begun, cpu_s = time.perf_counter(), worker.cpu_s
            for step in range(count):
                worker.ask(Filled(call, seen), f"calling act (step {step})")
            took[fast] = worker.cpu_s - cpu_s
            wall_ms = (time.perf_counter() - begun) / count * 1e3
            took[fast] /= count
            name = "with the fast path" if fast else "as Keras does it"
            table.add(
                f"Model.predict at every step, {name}: wall, processor",
                f"{wall_ms:.2f}, {took[fast] * 1e3:.2f} ms",
            )
    table.add("  gain in processor time", f"{took[False] / took[True]:.0f}×")


def lock_step(table: Table, server: ForkServer, seeds: Sequence[int]) -> None:
    """A Keras agent one by one, and in lock-step."""
    words = {"method": "predict_on_batch", "quiet": ""}
    played: list[AgentEvidence] = []
    took: list[float] = []
    for name, batch in (("one by one", "unused"), ("in lock-step", "act_batch")):
        source = agent(KERAS, batch=batch, **words)
        seconds, evidence = timed(lambda text=source: play_all(context(server, text, seeds)))
        played.append(evidence)
        took.append(seconds)
        table.add(
            f"Keras agent, {len(seeds)} CartPole seeds, {steps_of(evidence)} steps, {name}",
            f"{seconds:.2f} s",
        )
    table.add("  gain", f"{took[0] / took[1]:.1f}×")
    table.same &= played[0].episodes == played[1].episodes


def jobs(table: Table, server: ForkServer, seeds: Sequence[int]) -> None:
    """A Keras agent on one job, and on two."""
    source = agent(KERAS, method="predict_on_batch", quiet="", batch="unused")
    played: list[AgentEvidence] = []
    took: list[float] = []
    for count in (1, 2):
        seconds, evidence = timed(lambda n=count: play_all(context(server, source, seeds, n)))
        played.append(evidence)
        took.append(seconds)
        table.add(f"Keras agent, {len(seeds)} episodes, {count} job(s)", f"{seconds:.2f} s")
    table.add("  gain", f"{took[0] / took[1]:.2f}×")
    table.same &= played[0].episodes == played[1].episodes


def main() -> int:
    """Measures everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    seeds = range(1, options.seeds + 1)
    table = Table()
    server = ForkServer()
    try:
        server.wait_ready()
        boundary(table, server, options.steps)
        predict(table, server, options.steps)
        lock_step(table, server, seeds)
        jobs(table, server, seeds)
    finally:
        server.close()
    print("same episodes in every pair" if table.same else "episodes DIFFER")
    return 0 if table.same else 1


if __name__ == "__main__":
    sys.exit(main())
