"""The score report as it stands on the screen."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from selenium.webdriver.common.by import By


def test_first_thing_to_fix_leads_to_its_check(page: Any, pages: Callable[[str], str]) -> None:
    driver = page.open(pages("typical"))

    driver.find_element(By.CSS_SELECTOR, ".priorities a").click()

    target = driver.find_element(By.CSS_SELECTOR, ":target")
    assert target.get_attribute("id") == "check-training.interface"
    assert (
        abs(driver.execute_script("return arguments[0].getBoundingClientRect().top", target)) < 60
    )


def test_link_on_a_code_unfolds_its_explanation(page: Any, pages: Callable[[str], str]) -> None:
    driver = page.open(pages("typical"))
    explanation = driver.find_element(By.ID, "explain-network.architecture-NW102")
    assert not explanation.is_displayed()

    # The second finding with this code has no explanation of its own; its link opens the first's.
    driver.find_elements(By.CSS_SELECTOR, "a[href='#explain-network.architecture-NW102']")[
        1
    ].click()

    assert explanation.is_displayed()
    assert "strides=4" in explanation.text


@pytest.mark.parametrize("width", [1280, 375])
def test_layers_stand_side_by_side_row_by_row(
    page: Any, pages: Callable[[str], str], width: int
) -> None:
    driver = page.open(pages("branching"), width=width)

    rows = driver.execute_script(
        "return [...document.querySelectorAll('.diff tbody tr:not(.row-input)')].map(row =>"
        " [...row.querySelectorAll('.block')].map(e => e.getBoundingClientRect())"
        ".map(r => [r.left, r.right, r.top, r.bottom]))"
    )

    assert len(rows) == 9
    for expected, received in rows:
        assert expected[2:] == received[2:]
        assert expected[1] < received[0]
    for above, below in pairwise(rows):
        assert above[0][3] < below[0][2]


@pytest.mark.parametrize("media", ["", "print"])
@pytest.mark.parametrize("width", [1280, 680, 375])
def test_lines_between_layers_have_no_gaps(
    page: Any, pages: Callable[[str], str], width: int, media: str
) -> None:
    driver = page.open(pages("branching"), width=width, media=media)

    rails = driver.execute_script(
        "return ['left', 'right'].map(side => [...document.querySelectorAll('.rail-' + side)]"
        ".map(e => e.getBoundingClientRect()).map(r => [r.left, r.top, r.bottom]))"
    )

    for column in rails:
        assert len(column) == 10
        assert len({left for left, _, _ in column}) == 1
        for (_, _, bottom), (_, top, _) in pairwise(column):
            assert abs(bottom - top) < 1


def test_what_differs_in_a_layer_is_marked_by_more_than_colour(
    page: Any, pages: Callable[[str], str]
) -> None:
    driver = page.open(pages("typical"))

    marked = driver.execute_script(
        "return [...document.querySelectorAll('.row-differs .chip-differs')]"
        ".map(e => [e.innerText.trim(), getComputedStyle(e).outlineStyle])"
    )

    assert marked[0][0].startswith("→")
    assert "strides (4, 4)" in marked[0][0]
    assert marked[0][1] == "dashed"
    assert marked[1][0].startswith("≠")
    assert "strides (2, 2)" in marked[1][0]
    assert marked[1][1] == "solid"


def test_pictures_are_shown_sharp_and_with_their_captions(
    page: Any, pages: Callable[[str], str]
) -> None:
    driver = page.open(pages("typical"))

    shown = driver.execute_script(
        "return [...document.querySelectorAll('.pictures img')].map(e =>"
        " [e.complete && e.naturalWidth > 0, getComputedStyle(e).imageRendering,"
        "  Math.round(e.clientWidth), Math.round(e.clientHeight)])"
    )

    assert len(shown) > 100
    assert all(loaded for loaded, _, _, _ in shown)
    assert {rendering for _, rendering, _, _ in shown} == {"pixelated"}
    assert min(min(width, height) for _, _, width, height in shown) >= 20
    figures = driver.find_elements(By.CSS_SELECTOR, ".pictures figure")
    assert all(figure.find_elements(By.TAG_NAME, "figcaption") for figure in figures)


def test_dead_maps_are_marked_in_words(page: Any, pages: Callable[[str], str]) -> None:
    driver = page.open(pages("typical"))

    labels = [element.text for element in driver.find_elements(By.CSS_SELECTOR, ".dead")]

    assert labels == ["1 · zero", "2 · zero", "3 · zero"]


def test_layer_table_stays_a_table_for_screen_readers_on_a_phone(
    page: Any, pages: Callable[[str], str]
) -> None:
    driver = page.open(pages("typical"), width=375)

    tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names: dict[str, list[str]] = {"columnheader": [], "rowheader": [], "cell": []}
    for node in tree:
        role = node.get("role", {}).get("value")
        if not node["ignored"] and role in names:
            names[role].append(node["name"]["value"].strip())

    assert {"Layer", "Expected", "Received (yours)", "Points"} <= set(names["columnheader"])
    assert [name for name in names["rowheader"] if name == "differs"] == ["differs"] * 2
    assert "no such layer This layer is not in your network." in " / ".join(names["cell"])


def test_wide_tables_scroll_in_a_region_that_takes_the_keyboard(
    page: Any, pages: Callable[[str], str]
) -> None:
    driver = page.open(pages("typical"), width=375)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")

    wide = driver.execute_script(
        "return [...document.querySelectorAll('main *, footer *')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1"
        " && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))"
        ".map(e => [e.tabIndex, e.getAttribute('aria-labelledby') || e.ariaLabel || ''])"
    )

    assert wide
    assert all(tab_index == 0 and label for tab_index, label in wide)


def test_outcome_is_told_in_words_beside_every_icon(page: Any, pages: Callable[[str], str]) -> None:
    driver = page.open(pages("typical"))

    words = {element.text for element in driver.find_elements(By.CSS_SELECTOR, ".outcome")}

    assert words == {"passed", "partly passed", "not passed", "skipped", "could not be judged"}
