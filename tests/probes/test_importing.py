"""A file whose script fails is judged by its definitions, in a fresh worker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.checks.incidents import incident_finding
from grader.probes.importing import collect_evidence
from grader.records.incident import IncidentKind, LimitName
from grader.records.source import ImportMode
from grader.records.spec import Limits

SETTINGS = {"reference": "cross_correlation_2d"}
FUNCTION = "def function(image, kernel, stride=1):\n    return image\n"
LIMITS = Limits(call_wall_s=1.5, call_cpu_s=0.6, output_kb=64)


def collected(contexts: Any, source: str, mode: ImportMode | None = None, **options: Any) -> Any:
    context = contexts("function", source, settings=SETTINGS, **options)
    if mode is not None:
        context = replace(context, part=context.part.model_copy(update={"import_mode": mode}))
    return collect_evidence(context)


@pytest.mark.parametrize(
    ("script", "kind", "limit"),
    [
        ("1 / 0", IncidentKind.RAISED, None),
        ("import sys; sys.exit()", IncidentKind.EXITED, None),
        ("while True: pass", IncidentKind.LIMIT, LimitName.CALL_CPU),
        ("import time\nfor _ in range(9): time.sleep(9)", IncidentKind.LIMIT, LimitName.CALL_WALL),
        ("for _ in range(99999): print('x' * 99)", IncidentKind.LIMIT, LimitName.OUTPUT),
        ("import no_such_package", IncidentKind.RAISED, None),
        ("input()", IncidentKind.RAISED, None),
    ],
    ids=["raises", "exits", "loops", "sleeps", "prints", "imports", "asks"],
)
def test_what_a_script_defines_is_seen_all_the_same(
    contexts: Any, script: str, kind: IncidentKind, limit: LimitName | None
) -> None:
    evidence = collected(contexts, f"{FUNCTION}\n{script}\n", limits=LIMITS)
    assert evidence.load is None
    assert (evidence.script.kind, evidence.script.limit) == (kind, limit)
    assert evidence.script.stage == "importing work.py"
    assert evidence.left_out[0].first_line >= 4
    assert evidence.trials


def test_what_a_definition_uses_is_there_in_the_second_attempt(contexts: Any) -> None:
    source = (
        "import argparse\n"
        "STEPS = []\n"
        "for i in range(2): STEPS.append(i)\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--seed', type=int, default=7)\n"
        "args = parser.parse_args()\n"
        "def function(image, kernel, stride=1):\n"
        "    assert (STEPS, args.seed) == ([0, 1], 7)\n"
        "    return image\n"
        "1 / 0\n"
    )
    evidence = collected(contexts, source)
    assert [each.first_line for each in evidence.left_out] == [10]
    assert evidence.trials
    assert all(trial.incident is None for trial in evidence.trials)


def test_a_name_that_was_left_out_is_told_with_its_line(contexts: Any) -> None:
    source = "SIZE = int(input())\ndef function(image, kernel, stride=1):\n    return SIZE\n"
    evidence = collected(contexts, source)
    finding = incident_finding(evidence.trials[0].incident)
    assert finding.code == "PY207"
    assert "line 1 of work.py" in (finding.received or "")


@pytest.mark.parametrize(
    "source",
    [
        "def f(:\n",
        "import no_such_package as np\ndef function(image, kernel):\n    return np.x\n",
        "class A:\n    1 / 0\n",
        "import os; os._exit(3)\ndef function(image, kernel): ...\n",
        "memory = bytearray(1 << 40)\ndef function(image, kernel): ...\n",
        "x = 1\n1 / 0\n",
    ],
    ids=["syntax", "needed import", "definition", "crash", "memory", "nothing defined"],
)
def test_what_is_no_matter_of_a_script_stays_what_it_is(contexts: Any, source: str) -> None:
    context = contexts("function", source, settings=SETTINGS)
    evidence = collect_evidence(context)
    assert evidence.load is not None
    assert evidence.script is None
    assert evidence.load == context.kind.collect(context).load


def test_both_attempts_count_for_the_limits_of_the_part(contexts: Any) -> None:
    limits = Limits(call_wall_s=20, call_cpu_s=0.4, part_wall_s=60, part_cpu_s=0.7)
    busy = "def function(image, kernel):\n    while True: pass\n"
    evidence = collected(contexts, f"{busy}\nwhile True: pass\n", limits=limits)
    assert evidence.load is None
    ended = evidence.trials[0].incident
    assert ended.limit is LimitName.PART_CPU


def test_an_assignment_can_ask_for_the_whole_file(contexts: Any) -> None:
    evidence = collected(contexts, f"{FUNCTION}\n1 / 0\n", ImportMode.WHOLE)
    assert evidence.load.error_type == "ZeroDivisionError"
    assert evidence.script is None


def test_an_assignment_can_ask_for_definitions_alone(contexts: Any) -> None:
    evidence = collected(contexts, f"{FUNCTION}\n1 / 0\n", ImportMode.DEFINITIONS)
    assert (evidence.load, evidence.script) == (None, None)
    assert [each.first_line for each in evidence.left_out] == [4]


def test_a_file_that_can_be_imported_is_imported_once(contexts: Any) -> None:
    context = contexts("function", f"{FUNCTION}\nprint('once')\n", settings=SETTINGS)
    evidence = collect_evidence(context)
    assert (evidence.load, evidence.script, evidence.left_out) == (None, None, ())
    assert context.usage.printed.strip() == "once"


def test_forged_hints_are_an_incident(contexts: Any) -> None:
    forged = (
        "import grader.worker.session as session\n"
        "session.STUDENT_HANDLERS['read_file'] = lambda s, r: {}\n"
        "session.STUDENT_HANDLERS['import_file'] = lambda s, r: {'left_out': 7}\n"
    )
    # The handlers are replaced by the first import; a second one of the same worker meets them.
    context = contexts("function", FUNCTION + forged, settings=SETTINGS)
    from grader.probes.context import load

    with context.worker(1) as worker:
        assert load(context, worker).incident is None
        again = load(context, worker)
    assert again.incident is not None
    assert again.incident.kind is IncidentKind.PROTOCOL
