import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from selenium import webdriver

from grader.reporting import class_page, score_report

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

HOW_TO_INSTALL = (
    "The browser tests need {missing}. On Debian and Ubuntu: apt-get install chromium "
    "chromium-driver. Elsewhere: install Google Chrome and the chromedriver of the same version, "
    "and put both on the PATH."
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A headless browser with a profile of its own. Fails, and does not skip, without one."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next((path for path in map(shutil.which, names) if path), None)
    driver_program = shutil.which("chromedriver")
    if program is None or driver_program is None:
        missing = "a Chromium browser" if program is None else "chromedriver"
        pytest.fail(HOW_TO_INSTALL.format(missing=missing), pytrace=False)
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(driver_program)
    driver = webdriver.Chrome(options=options, service=service)
    # The page that a new browser shows asks for things of its own.
    driver.get("about:blank")
    yield driver
    driver.quit()


class Page:
    """A page on disk, opened in the browser as a student would open it."""

    def __init__(self, driver: webdriver.Chrome, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def open(
        self,
        html: str,
        *,
        width: int = 1280,
        scheme: str = "light",
        media: str = "",
        javascript: bool = True,
    ) -> webdriver.Chrome:
        """Opens a page with the given emulation; the driver shows it afterwards."""
        path = self.folder / "page.html"
        path.write_text(html, encoding="utf-8")
        # The logs of the page before are read away.
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.emulate(width=width, scheme=scheme, media=media, javascript=javascript)
        self.driver.get(path.as_uri())
        return self.driver

    def emulate(
        self, *, width: int, scheme: str = "light", media: str = "", javascript: bool = True
    ) -> None:
        command = self.driver.execute_cdp_cmd
        command(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        command(
            "Emulation.setEmulatedMedia",
            {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        command("Emulation.setScriptExecutionDisabled", {"value": not javascript})

    def requests(self) -> list[str]:
        """URLs of everything that was asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.messages("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """Entries of the browser's log since it was last read."""
        return list(self.driver.get_log(kind))


@pytest.fixture
def page(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[Page]:
    """Opens pages, one at a time."""
    opened = Page(browser, tmp_path)
    yield opened
    opened.emulate(width=1280)
    browser.get("about:blank")


@pytest.fixture(autouse=True)
def explained(samples: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the catalogue by two entries with known words."""
    for module in (score_report, class_page):
        monkeypatch.setattr(module, "catalogue", lambda: samples.CATALOGUE)


@pytest.fixture
def pages(samples: ModuleType) -> Callable[[str], str]:
    """Returns a function that renders a page by name."""

    def rendered(name: str) -> str:
        if name == "class":
            reports = [*samples.many(30), samples.typical()]
            return class_page.render_class_page(reports, samples.TITLE)
        if name == "class_hostile":
            reports = [samples.hostile(), samples.typical()]
            return class_page.render_class_page(reports, samples.HOSTILE)
        return score_report.render_score_report(getattr(samples, name)())

    return rendered
