import pytest

from grader.records.report import ReportStatus, SeedSet
from grader.records.result import Outcome, RowStatus, Severity
from grader.records.spec import Isolation
from grader.reporting import wording


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (8.0, "8"),
        (87.5, "87.5"),
        (10 / 3, "3.33"),
        (0.0, "0"),
        (-0.001, "0"),
        (-1.5, "−1.5"),
        (100.0, "100"),
        (1234.5, "1,234.5"),
    ],
)
def test_points_have_no_idle_zeros(points: float, text: str) -> None:
    assert wording.points_text(points) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.4, "0.40"), (-0.001, "0.00"), (-0.25, "−0.25"), (1500.0, "1,500.00")]
)
def test_fixed_numbers_keep_their_decimals(value: float, text: str) -> None:
    assert wording.fixed_text(value, 2) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.001, "1 %"), (0.5, "50 %"), (0.999, "99 %"), (1.0, "100 %")],
)
def test_share_says_none_and_all_only_when_it_is_so(share: float, text: str) -> None:
    assert wording.share_text(share) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (1023, "1,023 bytes"), (1536, "1.5 KiB"), (2 << 20, "2.0 MiB")],
)
def test_sizes_have_units(size_bytes: int, text: str) -> None:
    assert wording.size_text(size_bytes) == text


def test_every_member_has_words() -> None:
    assert set(wording.OUTCOME_WORDS) == set(wording.OUTCOME_NOTES) == set(Outcome)
    assert set(wording.ROW_WORDS) == set(RowStatus)
    assert set(wording.SEVERITY_WORDS) == set(Severity)
    assert set(wording.STATUS_WORDS) == set(ReportStatus)
    assert set(wording.ISOLATION_WORDS) == set(Isolation)
    assert set(wording.SEED_WORDS) == set(SeedSet)
    assert len(set(wording.OUTCOME_WORDS.values())) == len(Outcome)
