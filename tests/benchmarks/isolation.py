"""Milliseconds that isolation costs per worker, beside none.

    python tests/benchmarks/isolation.py [--workers 100]

Starts a fork server at each level that the machine has, then starts and ends workers at the levels
in turn, so that whatever else the machine does falls on all of them alike. A start lasts from the
request to the worker's first message, before any student code; an end until nothing is left of it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

from grader.errors import GraderFault
from grader.records.spec import Isolation, Limits
from grader.sandbox.server import ForkServer


def _servers() -> dict[Isolation, ForkServer]:
    servers: dict[Isolation, ForkServer] = {}
    for level in Isolation:
        server = ForkServer(level)
        try:
            server.wait_ready()
        except GraderFault as fault:
            print(f"{level}: not to be had here: {fault}")
            server.close()
        else:
            servers[level] = server
    return servers


def _measure(server: ForkServer, seed: int) -> tuple[float, float]:
    begun = time.perf_counter()
    worker = server.student(Limits(), seed)
    ready = time.perf_counter()
    worker.close()
    return (ready - begun) * 1000, (time.perf_counter() - ready) * 1000


def _quantile(values: Sequence[float], share: float) -> float:
    return statistics.quantiles(values, n=100)[round(share * 100) - 1]


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=100)
    arguments = parser.parse_args()
    servers = _servers()
    for server in servers.values():
        _measure(server, 0)
    measured: dict[Isolation, list[tuple[float, float]]] = {level: [] for level in servers}
    for seed in range(arguments.workers):
        for level, server in servers.items():
            measured[level].append(_measure(server, seed))
    for server in servers.values():
        server.close()
    both = {level: [start + end for start, end in pairs] for level, pairs in measured.items()}
    without = statistics.median(both[Isolation.PROCESS])
    print(f"{arguments.workers} workers at each level, milliseconds")
    print(f"{'level':12}{'start':>8}{'end':>8}{'both':>8}{'95 %':>8}{'over process':>14}")
    for level, pairs in measured.items():
        median = statistics.median(both[level])
        print(
            f"{level:12}{statistics.median(start for start, _ in pairs):8.1f}"
            f"{statistics.median(end for _, end in pairs):8.1f}{median:8.1f}"
            f"{_quantile(both[level], 0.95):8.1f}{median - without:14.1f}"
        )


if __name__ == "__main__":
    main()
