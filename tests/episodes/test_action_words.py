import pytest
from gymnasium import spaces

from grader.episodes.action_words import action_text


@pytest.mark.parametrize(
    ("action", "names", "text"),
    [
        (1, ("left", "right"), "right"),
        (7, ("left", "right"), "7"),
        ((0.5, -1.25), (), "(0.5, −1.25)"),
        ((1, 0), (), "(1, 0)"),
    ],
)
def test_an_action_is_told_by_its_name_or_its_numbers(
    action: object, names: tuple[str, ...], text: str
) -> None:
    assert action_text(action, spaces.Discrete(2), names) == text
