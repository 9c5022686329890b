"""The score report as it stands on the screen."""

from collections.abc import Callable
from typing import Any

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


def test_layers_stand_side_by_side_on_a_wide_screen_and_in_cards_on_a_phone(
    page: Any, pages: Callable[[str], str]
) -> None:
    cells = "return [...document.querySelectorAll('.row-differs td')].slice(0, 2)"
    rects = cells + ".map(e => e.getBoundingClientRect()).map(r => [r.left, r.top])"

    expected, received = page.open(pages("typical"), width=1280).execute_script(rects)
    assert expected[1] == received[1]
    assert expected[0] < received[0]

    expected, received = page.open(pages("typical"), width=375).execute_script(rects)
    assert expected[0] == received[0]
    assert expected[1] < received[1]


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
