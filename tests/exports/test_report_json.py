import json
from types import ModuleType

import pytest
from pydantic import ValidationError

from grader.errors import GraderFault
from grader.exports.report_json import parse_report_json, report_json

REPORTS = ("typical", "perfect", "withheld", "empty", "hostile")


def test_promised_fields_come_first_and_in_order(samples: ModuleType) -> None:
    data = json.loads(report_json(samples.typical()))

    assert list(data)[:7] == [
        "schema_version", "assignment", "submission", "status", "score", "max_score", "results",
    ]  # fmt: skip
    assert list(data["assignment"])[:2] == ["id", "digest"]
    assert list(data["submission"]) == ["id", "digest", "files"]
    assert list(data["submission"]["files"][0]) == ["path", "size_bytes", "sha256"]
    for result in data["results"]:
        assert list(result)[:9] == [
            "id", "part", "title", "outcome", "points", "max_points", "visibility", "requires",
            "findings",
        ]  # fmt: skip
        for finding in result["findings"]:
            assert list(finding) == [
                "code", "severity", "claim", "where", "expected", "received", "try",
            ]  # fmt: skip


def test_values_are_those_of_the_contract(samples: ModuleType) -> None:
    data = json.loads(report_json(samples.typical()))

    assert data["schema_version"] == 1
    assert data["status"] == "graded"
    assert data["score"] == pytest.approx(51.91)
    assert data["max_score"] == 100.0
    by_id = {result["id"]: result for result in data["results"]}
    assert by_id["network.architecture"]["outcome"] == "partial"
    assert by_id["network.architecture"]["requires"] == ["network.interface"]
    assert by_id["agent.deterministic"]["visibility"] == "hidden"
    assert by_id["network.architecture"]["findings"][0] == {
        "code": "NW102",
        "severity": "error",
        "claim": "The first convolution moves 2 pixels at a time, not 4.",
        "where": "network.py:14",
        "expected": "strides `(4, 4)`",
        "received": "strides `(2, 2)`",
        "try": "Pass `strides=4` to the first `Conv2D`.",
    }


def test_what_else_there_is_stands_beside(samples: ModuleType) -> None:
    data = json.loads(report_json(samples.typical()))

    assert data["grader_version"] == "0.1.0"
    assert data["isolation"] == "full"
    assert data["seeds"] == "final"
    assert data["assignment"]["title"] == samples.TITLE
    assert [part["id"] for part in data["parts"]] == [part.id for part in samples.PARTS]
    exhibits = {e["type"] for result in data["results"] for e in result["exhibits"]}
    assert exhibits == {
        "network_table", "network_pictures", "filtered_image", "episode_returns", "action_counts",
        "film",
    }  # fmt: skip


def test_withheld_score_is_null(samples: ModuleType) -> None:
    data = json.loads(report_json(samples.withheld()))

    assert (data["status"], data["score"]) == ("withheld", None)


@pytest.mark.parametrize("name", REPORTS)
def test_reading_gives_back_what_was_written(samples: ModuleType, name: str) -> None:
    report = getattr(samples, name)()

    assert parse_report_json(report_json(report)) == report


def test_equal_reports_give_equal_bytes(samples: ModuleType) -> None:
    assert report_json(samples.typical()).encode() == report_json(samples.typical()).encode()


def test_text_is_indented_readable_and_ends_with_a_newline(samples: ModuleType) -> None:
    text = report_json(samples.perfect("chloé"))

    assert text.startswith('{\n  "schema_version": 1,\n')
    assert text.endswith("}\n")
    assert '"id": "chloé"' in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_number_that_json_cannot_say_is_a_fault(samples: ModuleType, value: float) -> None:
    report = samples.typical()
    returns = samples.returns().model_copy(update={"normalized_score": value})
    broken = samples.result("agent.performance", exhibits=(returns,))
    report = samples.report("x", (broken,))

    with pytest.raises(GraderFault, match="not finite"):
        report_json(report)


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 2}', "[]"])
def test_text_that_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_report_json(text)
