"""What holds for every page: nothing runs, nothing leaves, everything fits and can be read."""

import base64
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

EVERY_PAGE = (
    "typical", "perfect", "withheld", "empty", "branching", "hostile", "class", "class_hostile",
)  # fmt: skip
MAIN_PAGES = ("typical", "withheld", "branching", "class")

# Every element that holds text itself, its contrast with what lies behind it, and the text.
CONTRASTS = """
const parse = (text) => {
  const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
  return {r, g, b, a};
};
const luminance = ({r, g, b}) => {
  const [x, y, z] = [r, g, b].map((v) => {
    const s = v / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.a === 1) return colour;
  }
  return {r: 255, g: 255, b: 255, a: 1};
};
const found = [];
for (const element of document.body.querySelectorAll("*")) {
  const text = [...element.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
  if (!text.length || !element.checkVisibility({visibilityProperty: true})) continue;
  if (["SCRIPT", "title", "desc", "OPTION"].includes(element.tagName)) continue;
  const style = getComputedStyle(element);
  const front = luminance(parse(element instanceof SVGElement ? style.fill : style.color));
  const back = luminance(behind(element));
  const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  found.push([ratio, text[0].data.trim().slice(0, 40), element.tagName]);
}
return found;
"""

OVERFLOWING = """
const root = document.documentElement;
if (root.scrollWidth <= root.clientWidth) return [];
return [...document.body.querySelectorAll("*")]
  .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1)
  .map((e) => e.tagName + "." + e.getAttribute("class")).slice(0, 8);
"""


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_page_asks_for_nothing_but_itself(
    page: Any, pages: Callable[[str], str], name: str
) -> None:
    driver = page.open(pages(name))

    requests = page.requests()
    assert driver.current_url in requests
    # A data URL is text inside the page; it goes nowhere.
    assert {url for url in requests if not url.startswith("data:")} == {driver.current_url}


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_page_writes_nothing_to_the_console(
    page: Any, pages: Callable[[str], str], name: str
) -> None:
    page.open(pages(name))

    assert page.messages("browser") == []


@pytest.mark.parametrize("name", ["hostile", "class_hostile"])
def test_hostile_text_runs_nothing_and_shows_as_text(
    page: Any, pages: Callable[[str], str], name: str
) -> None:
    driver = page.open(pages(name))

    assert driver.execute_script("return window.__pwned") is None
    assert len(driver.find_elements(By.TAG_NAME, "script")) == 1
    assert driver.find_elements(By.CSS_SELECTOR, "iframe, object, embed, textarea") == []
    sources = driver.execute_script("return [...document.images].map(image => image.src)")
    assert [source for source in sources if not source.startswith("data:image/png;base64,")] == []
    links = driver.execute_script("return [...document.links].map(a => a.protocol)")
    assert set(links) <= {"file:"}
    handlers = driver.execute_script(
        "return [...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())"
        ".filter(name => name.startsWith('on'))"
    )
    assert handlers == []
    text = driver.execute_script("return document.body.textContent")
    assert "<script>window.__pwned=1</script>" in text
    assert "{{7*7}}" in text
    assert re.search("[\\x00-\\x08\\x0b-\\x1f\\x7f\u202a-\u202e\u2066-\u2069]", text) is None


@pytest.mark.parametrize("name", ["typical", "class"])
def test_policy_stops_what_would_slip_through_escaping(
    page: Any, pages: Callable[[str], str], name: str
) -> None:
    driver = page.open(pages(name))

    driver.execute_script(
        "const code = document.createElement('script');"
        "code.textContent = 'window.__pwned = 1'; document.body.append(code);"
        "const frame = document.createElement('div');"
        'frame.innerHTML = \'<img src="https://example.invalid/x.png" onerror="__pwned=2">\''
        " + '<link rel=stylesheet href=\"https://example.invalid/x.css\">';"
        "document.body.append(frame);"
    )
    refused = driver.execute_async_script(
        "fetch('https://example.invalid/').then(() => arguments[0]('sent'),"
        " () => arguments[0]('refused'))"
    )

    assert refused == "refused"
    assert driver.execute_script("return window.__pwned") is None
    violations = [entry["message"] for entry in page.messages("browser")]
    assert any("script-src" in message for message in violations)
    assert any("img-src" in message for message in violations)


@pytest.mark.parametrize("width", [320, 375, 1280])
@pytest.mark.parametrize("name", EVERY_PAGE)
def test_page_needs_no_sideways_scrolling(
    page: Any, pages: Callable[[str], str], name: str, width: int
) -> None:
    driver = page.open(pages(name), width=width)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")

    assert driver.execute_script("return innerWidth") == width
    assert driver.execute_script(OVERFLOWING) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAIN_PAGES)
def test_all_text_has_enough_contrast_in_both_colour_schemes(
    page: Any, pages: Callable[[str], str], name: str, scheme: str
) -> None:
    driver = page.open(pages(name), scheme=scheme)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")

    contrasts = driver.execute_script(CONTRASTS)

    assert len(contrasts) > 60
    assert [found for found in contrasts if found[0] < 4.5] == []


def test_colour_scheme_follows_the_reader(page: Any, pages: Callable[[str], str]) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        driver = page.open(pages("typical"), scheme=scheme)
        grounds[scheme] = driver.execute_script(
            "return getComputedStyle(document.body).backgroundColor"
        )

    assert grounds["light"] == "rgb(255, 255, 255)"
    assert sum(int(value) for value in re.findall(r"\d+", grounds["dark"])) < 100


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_headings_come_in_order(page: Any, pages: Callable[[str], str], name: str) -> None:
    driver = page.open(pages(name))

    levels = driver.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])"
    )

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", MAIN_PAGES)
def test_everything_that_can_be_used_or_seen_has_a_name(
    page: Any, pages: Callable[[str], str], name: str
) -> None:
    driver = page.open(pages(name))
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")

    tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {
        "button", "link", "searchbox", "textbox", "combobox", "region", "image", "table", "heading",
        "article", "figure", "DisclosureTriangle",
    }  # fmt: skip
    nodes = [
        node for node in tree if not node["ignored"] and node.get("role", {}).get("value") in named
    ]
    roles = {node["role"]["value"] for node in nodes}

    assert {"link", "region", "image", "table", "heading"} <= roles
    assert [node["role"]["value"] for node in nodes if not node["name"]["value"].strip()] == []
    assert {"banner", "main"} <= {node.get("role", {}).get("value") for node in tree}


@pytest.mark.parametrize("name", MAIN_PAGES)
def test_first_tab_stop_skips_to_the_content(
    page: Any, pages: Callable[[str], str], name: str
) -> None:
    driver = page.open(pages(name))

    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    link = driver.switch_to.active_element
    assert link.text == "Skip to the content"
    assert link.rect["y"] >= 0
    assert driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", link) != (
        "none"
    )
    link.send_keys(Keys.ENTER)

    assert driver.switch_to.active_element.get_attribute("id") == "main"


@pytest.mark.parametrize("name", MAIN_PAGES)
def test_paper_shows_everything_that_the_screen_folds_away(
    page: Any, pages: Callable[[str], str], name: str
) -> None:
    # An A4 page without its margins is 180 mm wide, 680 pixels.
    driver = page.open(pages(name), width=680, scheme="dark", media="print")

    hidden = driver.execute_script(
        # Of a film, a strip of pictures stands on paper.
        "return [...document.querySelectorAll('details:not(.film-table) > :not(summary)')]"
        ".filter(e => !e.checkVisibility() || e.getBoundingClientRect().height === 0)"
        ".map(e => e.textContent.trim().slice(0, 40))"
    )
    assert driver.find_elements(By.TAG_NAME, "details") != []
    assert hidden == []
    assert driver.execute_script(OVERFLOWING) == []
    assert driver.execute_script("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )


@pytest.mark.parametrize("name", MAIN_PAGES)
def test_page_prints_on_a4(page: Any, pages: Callable[[str], str], name: str) -> None:
    driver = page.open(pages(name))

    printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    pdf = base64.b64decode(printed["data"])

    assert pdf.startswith(b"%PDF-")
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert boxes
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}


def test_browsers_that_open_nothing_by_style_are_helped_while_printing(
    page: Any, pages: Callable[[str], str]
) -> None:
    driver = page.open(pages("typical"))
    count = "return [...document.querySelectorAll('details')].filter(d => d.open).length"
    everything = len(driver.find_elements(By.TAG_NAME, "details"))

    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert driver.execute_script(count) == everything > 0
    driver.execute_script("dispatchEvent(new Event('afterprint'))")
    assert driver.execute_script(count) == 0
