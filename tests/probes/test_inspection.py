from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from grader.probes.inspection import ask_inspector
from grader.records.incident import IncidentKind
from grader.records.messages import Rebuild, Reference
from grader.records.spec import Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import ForkServer

DENSE = Reference(layers=({"layer": "Dense", "units": 2},), input_shape=(3,))


def _graph(units, weights):
    node = {
        "index": 0, "source": "layer", "kind": "Dense", "name": "mine", "config": {"units": units},
        "inputs": [-1], "output_shape": [units], "parameters": 4 * units, "weights": weights,
        "layer": 0,
    }  # fmt: skip
    return {"nodes": [node], "outputs": [0], "input_shapes": [[3]], "parameters": 4 * units}


def test_inspector_that_has_ended_is_asked_again_in_a_fresh_one(fork_server: ForkServer) -> None:
    first = fork_server.inspector()
    os.kill(first.pid, signal.SIGTERM)
    assert ask_inspector(fork_server, DENSE, "asking") == [[3, 2], [2]]
    assert fork_server.inspector() is not first


def test_what_it_says_does_not_depend_on_what_it_was_asked_before(fork_server: ForkServer) -> None:
    request = Rebuild(
        graph=_graph(2, [0]), weights=(np.ones((9, 9), np.float32),),
        batches=(np.ones((1, 3), np.float32),),
    )  # fmt: skip
    said = []
    for _ in range(3):
        with pytest.raises(WorkerIncident) as raised:
            ask_inspector(fork_server, request, "rebuilding")
        said.append(raised.value.incident.message)
    assert said == ["mine does not work as it is described"] * 3


def _endless() -> Rebuild:
    """A recurrent layer that reads three million steps."""
    node = {"name": "", "source": "layer", "parameters": 0, "weights": []}
    repeated = node | {
        "index": 0, "kind": "RepeatVector", "config": {"n": 3_000_000}, "inputs": [-1],
        "output_shape": [3_000_000, 3], "layer": 0,
    }  # fmt: skip
    read = node | {
        "index": 1, "kind": "LSTM", "config": {"units": 1}, "inputs": [0], "output_shape": [1],
        "layer": 1,
    }  # fmt: skip
    graph = {"nodes": [repeated, read], "outputs": [1], "input_shapes": [[3]], "parameters": 0}
    return Rebuild(graph=graph, weights=(), batches=(np.ones((1, 3), np.float32),))


def test_a_limit_that_a_fresh_inspector_hits_is_final(
    fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork_server.inspector().close()
    limits = Limits(call_wall_s=4, call_cpu_s=2, part_wall_s=60, part_cpu_s=60)
    monkeypatch.setattr(fork_server, "_inspector_limits", limits)
    fresh = fork_server.inspector()
    with pytest.raises(WorkerIncident) as raised:
        ask_inspector(fork_server, _endless(), "rebuilding")
    assert raised.value.incident.kind is IncidentKind.LIMIT
    assert fork_server._inspector is fresh  # none was started after it
    assert fresh.ended
