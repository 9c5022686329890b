from types import ModuleType

import pytest

from grader.reporting.class_figures import class_figures


def test_withheld_marks_count_in_no_mean(samples: ModuleType) -> None:
    figures = class_figures([samples.perfect(), samples.typical(), samples.withheld()])

    assert (figures.count, figures.graded, figures.withheld) == (3, 2, 1)
    typical = samples.typical().score
    assert figures.mean == pytest.approx((100 + typical) / 2)
    assert figures.median == pytest.approx((100 + typical) / 2)
    assert sum(entry.count for entry in figures.bins) == 2


def test_bins_hold_their_lower_end_and_the_last_one_its_upper_too(samples: ModuleType) -> None:
    base = samples.perfect()
    scores = (0.0, 9.99, 10.0, 70.0, 99.9, 100.0)
    figures = class_figures([base.model_copy(update={"score": score}) for score in scores])

    assert [entry.count for entry in figures.bins] == [2, 1, 0, 0, 0, 0, 0, 1, 0, 2]


def test_most_often_missed_check_comes_first(samples: ModuleType) -> None:
    reports = [samples.typical("a"), samples.typical("b"), samples.empty(), samples.withheld()]
    missed = class_figures(reports).missed

    assert [item.missed for item in missed] == sorted(
        (item.missed for item in missed), reverse=True
    )
    loss = next(item for item in missed if item.id == "training.loss")
    assert (loss.missed, loss.skipped, loss.judged) == (3, 2, 4)
    assert loss.share == 0.75
    assert loss.codes == (("GR101", 1),)


def test_fault_of_the_grader_is_not_counted_as_missed(samples: ModuleType) -> None:
    figures = class_figures([samples.withheld(), samples.typical()])

    performance = next(item for item in figures.missed if item.id == "agent.performance")
    assert (performance.missed, performance.judged) == (1, 1)


def test_class_without_scores_has_no_mean(samples: ModuleType) -> None:
    figures = class_figures([samples.withheld()])

    assert figures.mean is None
    assert figures.median is None
    assert figures.missed == ()


def test_nobody_handed_in(samples: ModuleType) -> None:
    figures = class_figures([])

    assert (figures.count, figures.mean, figures.max_score) == (0, None, None)
