"""The trusted process neither compiles, nor runs, nor unpickles anything that was handed in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

MARK: Final = "student_text_5d1f"
HANDED_IN: Final = (
    "agent_numpy_linear", "breaks_syntax_error", "convolution_kernel_flipped",
    "environment_observation_outside", "network_actions_hard_coded",
    "random_agent_space_sample", "training_sum",
)  # fmt: skip

WATCHED: Final = f"""
import sys

MARK = {MARK!r}
seen, counted = [], {{}}

def holds(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return MARK.encode() in bytes(value)
    if isinstance(value, str):
        return MARK in value
    if hasattr(value, "co_consts"):
        return holds(value.co_filename) or any(map(holds, (*value.co_names, *value.co_consts)))
    return isinstance(value, tuple) and any(map(holds, value))

def hook(event, arguments):
    if event in ("compile", "exec", "import", "marshal.loads", "pickle.find_class", "ctypes.dlopen",
                 "code.__new__", "function.__new__", "cpython.run_string", "cpython.run_file"):
        counted[event] = counted.get(event, 0) + 1
        if any(map(holds, arguments)):
            seen.append((event, repr(arguments)[:300]))
        if event == "pickle.find_class":
            seen.append((event, repr(arguments)))

sys.addaudithook(hook)
"""
GRADE: Final = """
from grader.cli.main import main
sys.argv = ["grader", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    code = end.code
import json
before = list(seen)
compile(f"x = '{MARK}'", "x.py", "exec")
json.dump({"code": code, "seen": before, "noticed": len(seen) - len(before), "counted": counted},
          sys.stderr)
"""


@pytest.fixture
def handed_in(root: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for name in HANDED_IN:
        shutil.copytree(root / "submissions" / name, folder / name)
    marked = 0
    for file in folder.glob("*/*.py"):
        file.write_text(f"{MARK} = '{MARK}'\n{file.read_text()}")
        marked += 1
    assert marked >= len(HANDED_IN)
    return folder


def test_no_student_text_is_compiled_or_run_in_the_trusted_process(
    handed_in: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + GRADE, "grade", handed_in, "--out", out, "--jobs", "1"],
        capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path,
    )  # fmt: skip
    told = json.loads(done.stderr[done.stderr.index('{"code"') :])
    assert told["code"] == 1, done.stderr[-3000:]
    assert told["seen"] == []
    assert told["noticed"] > 0  # the watch sees such a thing when it happens
    assert told["counted"]["compile"] > 0
    assert told["counted"]["import"] > 0
    report = json.loads((out / "breaks_syntax_error" / "report.json").read_text())
    places = [f["where"] for result in report["results"] for f in result["findings"]]
    assert any(place and ".py:" in place for place in places)  # the line came from the worker
