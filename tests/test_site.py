"""The documentation site is built without a warning, loads nothing from the network, and has no dead link."""

import os
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paper_map
import pytest

import numpy_rae

for module in ("sphinx", "myst_parser", "furo", "numpydoc", "sphinx-mathjax-offline"):
    pytest.importorskip(module, reason="the extra [docs] is not installed")

ROOT = Path(__file__).resolve().parent.parent
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}


class Page(HTMLParser):
    """The links, anchors and loaded files of one page."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.anchors, self.loaded = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors |= {values[key] for key in ("id", "name") if values.get(key)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag in LOADED and values.get(LOADED[tag]):
            self.loaded.append(values[LOADED[tag]])


@cache
def parsed(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-d",
        str(out / "doctrees"),
        "docs",
        str(out / "html"),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return out / "html"


def dead_links(site: Path) -> list[str]:
    """Return links and loaded files inside of the site that do not exist."""
    dead = []
    for path in sorted(site.rglob("*.html")):
        for link in [*parsed(path).links, *parsed(path).loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target.is_file() and (
                target.suffix != ".html" or not parts.fragment or unquote(parts.fragment) in parsed(target).anchors
            )
            if not there:
                dead.append(f"{path.relative_to(site)}: {link}")
    return dead


def test_no_link_is_dead(site):
    assert not dead_links(site)


def test_no_page_loads_a_file_from_the_network(site):
    for path in site.rglob("*.html"):
        assert not [address for address in parsed(path).loaded if urlsplit(address).netloc], path
    for path in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text(encoding="utf-8")), path


def test_formulas_are_drawn_by_files_of_the_site(site):
    page = site / "derivations.html"
    (script,) = {address for address in parsed(page).loaded if "mathjax" in address}
    folder = (page.parent / urlsplit(script).path).resolve().parent
    assert (folder / "tex-chtml.js").is_file() and list(folder.rglob("*.woff*"))
    assert 'class="math notranslate nohighlight"' in page.read_text(encoding="utf-8")


def test_every_public_name_and_module_is_in_the_api_reference(site):
    anchors = {anchor for path in (site / "api").glob("*.html") for anchor in parsed(path).anchors}
    public = {f"numpy_rae.{name}" for name in numpy_rae.__all__ if name != "__version__"}
    files = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "numpy_rae").rglob("*.py"))
    modules = {".".join(path.parts) for path in files if not any(part.startswith("_") for part in path.parts)}
    assert not (public | {f"module-{module}" for module in modules}) - anchors


def test_every_script_is_in_the_gallery_with_its_pictures(site):
    page = parsed(site / "gallery.html")
    sections = {f"script-{path.stem}".replace("_", "-") for path in (ROOT / "examples").glob("*.py")}
    assert sections <= page.anchors
    shown = {Path(address).name for address in page.loaded}
    scripts = ("fig", "fn4", *(f"{path.stem}-" for path in (ROOT / "examples").glob("*.py")))
    assert {path.name for path in (ROOT / "docs" / "figures").glob("*.png") if path.name.startswith(scripts)} <= shown


def test_the_map_links_derivation_line_and_test_of_every_item(site):
    text = (site / "paper_map.html").read_text(encoding="utf-8")
    found = (re.search(r"<td.*?>(.*?)</td>.*", row, re.DOTALL) for row in text.split("<tr"))
    rows = {re.sub(r"<.*?>", "", cells[1]).strip(): cells[0] for cells in found if cells}
    for tag in [*paper_map.EQUATIONS, *paper_map.STATEMENTS, *paper_map.FIGURES]:
        row = rows[tag]
        assert "derivations.html#" in row or not paper_map.DERIVED_IN[tag]
        assert "source/numpy_rae/" in row and "source/tests/" in row
        assert "gallery.html#" in row or not paper_map.examples(tag)


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#here">b</a> <a href="c.html">c</a>')
    (tmp_path / "b.html").write_text('<p id="there">b</p>')
    assert dead_links(tmp_path) == ["a.html: b.html#here", "a.html: c.html"]
