"""Open pages of the built site in headless Chromium and check what a reader sees: `python tests/browser.py SITE SHOTS`.

The script is a part of `.ci/browser`. It checks that every formula is rendered, that no raw TeX is left, and that the two
columns of a study page stand side by side on a wide window and one below the other on a narrow one. The map of the paper
and the numbers of the study pages must fit their windows, because a reader does not see that a table can be scrolled.
"""

import http.server
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

WIDE, NARROW, HEIGHT = 1280, 400, 900
USUAL = 1400
READY = "return window.MathJax?.startup?.promise?.then(() => true) ?? false"
FORMULAS = """
const formulas = [...document.querySelectorAll('.math')];
return [formulas.length, formulas.filter(one => !one.querySelector('mjx-container')).map(one => one.textContent),
        document.querySelectorAll('mjx-merror').length]
"""
RAW_TEX = r"return (document.querySelector('article').innerText.match(/\\\(|\\\[|\\frac|\\sum|\$\$/g) || []).length"
PAIRS = """
return [...document.querySelectorAll('div.study-pair')].map(pair => ['derivation', 'code'].map(part => {
    const box = pair.querySelector('.study-' + part).getBoundingClientRect();
    return [box.left, box.right, box.top, box.bottom];
}))
"""
CUT = """
return [...document.querySelectorAll(arguments[0])].filter(table => {
    const box = table.parentElement.getBoundingClientRect();
    return [...table.querySelectorAll('th, td, pre')].some(cell => {
        const inner = cell.getBoundingClientRect();
        return inner.right > box.right + 1 || cell.scrollWidth > cell.clientWidth + 1;
    });
}).length
"""
FOREIGN = """
return performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith(location.origin))
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files and print nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve the site's files and give their address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Give a headless Chromium, driven by the chromedriver on PATH."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    # With both paths given, Selenium does not look for a driver in the network.
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def resize(driver: webdriver.Chrome, width: int) -> None:
    """Set the size of the page's own area, which can be narrower than the smallest window."""
    size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def open_page(driver: webdriver.Chrome, address: str, width: int) -> None:
    """Open a page and wait until its formulas are rendered."""
    resize(driver, width)
    driver.get(address)
    if driver.execute_script("return document.querySelectorAll('.math').length"):
        WebDriverWait(driver, 60).until(lambda opened: opened.execute_script(READY))


def faults(driver: webdriver.Chrome, name: str) -> list[str]:
    """Return what is wrong with the formulas of the open page, or with the addresses of its files."""
    count, missing, errors = driver.execute_script(FORMULAS)
    raw, foreign = driver.execute_script(RAW_TEX), driver.execute_script(FOREIGN)
    print(f"{name}: {count} formulas, {len(missing)} not rendered, {errors} with errors, {raw} pieces of raw TeX")
    found = [f"{name}: {problem}" for problem in (*missing[:3], *foreign)]
    return [*found, *([f"{name}: MathJax errors"] if errors else []), *([f"{name}: raw TeX"] if raw else [])]


def column_faults(driver: webdriver.Chrome, name: str, width: int) -> list[str]:
    """Return pairs of columns that are not side by side (wide), or not one below the other (narrow)."""
    pairs = driver.execute_script(PAIRS)
    print(f"{name}: {len(pairs)} pairs of columns at {width} pixels")
    if width >= WIDE:
        wrong = [left for left, right in pairs if not (left[1] <= right[0] and abs(left[2] - right[2]) < 5)]
    else:
        wrong = [left for left, right in pairs if not left[3] <= right[2]]
    return [f"{name}: {len(wrong)} pairs stand wrongly at {width} pixels"] if wrong else []


def table_faults(driver: webdriver.Chrome, name: str, tables: str) -> list[str]:
    """Return tables that are partly outside of their frame, or have a text outside of its cell."""
    cut = driver.execute_script(CUT, tables)
    return [f"{name}: {cut} tables do not fit"] if cut else []


def study_pages(site: Path) -> list[str]:
    """Return the study pages that have pairs of columns."""
    found = sorted((site / "study").glob("*.html"))
    return [f"study/{path.name}" for path in found if "study-pair" in path.read_text(encoding="utf-8")]


def check(site: Path, shots: Path) -> list[str]:
    """Open the pages and return what is wrong with them."""
    found = []
    shots.mkdir(parents=True, exist_ok=True)
    study = study_pages(site)
    with served(site) as address, browser() as driver:
        for name in ("index.html", "start.html", "derivations.html", "noise_origin.html", "paper_map.html", *study):
            open_page(driver, f"{address}/{name}", WIDE)
            found += faults(driver, name) + column_faults(driver, name, WIDE)
        for name in study:
            open_page(driver, f"{address}/{name}", NARROW)
            found += table_faults(driver, name, "table.study-numbers")
        open_page(driver, f"{address}/paper_map.html", USUAL)
        found += table_faults(driver, "paper_map.html", "table")
        pictured = study[0] if study else "derivations.html"
        for name, width in ((pictured, WIDE), (pictured, NARROW), ("gallery.html", WIDE)):
            open_page(driver, f"{address}/{name}", width)
            found += column_faults(driver, name, width)
            driver.save_screenshot(str(shots / f"{Path(name).stem}-{width}.png"))
    return found if study else [*found, "no study page has pairs of columns"]


if __name__ == "__main__":
    wrong = check(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(wrong))
    sys.exit(bool(wrong))
