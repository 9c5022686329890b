import threading
import time

import pytest

from grader.episodes.lanes import Beat, SpareJobs, side_by_side
from grader.errors import GraderFault


def tasks(count, work):
    return [lambda beat, number=number: work(number, beat) for number in range(count)]


@pytest.mark.parametrize("jobs", [0, 1, 5])
def test_results_come_in_the_order_of_the_tasks(jobs):
    def work(number: int, _: Beat) -> int:
        time.sleep(0.01 * (6 - number))
        return number

    spare = SpareJobs(jobs)
    assert side_by_side(tasks(6, work), spare=spare) == list(range(6))
    assert [spare.take() for _ in range(jobs + 1)] == [True] * jobs + [False]


def test_spare_jobs_are_used():
    together = threading.Barrier(3)

    def work(_number: int, _: Beat) -> int:
        return together.wait(20)

    assert sorted(side_by_side(tasks(3, work), spare=SpareJobs(2))) == [0, 1, 2]


@pytest.mark.parametrize("jobs", [0, 3])
def test_what_comes_after_the_last_one_is_dropped_however_many_lanes(jobs):
    def work(number: int, _: Beat) -> int:
        time.sleep(0.02 if number == 2 else 0)
        return number

    done = side_by_side(tasks(9, work), is_last=lambda result: result >= 2, spare=SpareJobs(jobs))
    assert done == [0, 1, 2]


@pytest.mark.parametrize("jobs", [0, 3])
def test_the_first_error_is_raised(jobs):
    def work(number: int, _: Beat) -> int:
        if number >= 2:
            time.sleep(0.05 if number == 2 else 0)
            raise KeyError(number)
        return number

    with pytest.raises(KeyError, match="2"):
        side_by_side(tasks(6, work), spare=SpareJobs(jobs))


def test_an_environment_that_hangs_is_a_fault_and_holds_nobody():
    forever = threading.Event()

    def work(_number: int, beat: Beat) -> None:
        with beat:
            forever.wait(60)

    begun = time.monotonic()
    spare = SpareJobs(1)
    with pytest.raises(GraderFault, match=r"did not answer within 0\.5 s"):
        side_by_side(tasks(2, work), spare=spare, limit_s=0.5)
    forever.set()
    assert time.monotonic() - begun < 30
    assert spare.take()


def test_many_short_calls_and_long_thoughts_between_them_are_no_hang():
    def work(_number: int, beat: Beat) -> str:
        for _ in range(5):
            with beat:
                time.sleep(0.2)
        time.sleep(0.8)  # an agent thinks; that is watched elsewhere
        return "done"

    assert side_by_side(tasks(1, work), limit_s=0.5) == ["done"]
