"""Of a script, the definitions alone can be run."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from grader.records.messages import ImportFile, Invoke, Resolve
from grader.sandbox.incident import WorkerIncident

Student = Callable[..., Any]


def left_out(running: Any, source: str) -> list[tuple[int, int, str]]:
    running.worker.put_files((("student.py", textwrap.dedent(source).encode()),))
    answer = running.worker.ask(
        ImportFile(file="student.py", definitions_only=True), "importing student.py"
    )
    return [(each["first_line"], each["last_line"], each["text"]) for each in answer["left_out"]]


def run(running: Any) -> Any:
    running.worker.ask(Resolve(role="run", what="function", names=("run",)), "looking")
    return running.worker.ask(Invoke(target="run"), "calling run")


def test_definitions_are_run_and_the_script_is_not(student: Student) -> None:
    running = student()
    found = left_out(
        running,
        """
        from __future__ import annotations
        import math
        import numpy as np
        from pathlib import Path

        SIZE: int = 3
        SCALE = SIZE * 2.0
        NAMES = {"a": [1, 2], "b": (SIZE, None)}
        WEIGHTS = np.array([1.0, 2.0]) + np.zeros(2)
        HERE = Path(__file__).parent / "w.npy"
        if SIZE > 2:
            BIG = True
        else:
            BIG = False
        try:
            import no_such_package
        except ImportError:
            no_such_package = None
        square = lambda x: x * x

        class Agent:
            kind = "good"

        def run():
            return [SCALE, BIG, float(WEIGHTS.sum()), HERE.name, square(3), Agent.kind,
                    no_such_package is None]

        print("a script")
        agent = Agent()
        for i in range(10):
            1 / 0
        while True:
            pass
        with open("nothing") as file:
            pass
        values = [1 / 0 for _ in range(3)]
        del SIZE
        if __name__ == "__main__":
            1 / 0
        """,
    )
    assert run(running) == [6.0, True, 3.0, "w.npy", 9, "good", True]
    assert [(first, last) for first, last, _ in found] == [
        (29, 29), (30, 30), (31, 32), (33, 34), (35, 36), (37, 37), (38, 38),
    ]  # fmt: skip
    assert found[0][2] == 'print("a script")'


def test_an_import_that_fails_is_left_out_where_nothing_needs_it(student: Student) -> None:
    running = student()
    found = left_out(
        running, "import no_such_package as plot\ndef run():\n    return 7\nplot.show()\n"
    )
    assert [first for first, _, _ in found] == [1, 4]
    assert run(running) == 7


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_package as nn\nclass Net(nn.Module): ...", "ModuleNotFoundError"),
        ("from no_such_package import f\ndef run():\n    return f()", "ModuleNotFoundError"),
        ("from no_such_package import *\ndef run(): ...", "ModuleNotFoundError"),
        ("class A:\n    x = 1 / 0", "ZeroDivisionError"),
        ("def f(x=1 / 0): ...", "ZeroDivisionError"),
        ("class A(:", "SyntaxError"),
    ],
)
def test_definitions_that_fail_fail_the_import(source: str, error: str, student: Student) -> None:
    with pytest.raises(WorkerIncident) as caught:
        left_out(student(), source)
    assert caught.value.incident.error_type == error
    assert caught.value.incident.frames[-1].file == "student.py"


def test_an_assignment_that_fails_does_not_take_the_rest_along(student: Student) -> None:
    running = student()
    found = left_out(running, "W = int('x')\nV = 2\ndef run():\n    return V\n")
    assert [first for first, _, _ in found] == [1]
    assert run(running) == 2
