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


NEEDED = {
    "comprehension": "F = [2 * i for i in range(3)]\ndef run(): return F",
    "loop": "F = []\nfor i in (0, 2, 4): F.append(i)\ndef run(): return F",
    "while": "F = []\nwhile len(F) < 3: F.append(2 * len(F))\ndef run(): return F",
    "appended": "F = []\nF.append(0)\nF += [2]\nF.append(4)\ndef run(): return F",
    "item": "F = [0, 0, 0]\ndef four(): return 4\nF[1] = abs(2)\nF[2] = four()\n"
            "def run(): return F",
    "helper": "def cfg(): return [0, 2, 4]\nF = cfg()\ndef run(): return F",
    "global": "F = None\ndef setup():\n    global F\n    F = [0, 2, 4]\nsetup()\n"
              "def run(): return F",
    "instance": "class Config:\n    def __init__(self): self.f = [0, 2, 4]\nc = Config()\n"
                "def run(): return c.f",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass C:\n    n: int = 2\n"
                 "c = C()\nF = [0, c.n, 2 * c.n]\ndef run(): return F",
    "arguments": "import argparse\np = argparse.ArgumentParser()\n"
                 "p.add_argument('--n', type=int, default=2)\nargs = p.parse_args()\n"
                 "def run(): return [0, args.n, 2 * args.n]",
    "in a method": "F = list(map(int, '024'))\nclass A:\n    def f(self): return F\n"
                   "def run(): return A().f()",
    "one by another": "def two(): return 2\nA = two()\nB = [A * i for i in range(3)]\n"
                      "def run(): return list(B)",
    "with": "import contextlib\nwith contextlib.nullcontext():\n    def run(): return [0, 2, 4]\n"
            "    agent.train()",
    "long": f"def two(): return 2\nA = two(){' + 0' * 400}\ndef run(): return [0, A, 2 * A]",
    "wrapped": "def twice(f): return lambda: f() + [4]\ndef run(): return [0, 2]\n"
               "run = twice(run)",
}  # fmt: skip


@pytest.mark.parametrize("source", NEEDED.values(), ids=NEEDED)
def test_what_a_definition_uses_is_run(source: str, student: Student) -> None:
    running = student()
    left_out(running, f"{source}\n1 / 0\n")
    assert run(running) == [0, 2, 4]


@pytest.mark.parametrize(
    "line",
    [
        "F = model.fit(3)",
        "F = input()",
        "F = keras.datasets.mnist.load_data()",
        "for F in range(3): env.step(F)",
        "F = [play(i) for i in range(9)]",
        "F = Trained()",
        "for F in range(3): optimizer.apply_gradients(F)",
        "while True: F = 1",
        "F = 1 / 0",
        "F = exit()",
    ],
)
def test_what_is_left_out_is_told_where_its_name_is_missed(line: str, student: Student) -> None:
    running = student()
    source = (
        "def play(i): return env.step(i)\n"
        "class Trained:\n    def __init__(self): play(3)\n"
        f"{line}\n"
        "def run(): return F\n"
    )
    assert [first for first, _, _ in left_out(running, source)] == [4]
    with pytest.raises(WorkerIncident) as caught:
        run(running)
    assert caught.value.incident.message == (
        "name 'F' is not defined; line 4 of student.py, which sets it, was left out"
    )


def test_what_no_definition_uses_is_not_run(student: Student) -> None:
    running = student()
    source = """\
        import numpy as np
        def total(): return [1 for i in range(3)]
        losses = total()
        for i in range(3): losses.append(1 / 0)
        np.random.seed(1 / 0)
        def run(): return [losses for losses in (1, 2)]
    """
    assert [first for first, _, _ in left_out(running, source)] == [3, 4, 5]
    assert run(running) == [1, 2]


def test_messages_are_the_same_in_every_run_and_without_jargon(student: Student) -> None:
    running = student()
    source = """\
        device = "/job:localhost/replica:0/task:0/device:CPU:0"
        def run():
            raise ValueError(
                "{{function_node __wrapped__Fill_device_" + device + "}} OOM when allocating on "
                + device + f" by allocator cpu {hex(id(run))} {id(run)}"
            )
    """
    left_out(running, source)
    with pytest.raises(WorkerIncident) as caught:
        run(running)
    assert caught.value.incident.message == "OOM when allocating 0x… 0x…"
