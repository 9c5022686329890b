import re
from types import ModuleType

import pytest
from rich.cells import cell_len

from grader.records.result import Outcome
from grader.records.spec import Visibility
from grader.reporting.terminal import render_class_terminal, render_terminal


def test_verdict_tells_score_then_what_to_fix_then_the_parts(samples: ModuleType) -> None:
    text = render_terminal(samples.typical(), colour=False, width=100)

    assert "alice: 51.91 of 100 points" in text
    assert text.index("What to fix first") < text.index("\nA random agent")
    first = text[text.index(" 1. ") : text.index(" 2. ")]
    assert "The code raised `TypeError`" in first
    assert "up to 15 points in training.interface, and 2 checks that build on it" in first
    assert "grader explain GR108" in text


def test_findings_come_with_where_expected_received_and_try(samples: ModuleType) -> None:
    lines = render_terminal(samples.typical(), colour=False, width=100).splitlines()

    at = next(index for index, line in enumerate(lines) if "NW102 The first" in line)
    assert [line.strip() for line in lines[at + 1 : at + 5]] == [
        "│ where     network.py:14",
        "│ expected  strides `(4, 4)`",
        "│ received  strides `(2, 2)`",
        "│ try       Pass `strides=4` to the first `Conv2D`.",
    ]


def test_every_outcome_is_told_in_words(samples: ModuleType) -> None:
    text = render_terminal(samples.typical(), colour=False, width=120)

    assert "◐ The layers are those of the Deep Q-Network  partly passed" in text
    assert "– The loss is Huber's, and can be differentiated  skipped" in text
    assert "! convolve2d can be called  could not be judged" in text
    assert "builds on training.interface" in text


def test_plots_and_layers_are_summed_up_in_a_sentence(samples: ModuleType) -> None:
    text = " ".join(render_terminal(samples.typical(), colour=False, width=120).split())

    assert "2 of 6 layers differ, 1 is missing and 1 was not asked for: layer 1 has" in text
    assert "Mean episode return 212.9 (random 24.1, reference 500.0)" in text
    interval = r"normalised score 0\.40, 95 % interval 0\.3\d to 0\.4\d\. Over 20 paired"
    assert re.search(interval, text)
    assert "scores lower than the reference (mean difference −287.1" in text
    assert "Points by the normalised score: none at 0, all at 0.95, in proportion between." in text


def test_layers_stand_in_columns_with_what_was_asked_for_below(samples: ModuleType) -> None:
    lines = render_terminal(samples.typical(), colour=False, width=100).splitlines()

    at = next(index for index, line in enumerate(lines) if "≠ 1 Conv2D" in line)
    assert [line.rstrip() for line in lines[at - 1 : at + 6]] == [
        "    →   Rescaling scale 1/255, offset 0",
        "    ≠ 1 Conv2D    32 filters, kernel (8, 8), strides (2, 2), valid, relu",
        "                  asked for strides (4, 4)",
        "    ✓ 2 Conv2D    64 filters, kernel (4, 4), strides (2, 2), valid, relu",
        "    − 3 Conv2D    missing: 64 filters, kernel (3, 3), strides (1, 1), valid, relu",
        "    +   Dropout   rate 0.5",
        "                  not asked for",
    ]


def test_matching_layers_are_not_listed(samples: ModuleType) -> None:
    assert "Conv2D" not in render_terminal(samples.perfect(), colour=False, width=100)


def test_hidden_checks_are_not_in_it(samples: ModuleType) -> None:
    report = samples.typical()
    hidden = [r for r in report.results if r.visibility is Visibility.HIDDEN]

    text = render_terminal(report, colour=False, width=120)

    assert hidden
    for result in hidden:
        assert result.title not in text
        assert result.id not in text


def test_withheld_score_is_explained(samples: ModuleType) -> None:
    text = " ".join(render_terminal(samples.withheld(), colour=False, width=80).split())

    assert "walter: score withheld" in text
    assert "The grader or the machine failed in agent.performance." in text
    assert "What to fix first" not in text


def test_full_marks_have_nothing_to_fix(samples: ModuleType) -> None:
    text = render_terminal(samples.perfect(), colour=False, width=80)

    assert "All 17 checks passed." in text
    assert "What to fix first" not in text
    assert "explain" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("name", ["typical", "withheld", "hostile"])
def test_no_line_is_wider_than_the_terminal(samples: ModuleType, name: str, width: int) -> None:
    report = getattr(samples, name)()
    text = render_terminal(report, colour=False, width=width)
    text += render_class_terminal([report, samples.perfect()], "reports", colour=False, width=width)

    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_terminal_that_is_too_narrow_counts_as_forty_columns(samples: ModuleType) -> None:
    report = samples.typical()

    assert render_terminal(report, colour=False, width=0) == render_terminal(
        report, colour=False, width=40
    )


def test_colour_adds_escape_sequences_and_nothing_else(samples: ModuleType) -> None:
    plain = render_terminal(samples.typical(), colour=False, width=80)
    coloured = render_terminal(samples.typical(), colour=True, width=80)

    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    uncoloured = re.sub("\x1b\\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in uncoloured.splitlines()] == plain.splitlines()


def test_surroundings_do_not_change_the_text(
    samples: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = render_terminal(samples.typical(), colour=True, width=80)
    for name, value in (("NO_COLOR", "1"), ("COLUMNS", "33"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)

    assert render_terminal(samples.typical(), colour=True, width=80) == before


@pytest.mark.parametrize("width", [40, 53, 80, 131])
def test_hostile_text_gives_no_orders_to_a_terminal_or_a_ci_log(
    samples: ModuleType, width: int
) -> None:
    report = samples.hostile()
    text = render_terminal(report, colour=False, width=width) + render_class_terminal(
        [report], "reports", colour=False, width=width
    )

    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text) is None
    assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []
    assert re.search(r"##\w*\[", text) is None
    assert "<script>" in text


def test_class_table_is_sorted_and_tells_scores_and_states(samples: ModuleType) -> None:
    reports = [samples.withheld("zoe"), samples.typical("bob"), samples.perfect("ann")]

    lines = render_class_terminal(reports, "out", colour=False, width=80).splitlines()

    assert [line.split() for line in lines[:4]] == [
        ["Submission", "Score", "Status"],
        ["ann", "100", "graded"],
        ["bob", "51.91", "graded"],
        ["zoe", "–", "withheld"],
    ]


def test_class_is_summed_up(samples: ModuleType) -> None:
    reports = [samples.withheld("zoe"), samples.typical("bob"), samples.perfect("ann")]

    text = render_class_terminal(reports, "out/", colour=False, width=100)

    assert "3 submissions, 2 graded, 1 withheld; mean 75.95, median 75.95 of 100" in text
    assert re.search(r"50 %\s+1 of 2\s+It plays as well as the reference  agent.performance", text)
    assert text.endswith("Report: out/index.html\n")


def test_class_without_a_mark_has_no_mean(samples: ModuleType) -> None:
    text = render_class_terminal([samples.withheld()], "out", colour=False, width=100)

    assert "1 submission, 0 graded, 1 withheld\n" in text
    assert "mean" not in text


def test_check_without_findings_still_says_what_its_outcome_means(samples: ModuleType) -> None:
    report = samples.report("x", (samples.result("agent.performance", Outcome.FAULT, 0.0),))

    text = " ".join(render_terminal(report, colour=False, width=80).split())
    assert "It is not your mistake and costs you nothing" in text
