"""Workers of one fork server that several threads start, ask and end."""

from __future__ import annotations

import textwrap
import threading

import pytest

from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.spec import Limits
from grader.sandbox.server import ForkServer

SLOW = textwrap.dedent(
    """
    import time

    def run():
        time.sleep(0.25)
        return 7
    """
).encode()
ROUNDS = 4


def play(server: ForkServer, answers: list[object]) -> None:
    for _ in range(ROUNDS):
        with server.student(Limits(), 1) as worker:
            worker.put_files((("student.py", SLOW),))
            worker.ask(ImportFile(file="student.py"), "importing")
            worker.ask(Resolve(role="run", what="function", names=("run",)), "looking")
            answers.append(worker.ask(Invoke(target="run"), "calling run"))


@pytest.mark.parametrize("level", ["fork_server", "restricted_server"])
def test_nobody_is_taken_for_what_another_worker_started(
    level: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(level)
    answers: list[object] = []
    threads = [threading.Thread(target=play, args=(server, answers)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [7] * (4 * ROUNDS)
