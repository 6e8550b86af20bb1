"""Study pages: every lettered step has a line of code, every such line a step, and every page defines its symbols."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
from many_cases import check_all

from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.walkthrough.setting import first_setting
from numpy_rae.walkthrough.update import constraint_lines
from numpy_rae.walkthrough.walk import walk

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs" / "study").glob("*.md"))
SHOWN = re.compile(r"^```\{study\} (\S+)$", re.MULTILINE)
PACKAGE = sorted((ROOT / "numpy_rae").rglob("*.py"))


def load(name):
    """Import a module of docs/_ext, which is not on the path. It does not need Sphinx."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "_ext" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


steps = load("lettered_steps")


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Give `lettered_steps` copies of the files, so that a test can plant a fault in them."""
    for file in ("docs/derivations.md", "numpy_rae/penalties.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text((ROOT / file).read_text(encoding="utf-8"), encoding="utf-8")
    own = load("lettered_steps")
    monkeypatch.setattr(own, "ROOT", tmp_path)
    monkeypatch.setattr(own, "DERIVATIONS", tmp_path / "docs" / "derivations.md")
    return own, tmp_path


@pytest.mark.parametrize("name", steps.names())
def test_every_step_has_its_line_and_every_line_its_step(name):
    assert steps.derivation(name)
    assert steps.faults(name) == []


PLANTS = {
    "a line without its letter": ("numpy_rae/penalties.py", "lowered_power(len2, p))  # (e) (m,)", "lowered_power(len2, p))", "step (e)"),
    "a letter without its step": ("docs/derivations.md", "- (c) $R = \\sum_j s_j", "- Then $R = \\sum_j s_j", "(d) in the code"),
    "a step that is not in the docstring": ("numpy_rae/penalties.py", "        (b) s_j        = mean", "        s_j        = mean", "step (b)"),
    "a letter that no step has": ("numpy_rae/penalties.py", "s = batch_sum(power * dh_da) / N  # (b)", "s = batch_sum(power * dh_da) / N  # (b) (x)", "(x) in the code"),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS)
def test_a_missing_letter_is_found(plant, copy):
    own, root = copy
    file, old, new, said = PLANTS[plant]
    text = (root / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (root / file).write_text(text.replace(old, new), encoding="utf-8")
    wrong = own.faults("numpy_rae.penalties.JacobianPenalty")
    assert any(sentence.startswith(said) for sentence in wrong), wrong


def test_every_derivation_is_on_a_page():
    shown = [name for page in PAGES for name in SHOWN.findall(page.read_text(encoding="utf-8"))]
    assert sorted(shown) == sorted(steps.names())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_is_in_the_chapter_and_links_the_symbols(page):
    text = page.read_text(encoding="utf-8")
    index = (page.parent / "index.md").read_text(encoding="utf-8")
    assert page.stem in ("index", "symbols") or "(symbols.md)" in text
    assert page.stem == "index" or (f"]({page.name})" in index and f"\n{page.stem}\n" in index)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_of_the_pages_exist(page):
    for target in re.findall(r"\]\(([^)#\s]*)", page.read_text(encoding="utf-8")):
        assert not target or (page.parent / target).exists(), target


def test_a_tag_in_any_module_has_a_step_in_a_docstring():
    check_all(tags_have_steps, {path.relative_to(ROOT).as_posix(): (path,) for path in PACKAGE})


def tags_have_steps(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    own = steps.IN_DOCSTRING.findall(ast.get_docstring(tree, clean=False) or "")
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    pieces = [steps.piece(path, text, node) for node in found]
    letters = {letter for piece in pieces for letter in steps.IN_DOCSTRING.findall(piece.docstring)} | set(own)
    assert {letter for piece in pieces for letter, *_ in steps.tagged(piece)} <= letters


@pytest.mark.parametrize("model", OBJECTIVES)
def test_the_walkthrough_names_steps_that_exist(model):
    known = {f"{name.split('.')[-1]} ({letter})" for name in steps.names() for letter in steps.derivation(name)}
    setting = first_setting(OBJECTIVES[model], ACTIVATIONS["relu"])
    lines = [line for section in walk(setting).values() for line in section]
    for line in (*lines, *constraint_lines(setting)):
        assert not re.search(r"\([a-z]\)$", line.source) or line.source in known, line.source


def test_symbols_of_the_code_are_defined():
    table = (ROOT / "docs" / "study" / "symbols.md").read_text(encoding="utf-8")
    for symbol in ("g_y", "g_h", "g_a", "g_W", "g_b_e", "x_in", "len2", "lam", "rho", "R", "sigma2"):
        assert f"`{symbol}`" in table, symbol
