import re
from collections.abc import Callable
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from grader.records.report import SeedSet
from grader.records.result import RowStatus
from grader.reporting.score_report import part_views, render_score_report

REPORTS = ("typical", "perfect", "withheld", "empty", "hostile", "branching")

pytestmark = pytest.mark.usefixtures("explained")


@pytest.fixture
def read(samples: ModuleType, parsed: Callable[[str], Any]) -> Callable[[str], Any]:
    """Returns a function that renders a sample by name and parses the page."""
    return lambda name: parsed(render_score_report(getattr(samples, name)()))


@pytest.mark.parametrize("name", REPORTS)
def test_markup_is_closed_ids_are_unique_and_links_lead_somewhere(
    read: Callable[[str], Any], name: str
) -> None:
    page = read(name)

    assert page.unclosed == []
    assert page.open == []
    assert sorted(page.ids) == sorted(set(page.ids))
    targets = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert targets <= set(page.ids)
    # The sheet of a film is an image inside the page.
    others = {link.partition("base64,")[0] for link in page.links if not link.startswith("#")}
    assert others <= {"data:,", "data:image/png;"}
    labels = {
        part
        for _, attribute, value in page.attributes
        if attribute == "aria-labelledby"
        for part in value.split()
    }
    assert labels <= set(page.ids)


@pytest.mark.parametrize("name", REPORTS)
def test_no_attribute_carries_style_or_code(read: Callable[[str], Any], name: str) -> None:
    page = read(name)
    attributes = {attribute for _, attribute, _ in page.attributes}
    sources = [(tag, value) for tag, attribute, value in page.attributes if attribute == "src"]

    assert "style" not in attributes
    assert not {attribute for attribute in attributes if attribute.startswith("on")}
    for tag, value in sources:
        assert tag == "img"
        assert re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/]+=*", value)


def test_same_report_gives_the_same_page(samples: ModuleType) -> None:
    assert render_score_report(samples.typical()) == render_score_report(samples.typical())


def test_head_tells_assignment_submission_score_and_outcomes(read: Callable[[str], Any]) -> None:
    text = read("typical").text()

    assert "Week 13: game-playing agents and neural networks" in text
    assert "Submission alice" in text
    assert "51.91 of 100 points" in text
    assert (
        "8 of 17 checks passed; 3 partly passed, 2 not passed, 2 skipped, 2 could not be judged."
        in text
    )


def test_what_to_fix_first_stands_before_everything_else(read: Callable[[str], Any]) -> None:
    text = read("typical").text()

    start = text.index("What to fix first")
    listed = text[start : text.index("Parts Points by part")]
    assert listed.index("up to 15 points") < listed.index("up to 10.42 points")
    assert "2 further checks wait for this" in listed
    assert "convolution.py" in listed


def test_every_finding_is_shown_with_all_it_says(
    samples: ModuleType, read: Callable[[str], Any]
) -> None:
    text = read("typical").text().replace(" .", ".")

    findings = [f for result in samples.typical().results for f in result.findings]
    assert len(findings) == 12
    for finding in findings:
        for said in (
            finding.claim,
            finding.where,
            finding.expected,
            finding.received,
            finding.try_,
        ):
            if said:
                words = re.sub(r"\s+", "", said.replace("`", ""))
                assert words in re.sub(r"\s+", "", text), said


def test_explanation_of_a_code_stands_once_per_check(read: Callable[[str], Any]) -> None:
    page = read("typical")

    assert page.text().count("Strides and kernel sizes decide what part of the screen") == 2
    assert page.ids.count("explain-network.architecture-NW102") == 1
    assert page.links.count("#explain-network.architecture-NW102") == 2


def test_code_without_an_explanation_is_no_link(read: Callable[[str], Any]) -> None:
    page = read("typical")

    assert "RA201" in page.text()
    assert not [link for link in page.links if "RA201" in link]


def test_withheld_score_is_explained_and_shows_no_number(read: Callable[[str], Any]) -> None:
    text = read("withheld").text()

    assert "Withheld 16 of 17 checks passed; 1 withheld." in text
    assert "That is not your mistake, and nobody loses points for it" in text
    assert "of 100 points" not in text
    assert "Costs you nothing" in text
    assert "Costs points" not in text


def test_full_marks_leave_nothing_to_fix(read: Callable[[str], Any]) -> None:
    assert "What to fix first Nothing. Every check got its full points." in read("perfect").text()


def test_layer_table_shows_both_sides_and_what_differs(read: Callable[[str], Any]) -> None:
    text = read("typical").text()

    assert "2 of 6 layers differ, 1 is missing and 1 was not asked for: layer 1 has strides" in text
    assert "asked for: strides (4, 4)" in text
    assert "differs: strides (2, 2)" in text
    assert "This layer is not in your network." in text
    assert "36,928 parameters" in text
    assert "sees 36 × 36" in text
    assert "10,660,996" in text


def test_summary_of_the_network_stands_before_its_drawing(read: Callable[[str], Any]) -> None:
    text = read("branching").text()

    sentence = text.index("1 of 9 layers differs: layer 7 has 256 units instead of 512.")
    assert sentence < text.index("Expected Layer Points Received (yours)")


def test_branches_are_told_in_words_too(read: Callable[[str], Any]) -> None:
    text = read("branching").text()

    assert text.count("reads layer 4") == 2
    assert text.count("reads layers 6 and 8") == 2
    assert "reads" not in read("perfect").text()


def test_pictures_come_with_captions_counts_and_a_worked_value(read: Callable[[str], Any]) -> None:
    text = read("typical").text()

    assert "What your network makes of a frame of Breakout" in text
    assert "this layer has not been trained" in text
    assert "3 of 64 maps are zero everywhere for this image." in text
    assert "1 · zero" in text
    assert "17 × 17, the 16 most active of 64 maps" in text
    assert "No such convolution in your network." in text
    assert "what differs comes from the layers" in text
    assert "How one value comes about: kernel 3, row 2, column 5" in text
    assert "Your result differs from the right one by up to 1,600" in text


def test_every_picture_is_described(read: Callable[[str], Any]) -> None:
    page = read("typical")

    images = [tag for tag, name, _ in page.attributes if (tag, name) == ("img", "src")]
    described = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("ul", "aria-label")]
    assert len(images) == len(described) > 100
    # Tiles are described as a group.
    assert len([text for text in described if text]) == 1 + 2 * 4 + 4
    assert len(labels) == 1 + 2 + 5
    assert all(labels)


def test_report_with_all_pictures_stays_small(samples: ModuleType) -> None:
    page = render_score_report(samples.typical())

    # What mail servers and learning platforms take without a question.
    assert len(page.encode()) < 400_000


def test_longest_network_with_the_most_lines_stays_below_two_megabytes(samples: ModuleType) -> None:
    cell = samples.EXPECTED_LAYERS[0]
    extra = tuple(
        samples.row(RowStatus.EXTRA, None, samples.reading(cell, *range(max(index - 9, -1), index)))
        for index in range(300)
    )
    table = samples.matching_network().model_copy(update={"rows": extra})
    result = samples.result("network.architecture", exhibits=(table, samples.pictures()))

    page = render_score_report(samples.report("long", (result,)))

    assert page.count('class="row-extra"') == 300
    assert len(page.encode()) < 2_000_000


def test_plots_have_a_title_a_description_and_their_numbers_in_a_table(
    samples: ModuleType, read: Callable[[str], Any]
) -> None:
    page = read("typical")

    images = [tag for tag, name, value in page.attributes if (name, value) == ("role", "img")]
    # The pictures of two films, each with its six key frames, are told of beside them.
    assert images.count("svg") == 5 + 2 * 7
    text = page.text()
    for seed in samples.returns().seeds:
        assert str(seed) in text
    assert "Mean episode return: your agent 212.9, random agent 24.1, reference 500.0." in text
    assert "1,358" in text


def test_footer_tells_how_the_report_came_about_and_no_time(
    samples: ModuleType, read: Callable[[str], Any]
) -> None:
    text = read("typical").text()

    footer = text[text.index("About this report") :]
    report = samples.typical()
    assert report.submission.digest in footer
    assert report.assignment.digest in footer
    assert "full: own file system" in footer
    assert "final (those of grading)" in footer
    assert "grader 0.1.0" in footer
    for file in report.submission.files:
        assert file.path in footer
        assert file.sha256 in footer
    assert "1.1 KiB" in footer


def test_self_check_says_that_grading_is_another_matter(
    samples: ModuleType, parsed: Callable[[str], Any]
) -> None:
    page = parsed(render_score_report(samples.typical(seeds=SeedSet.PUBLIC)))

    assert "This is a self-check" in page.text()
    assert "public (a self-check; grading uses others)" in page.text()


def test_submission_without_files_can_be_shown(read: Callable[[str], Any]) -> None:
    text = read("empty").text()

    assert "0 of 100 points" in text
    assert "No file was handed in." in text


def test_score_bar_is_as_long_as_the_parts_together(samples: ModuleType) -> None:
    views = part_views(samples.typical())

    assert views[0].x == 0
    assert sum(view.width for view in views) == pytest.approx(100, abs=0.01)
    assert sum(view.filled for view in views) == pytest.approx(51.91, abs=0.01)
    assert all(
        view.x == pytest.approx(before.x + before.width, abs=0.01)
        for before, view in pairwise(views)
    )


def test_assignment_worth_nothing_can_be_shown(samples: ModuleType) -> None:
    base = samples.perfect()
    free = tuple(r.model_copy(update={"points": 0.0, "max_points": 0.0}) for r in base.results)
    report = base.model_copy(update={"results": free, "score": 0.0, "max_score": 0.0})

    assert "of 0 points" in render_score_report(report)


def test_hostile_text_is_escaped_wherever_it_stands(read: Callable[[str], Any]) -> None:
    page = read("hostile")

    assert [tag for tag, _, value in page.attributes if "__pwned" in value and tag == "a"] == []
    assert [
        value for _, name, value in page.attributes if name == "src" and "__pwned" in value
    ] == []
    assert page.text().count("<script>window.__pwned=1</script>") > 100
    assert not re.search("[\x1b\u202a-\u202e\u2066-\u2069]", page.text())
