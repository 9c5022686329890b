"""The meter reads a real process; the clock of the test is not stopped, only the limits vary."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from grader.records.incident import LimitName
from grader.records.spec import Limits
from grader.sandbox import watch
from grader.sandbox.meter import INTERVAL_S, Meter
from grader.sandbox.watch import Kin

BURN = "while True: pass"
SLEEP = "import time\ntime.sleep(60)"


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "-c", request.param])
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def meter_of(process: subprocess.Popen[bytes], **limits: float) -> Meter:
    return Meter(Kin(process.pid), Limits(**limits), None)


def until_exceeded(meter: Meter, most_s: float = 5) -> LimitName | None:
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        if limit := meter.exceeded():
            return limit
        time.sleep(INTERVAL_S / 4)
    return None


@pytest.mark.parametrize("process", [BURN], indirect=True)
def test_time_used_before_the_call_is_not_charged_to_it(
    process: subprocess.Popen[bytes],
) -> None:
    meter = meter_of(process, call_cpu_s=0.6)
    while watch.clock_s(process.pid) < 1.0:
        time.sleep(0.02)
    meter.begin()
    time.sleep(INTERVAL_S * 1.5)
    assert meter.exceeded() is None
    assert until_exceeded(meter) is LimitName.CALL_CPU
    assert watch.clock_s(process.pid) > 1.6


@pytest.mark.parametrize("process", [BURN], indirect=True)
def test_time_before_the_worker_was_ready_is_not_the_parts(
    process: subprocess.Popen[bytes],
) -> None:
    while watch.clock_s(process.pid) < 1.0:
        time.sleep(0.02)
    meter = meter_of(process, part_cpu_s=0.5)
    meter.begin()
    assert meter.cpu_s < 0.3
    time.sleep(INTERVAL_S * 1.5)
    assert meter.exceeded() is None
    assert until_exceeded(meter) is LimitName.PART_CPU


@pytest.mark.parametrize("process", [SLEEP], indirect=True)
def test_sleeping_costs_no_processor_time(process: subprocess.Popen[bytes]) -> None:
    time.sleep(0.2)
    meter = meter_of(process, call_cpu_s=0.2, part_cpu_s=0.2, call_wall_s=0.6)
    meter.begin()
    assert until_exceeded(meter) is LimitName.CALL_WALL


@pytest.mark.parametrize("process", [SLEEP], indirect=True)
def test_it_looks_again_only_after_a_while(process: subprocess.Popen[bytes]) -> None:
    meter = meter_of(process, call_wall_s=0.01)
    meter.begin()
    time.sleep(INTERVAL_S * 1.2)
    assert meter.exceeded() is LimitName.CALL_WALL
    assert meter.exceeded() is None


@pytest.mark.parametrize("process", [BURN], indirect=True)
def test_waiting_for_a_processor_is_not_the_students_time(
    process: subprocess.Popen[bytes],
) -> None:
    """Five others share its processor: it runs for a sixth of the time on the clock."""
    one = {min(os.sched_getaffinity(0))}
    others = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(5)]
    try:
        for burning in (process, *others):
            os.sched_setaffinity(burning.pid, one)
        time.sleep(0.2)
        meter = meter_of(process, call_wall_s=0.8, call_cpu_s=60)
        meter.begin()
        time.sleep(INTERVAL_S * 1.1)
        assert meter.exceeded() is None
        begun = time.monotonic()
        assert until_exceeded(meter, most_s=30) is LimitName.CALL_WALL
        assert time.monotonic() - begun > 2.0
    finally:
        for burning in others:
            burning.kill()
            burning.wait()


def test_process_that_is_gone_uses_nothing() -> None:
    done = subprocess.Popen([sys.executable, "-c", "pass"])
    done.wait()
    used = watch.usage(Kin(done.pid))
    assert (used.own_cpu_s, used.resident_bytes, used.processes) == (0.0, 0, 0)


def test_children_are_counted_with_their_time() -> None:
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"
    parent = subprocess.Popen([sys.executable, "-c", script])
    kin = Kin(parent.pid)
    try:
        end = time.monotonic() + 10
        while watch.usage(kin).others_cpu_s < 0.2:
            assert time.monotonic() < end
            time.sleep(0.05)
        used = watch.usage(kin)
        assert used.processes == 1
        assert used.resident_bytes > 1 << 20
    finally:
        watch.end_tree(kin, None)
        parent.wait()
    assert kin.started() == set()
