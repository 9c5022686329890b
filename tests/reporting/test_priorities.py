from types import ModuleType

from grader.records.result import Outcome
from grader.reporting.priorities import priorities


def test_cause_carries_the_points_of_the_checks_that_wait_for_it(samples: ModuleType) -> None:
    first = priorities(samples.typical())[0]

    assert [check.id for check in first.checks] == ["training.interface"]
    assert first.findings == (samples.RAISED,)
    assert first.points == 2 + 6 + 7
    assert first.waiting == 2


def test_most_costly_cause_comes_first(samples: ModuleType) -> None:
    listed = priorities(samples.typical())
    points = [item.points for item in listed if item.findings != (samples.MISSING,)]

    assert points == sorted(points, reverse=True)
    assert len(listed) == 5


def test_finding_shared_by_several_checks_is_one_cause(samples: ModuleType) -> None:
    missing = next(
        item for item in priorities(samples.typical()) if item.findings == (samples.MISSING,)
    )

    assert [check.id for check in missing.checks] == [
        "convolution.interface",
        "convolution.values",
    ]
    assert missing.points == 10


def test_same_finding_in_two_parts_stays_two_causes(samples: ModuleType) -> None:
    listed = priorities(samples.empty())

    assert [item.part for item in listed] == [
        "agent", "network", "random_agent", "training", "environment",
    ]  # fmt: skip


def test_free_room_goes_to_further_findings_of_the_same_check(samples: ModuleType) -> None:
    one = samples.finding("NW102", "One.")
    two = samples.finding("NW103", "Two.")
    three = samples.finding("NW104", "Three.")
    report = samples.report(
        "x",
        (
            samples.result("network.architecture", Outcome.FAILED, 0.0, one, two, three),
            samples.result("convolution.values", Outcome.FAILED, 0.0, samples.MISSING),
        ),
    )

    (first, second) = priorities(report, limit=3)
    assert (first.findings, first.more) == ((one, two), 1)
    assert (second.findings, second.more) == ((samples.MISSING,), 0)


def test_check_that_waits_for_a_skipped_check_counts_for_the_cause(samples: ModuleType) -> None:
    chained = samples.result("training.step", Outcome.SKIPPED).model_copy(
        update={"requires": ("training.loss",)}
    )
    report = samples.report(
        "x",
        (
            samples.result("training.interface", Outcome.FAILED, 0.0, samples.RAISED),
            samples.result("training.loss", Outcome.SKIPPED),
            chained,
        ),
    )

    (only,) = priorities(report)
    assert only.points == 15


def test_warnings_are_not_listed_beside_errors(samples: ModuleType) -> None:
    claims = [f.claim for item in priorities(samples.typical()) for f in item.findings]

    assert all("parameters" not in claim for claim in claims)


def test_nothing_to_fix_for_full_marks_or_a_fault_of_the_grader(samples: ModuleType) -> None:
    assert priorities(samples.perfect()) == ()
    assert priorities(samples.withheld()) == ()


def test_missing_file_carries_the_points_of_its_whole_part(samples: ModuleType) -> None:
    report = samples.report(
        "x",
        (
            samples.result("convolution.interface", Outcome.INVALID, 0.0, samples.MISSING),
            samples.result("convolution.values", Outcome.INVALID, 0.0),
        ),
    )

    (only,) = priorities(report)
    assert only.findings == (samples.MISSING,)
    assert only.points == sum(result.max_points for result in report.results)
    assert only.waiting == 1


def test_missing_files_come_after_what_can_be_mended_now(samples: ModuleType) -> None:
    wrong = samples.finding("NW102", "The strides are wrong.")
    report = samples.report(
        "x",
        (
            samples.result("agent.interface", Outcome.INVALID, 0.0, samples.MISSING),
            samples.result("agent.performance", Outcome.INVALID, 0.0),
            samples.result("network.architecture", Outcome.PARTIAL, 0.9, wrong),
        ),
    )

    assert [item.findings for item in priorities(report)] == [(wrong,), (samples.MISSING,)]
    assert [item.findings for item in priorities(report, limit=1)] == [(wrong,)]
