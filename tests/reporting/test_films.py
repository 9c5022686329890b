import base64
import io
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from grader.episodes.film_sheet import make_film, shown_steps, with_values
from grader.records.films import Film
from grader.reporting.films import film_page, film_view


def long_film(steps: int = 400) -> Film:
    return make_film(
        np.zeros((steps + 1, 12, 12, 3), np.uint8),
        title="A long one",
        actions=["on"] * steps,
        rewards=[0.5] * steps,
    )


def test_every_frame_has_its_place_in_the_sheet(samples: ModuleType) -> None:
    view = film_view(samples.film(24))

    assert (view.sheet_width, view.sheet_height) == (600, 120)
    assert [(frame.x, frame.y) for frame in view.frames[9:12]] == [(540, 0), (0, 40), (60, 40)]
    assert len({(frame.x, frame.y) for frame in view.frames}) == 25


def test_the_summary_says_how_it_went(samples: ModuleType) -> None:
    view = film_view(samples.film(24))

    assert view.summary == "Return 24 in 24 steps. The environment ended it (terminated)."
    assert view.left_out == ""


def test_what_is_left_out_is_said() -> None:
    view = film_view(long_film())

    assert view.left_out == "100 moments of 401 are shown, the last 30 one by one."
    assert view.frames[1].step == shown_steps(400)[1]
    assert view.frames[1].reward in {"2.5", "3"}


@pytest.mark.parametrize(
    ("steps", "keys"), [(0, [0]), (3, [0, 1, 2, 3]), (24, [0, 4, 9, 14, 19, 24])]
)
def test_key_frames_run_from_the_first_to_the_last(
    samples: ModuleType, steps: int, keys: list[int]
) -> None:
    view = film_view(samples.film(steps, values=False))

    assert [frame.step for frame in view.key_frames] == keys


def test_bars_reach_from_the_smallest_to_the_largest_value(samples: ModuleType) -> None:
    view = film_view(samples.film(24))

    widths = [value.width for frame in view.frames for value in frame.values]
    assert (min(widths), max(widths)) == (4.0, 100.0)
    assert view.scale == "10.00 to 15.75"
    assert [value.text for value in view.frames[4].values] == ["11.00", "12.10"]
    assert view.frames[-1].values == ()


@pytest.mark.parametrize(
    ("rows", "scale"),
    [
        ([(-1.5e308, 1.5e308), (0.0, 0.0)], "−1.5e+308 to 1.5e+308"),
        ([(3.0, 3.0), (3.0, 3.0)], "3.000 to 3.000"),
        ([(1e-9, 0.0), (0.0, 0.0)], "0 to 1e−09"),
    ],
)
def test_values_of_any_size_are_drawn(
    samples: ModuleType, rows: list[tuple[float, float]], scale: str
) -> None:
    view = film_view(with_values(samples.film(2, values=False), [*rows, None]))

    assert view.scale == scale
    assert all(0 <= value.width <= 100 for frame in view.frames for value in frame.values)


def test_a_page_holds_the_whole_sheet_and_asks_for_nothing_else(samples: ModuleType) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (30, 60, 60, 3), dtype=np.uint8)
    film = make_film(noise, title="Noise", actions=["on"] * 29, rewards=[1.0] * 29)
    # Longer than what a page shows of any text.
    assert len(film.sheet) > 100_000

    html = film_page(film)

    (found,) = re.findall(r'href="data:image/png;base64,([^"]+)"', html)
    assert found == film.sheet
    with Image.open(io.BytesIO(base64.b64decode(found))) as image:
        assert image.size == (600, 180)
    assert re.search(r"(src|href)=\"(?!#|data:)", html) is None
    assert "style=" not in html
    assert html == film_page(film)


def test_ids_and_links_of_a_page_fit(samples: ModuleType, parsed: Callable[[str], Any]) -> None:
    page = parsed(film_page(samples.film()))

    assert page.unclosed == []
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    labels = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert labels
    assert set(labels) <= set(page.ids)


def test_every_frame_stands_in_the_table(samples: ModuleType, parsed: Callable[[str], Any]) -> None:
    text = parsed(film_page(samples.film(24))).text()

    assert "Value of push right" in text
    for step in range(24):
        assert f" {step} push {'right' if step // 3 % 2 else 'left'} 1 {step} " in text
    assert "24 none none 24" in text


def test_values_are_said_to_be_a_claim_where_there_are_some(
    samples: ModuleType, parsed: Callable[[str], Any]
) -> None:
    claim = "as the agent’s process gave them; nothing is judged by them"

    assert claim in parsed(film_page(samples.film())).text()
    without = film_page(samples.film(values=False))
    assert claim not in without
    assert "Value of" not in without


def test_hostile_text_is_text(samples: ModuleType, parsed: Callable[[str], Any]) -> None:
    page = parsed(film_page(samples.film(text=samples.HOSTILE)))

    assert page.unclosed == []
    assert "<script>window.__pwned=1</script>" in page.text()
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_a_sheet_is_nothing_but_base64(samples: ModuleType) -> None:
    film = samples.film(2)

    with pytest.raises(ValueError, match="sheet"):
        Film.model_validate({**film.model_dump(), "sheet": '"><script>'})
    assert Film.model_validate_json(film.model_dump_json()) == film


def test_a_report_shows_the_films_of_a_check(samples: ModuleType, explained: None) -> None:
    from grader.reporting.score_report import render_score_report

    html = render_score_report(samples.typical())

    assert html.count('class="exhibit film"') == 2
    assert html.count("<script") == 1
