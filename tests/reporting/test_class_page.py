from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from grader.reporting.class_page import render_class_page

pytestmark = pytest.mark.usefixtures("explained")


@pytest.fixture
def read(samples: ModuleType, parsed: Callable[[str], Any]) -> Callable[..., Any]:
    """Returns a function that renders a class page of reports and parses it."""
    return lambda *reports: parsed(render_class_page(reports, samples.TITLE))


def test_markup_is_closed_and_ids_are_unique(samples: ModuleType, read: Callable[..., Any]) -> None:
    page = read(*samples.many(20), samples.hostile())

    assert page.unclosed == []
    assert page.open == []
    assert sorted(page.ids) == sorted(set(page.ids))


def test_order_of_the_reports_does_not_matter(samples: ModuleType) -> None:
    reports = list(samples.many(12))

    assert render_class_page(reports, "x") == render_class_page(reports[::-1], "x")


def test_figures_stand_at_the_top(samples: ModuleType, read: Callable[..., Any]) -> None:
    text = read(samples.perfect(), samples.typical(), samples.withheld()).text()

    assert "Submissions 3 Mean 75.95 of 100 Median 75.95 of 100 Withheld 1" in text
    assert "1 score is withheld, because the grader or the machine failed there." in text


def test_missed_checks_are_listed_with_their_share_and_codes(
    samples: ModuleType, read: Callable[..., Any]
) -> None:
    text = read(samples.perfect(), samples.typical()).text()

    listed = text[text.index("Most often missed") : text.index("Submissions Name contains")]
    assert "1 of 2 did not pass" in listed
    assert "50 %" in listed
    assert "RA201 (1×)" in listed
    assert "NW102 A layer's attribute differs (1×)" in listed


def test_class_without_a_miss_is_told_so(samples: ModuleType, read: Callable[..., Any]) -> None:
    assert "Everyone passed every check." in read(samples.perfect()).text()


def test_rows_are_sorted_and_link_to_the_reports(
    samples: ModuleType, read: Callable[..., Any]
) -> None:
    page = read(samples.perfect("zoë"), samples.typical("a b"), samples.withheld("mel/../x"))

    assert [link for link in page.links if link.endswith("report.html")] == [
        "a%20b/report.html",
        "mel%2F..%2Fx/report.html",
        "zo%C3%AB/report.html",
    ]


def test_withheld_submission_has_no_score_and_is_marked(
    samples: ModuleType, read: Callable[..., Any]
) -> None:
    page = read(samples.withheld(), samples.typical())

    states = [value for _, name, value in page.attributes if name == "data-state"]
    assert states == ["short", "withheld"]
    values = [value for tag, name, value in page.attributes if (tag, name) == ("td", "data-value")]
    assert values[:2] == ["51.91", "graded"]
    assert values[8:10] == ["", "withheld"]
    assert "– withheld" in page.text()


def test_parts_have_columns_and_their_points(samples: ModuleType, read: Callable[..., Any]) -> None:
    text = read(samples.typical()).text()

    assert "Submission Score Status A random agent The Deep Q-Network" in text
    assert "51.91 graded 9 of 15 13.33 of 20 0 of 15 14.58 of 25 15 of 15 0 of 10" in text


def test_report_without_a_part_leaves_its_cell_empty(
    samples: ModuleType, read: Callable[..., Any]
) -> None:
    short = samples.report("short", samples.perfect().of_part("agent"))
    page = read(short, samples.typical())

    assert "short 25 graded – – – 25 of 25 – –" in page.text()


def test_empty_class_can_be_shown(read: Callable[..., Any]) -> None:
    text = read().text()

    assert "Submissions 0 Mean – Median –" in text
    assert "No submission has a score." in text


def test_title_is_escaped(samples: ModuleType, parsed: Callable[[str], Any]) -> None:
    page = parsed(render_class_page([samples.typical()], "<b>Week</b> 13"))

    assert "<b>Week</b> 13" in page.text()
