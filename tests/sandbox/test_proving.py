"""What a worker could do is seen from outside, not taken from its word."""

from __future__ import annotations

import pytest

from grader.errors import GraderFault
from grader.records.spec import Isolation
from grader.sandbox import proving
from grader.sandbox.server import ForkServer


def _refused(server: ForkServer) -> dict[str, bool]:
    with proving._bait() as bait:
        return {attempt.what: attempt.refused for attempt in proving._attempts(server, bait)}


def test_isolated_worker_is_refused_everything(fork_server: ForkServer) -> None:
    if fork_server.isolation is Isolation.PROCESS:
        pytest.skip("this machine offers no isolation")
    refused = _refused(fork_server)
    assert len(refused) == 5
    assert all(refused.values())


def test_plain_process_is_refused_nothing(unconfined_server: ForkServer) -> None:
    refused = _refused(unconfined_server)
    # A short-lived process may be seen by the watch over processes, which is a refusal too.
    refused.pop("start a process")
    assert not any(refused.values())


def test_worker_that_claims_a_refusal_is_not_believed(
    unconfined_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying = proving._SCRIPT.replace('return "done: " + str(', 'return "refused: x" + str(')
    assert lying != proving._SCRIPT
    monkeypatch.setattr(proving, "_SCRIPT", lying)
    refused = _refused(unconfined_server)
    assert not refused["read a file of the user"]
    assert not refused["connect to a socket"]
    assert not refused["write outside of its scratch"]


def test_server_that_does_not_start_is_a_problem_and_no_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(_: Isolation) -> ForkServer:
        raise GraderFault("there is no server")

    monkeypatch.setattr(proving, "best_source", none)
    proof = proving.prove(Isolation.FULL)
    assert proof.problem == "there is no server"
    assert not proof.holds
