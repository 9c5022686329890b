"""A film is played, stopped and stepped through, by mouse and by keyboard; without a script and on
paper a strip of pictures stands in its place."""

import io
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from grader.reporting.films import film_page
from grader.reporting.score_report import render_score_report

LAST = 24


@pytest.fixture
def html(samples: ModuleType) -> str:
    return film_page(samples.film(LAST))


@pytest.fixture
def film(page: Any, html: str) -> webdriver.Chrome:
    opened: webdriver.Chrome = page.open(html)
    return opened


def one(driver: webdriver.Chrome, selector: str) -> Any:
    return driver.find_element(By.CSS_SELECTOR, selector)


def does(driver: webdriver.Chrome, name: str) -> Any:
    return one(driver, f"[data-does='{name}']")


def told(driver: webdriver.Chrome) -> list[str]:
    """Step, action, reward and return, as they stand beside the picture."""
    return [
        one(driver, f"[data-told='{name}']").text for name in ("step", "action", "reward", "total")
    ]


def step(driver: webdriver.Chrome) -> int:
    return int(one(driver, "[data-told='step']").text)


def place(driver: webdriver.Chrome) -> int:
    """The frame of the sheet that is seen."""
    x, y = driver.execute_script(
        "const use = document.querySelector('.film-stage use');"
        "return [Number(use.getAttribute('x')), Number(use.getAttribute('y'))]"
    )
    return int(-x // 60 - y // 40 * 10)


def test_a_film_stands_still_until_it_is_played(film: webdriver.Chrome) -> None:
    assert told(film) == ["0", "push left", "1", "0"]
    assert does(film, "play").text == "Play"
    assert not does(film, "back").is_enabled()
    film.execute_async_script("setTimeout(arguments[0], 500)")
    assert step(film) == 0


def test_it_plays_stops_and_starts_again_from_the_end(film: webdriver.Chrome) -> None:
    Select(one(film, "select")).select_by_value("20")
    does(film, "play").click()
    assert does(film, "play").text == "Pause"
    WebDriverWait(film, 10).until(lambda driver: step(driver) > 2)
    does(film, "play").click()
    stopped = step(film)
    film.execute_async_script("setTimeout(arguments[0], 300)")
    assert step(film) == stopped == place(film)

    does(film, "play").click()
    WebDriverWait(film, 20).until(lambda driver: does(driver, "play").text == "Play")
    assert told(film) == ["24", "none", "none", "24"]
    assert not does(film, "forward").is_enabled()

    does(film, "play").click()
    WebDriverWait(film, 10).until(lambda driver: 0 < step(driver) < LAST)


def test_it_is_stepped_through_by_its_buttons(film: webdriver.Chrome) -> None:
    for _ in range(4):
        does(film, "forward").click()
    assert told(film) == ["4", "push right", "1", "4"]
    assert place(film) == 4

    does(film, "back").click()
    assert (step(film), place(film)) == (3, 3)


def red_square(driver: webdriver.Chrome) -> float:
    """Where the red square is seen, from the left edge in shares of the width."""
    with Image.open(io.BytesIO(one(driver, ".film-stage svg").screenshot_as_png)) as image:
        red, _, blue = np.moveaxis(np.asarray(image.convert("RGB"), np.int16), -1, 0)
    return float(np.argwhere(red - blue > 150)[:, 1].mean() / red.shape[1])


def test_the_picture_seen_is_the_one_of_the_step(film: webdriver.Chrome) -> None:
    """The red square moves by two of sixty columns a step."""
    stage = one(film, ".film-stage")
    assert red_square(film) == pytest.approx(2 / 60, abs=0.02)

    stage.send_keys(*[Keys.ARROW_RIGHT] * 13)
    assert red_square(film) == pytest.approx((2 * 13 + 2) / 60, abs=0.02)

    stage.send_keys(Keys.END)
    assert red_square(film) == pytest.approx((2 * LAST + 2) / 60, abs=0.02)


def test_it_is_moved_by_keyboard_alone(film: webdriver.Chrome) -> None:
    stage = one(film, ".film-stage")
    stage.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert step(film) == 2
    stage.send_keys(Keys.ARROW_LEFT)
    assert step(film) == 1
    stage.send_keys(Keys.END)
    assert step(film) == LAST
    stage.send_keys(Keys.HOME)
    assert step(film) == 0
    stage.send_keys(Keys.SPACE)
    assert does(film, "play").text == "Pause"
    stage.send_keys(Keys.SPACE)
    assert does(film, "play").text == "Play"

    does(film, "forward").send_keys(Keys.SPACE)
    assert does(film, "play").text == "Play"
    does(film, "play").send_keys(Keys.ENTER)
    assert does(film, "play").text == "Pause"


def test_the_slider_goes_to_any_place(film: webdriver.Chrome) -> None:
    slider = one(film, "input")
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert (step(film), place(film)) == (3, 3)
    slider.send_keys(Keys.END)
    assert step(film) == LAST
    assert slider.get_attribute("aria-valuetext") == "Step 24 of 24"


def test_stepping_to_the_end_leaves_the_keyboard_in_the_film(film: webdriver.Chrome) -> None:
    one(film, ".film-stage").send_keys(Keys.END, Keys.ARROW_LEFT)
    forward = does(film, "forward")
    forward.send_keys(Keys.ENTER)

    assert not forward.is_enabled()
    assert film.switch_to.active_element == one(film, ".film-stage")
    film.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    assert step(film) == LAST - 1


def test_values_stand_as_bars_with_the_action_taken_marked(film: webdriver.Chrome) -> None:
    one(film, ".film-stage").send_keys(Keys.ARROW_RIGHT)
    rows = film.find_elements(By.CSS_SELECTOR, ".film-values li")

    assert [row.text.split("\n")[:2] for row in rows] == [["push left", "10.25"],
                                                          ["push right", "12.40"]]  # fmt: skip
    widths = [row.find_element(By.CSS_SELECTOR, ".film-bar span").size["width"] for row in rows]
    assert 0 < widths[0] < widths[1]
    assert ["film-taken" in row.get_attribute("class") for row in rows] == [True, False]
    assert ["film-largest" in row.get_attribute("class") for row in rows] == [False, True]
    marks = [row.find_element(By.CSS_SELECTOR, ".film-mark") for row in rows]
    assert [mark.is_displayed() for mark in marks] == [True, False]

    one(film, ".film-stage").send_keys(Keys.END)
    assert not any("film-taken" in row.get_attribute("class") for row in rows)


def test_a_voice_is_told_of_steps_and_not_of_playing(film: webdriver.Chrome) -> None:
    spoken = one(film, "[data-told='spoken']")
    assert spoken.get_attribute("aria-live") == "polite"
    does(film, "forward").click()
    said = "Step 1 of 24: action push left, reward 1, return so far 1"
    assert spoken.get_attribute("textContent") == said
    assert one(film, ".film-stage svg").get_attribute("aria-label") == said

    does(film, "play").click()
    WebDriverWait(film, 10).until(lambda driver: step(driver) > 1)
    assert spoken.get_attribute("textContent") == ""


def test_whoever_wants_less_motion_gets_it_slow(page: Any, html: str) -> None:
    driver = page.open(html)
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]},
    )
    driver.refresh()

    assert Select(one(driver, "select")).first_selected_option.text == "1 a second"
    assert does(driver, "play").text == "Play"


@pytest.mark.parametrize(("javascript", "media"), [(False, ""), (True, "print"), (False, "print")])
def test_a_strip_stands_for_the_film_without_a_script_and_on_paper(
    page: Any, html: str, javascript: bool, media: str
) -> None:
    driver = page.open(html, javascript=javascript, media=media)

    assert not one(driver, ".film-player").is_displayed()
    shown = driver.find_elements(By.CSS_SELECTOR, ".film-strip li")
    assert [element.text.split("\n")[0] for element in shown] == [
        "Step 0 push left", "Step 4 push right", "Step 9 push right", "Step 14 push left",
        "Step 19 push left", "Step 24 the end",
    ]  # fmt: skip
    assert all(element.is_displayed() for element in shown)


def test_the_strip_makes_way_for_the_film(film: webdriver.Chrome) -> None:
    assert one(film, ".film-player").is_displayed()
    assert not one(film, ".film-strip").is_displayed()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_everything_fits_and_can_be_hit(page: Any, html: str, width: int) -> None:
    driver = page.open(html, width=width)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")

    assert driver.execute_script(
        "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    for element in driver.find_elements(By.CSS_SELECTOR, ".film-controls button, select, input"):
        assert min(element.size["height"], element.size["width"]) >= 40
    assert one(driver, ".film-stage svg").size["width"] >= 250


def test_nothing_is_asked_for_and_nothing_refused(page: Any, html: str) -> None:
    driver = page.open(html)
    does(driver, "forward").click()

    requests = {url for url in page.requests() if not url.startswith("data:")}
    assert requests == {driver.current_url}
    assert page.messages("browser") == []


def test_two_films_of_a_report_run_by_themselves(page: Any, samples: ModuleType) -> None:
    driver = page.open(render_score_report(samples.typical()))
    first, second = driver.find_elements(By.CSS_SELECTOR, ".film")

    first.find_element(By.CSS_SELECTOR, ".film-stage").send_keys(Keys.ARROW_RIGHT)

    steps = [
        film.find_element(By.CSS_SELECTOR, "[data-told='step']").text for film in (first, second)
    ]
    assert steps == ["1", "0"]
    assert first.find_elements(By.CSS_SELECTOR, ".film-values")
    assert not second.find_elements(By.CSS_SELECTOR, ".film-values")
