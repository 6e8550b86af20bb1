"""Every equation, statement and figure has code, a test and, if it is a picture, a script.

The stored map is up to date.
"""

import ast
import configparser
import re

import generated_table
import paper_map
import pytest


@pytest.mark.parametrize("tag", [*paper_map.EQUATIONS, *paper_map.STATEMENTS, *paper_map.FIGURES])
def test_item_has_code_and_a_test(tag):
    assert paper_map.code(tag), f"no code carries {tag}"
    assert paper_map.tests(tag), f"no test carries {tag}"


@pytest.mark.parametrize("tag", [*paper_map.FIGURES, "Fn. 4"])
def test_figure_has_a_script_for_each_data_set(tag):
    names = set(paper_map.examples(tag))
    assert any("mnist" in name for name in names) and any("cifar10" in name for name in names)


def test_the_stored_map_is_what_the_tags_say():
    assert generated_table.is_stored("paper_map", paper_map.table()), "run: python tests/paper_map.py"


def test_every_statement_has_a_file_with_a_marker_of_its_own():
    config = configparser.ConfigParser()
    config.read(paper_map.ROOT / "setup.cfg")
    declared = {line.split(":")[0] for line in config["tool:pytest"]["markers"].split("\n") if line} - {"slow"}
    marked = {}
    for path in sorted((paper_map.ROOT / "tests" / "paper").glob("test_*.py")):
        line = next(line for line in path.read_text().splitlines() if line.startswith("pytestmark"))
        marked[path.name] = line.split("pytest.mark.")[1]
    assert set(marked.values()) == declared and len(marked) == len(declared)


def test_derivations_name_functions_and_tests_that_there_are():
    """The names are written as in "Function: `file.py: f, Class.method`. Tests: `tests/file.py::test_name`."."""
    text = (paper_map.ROOT / "docs" / "derivations.md").read_text()
    named = re.findall(r"`([\w/]+\.py)(?:::?\s*([\w.,\s]+?))?`", text)
    assert len(named) > 60
    trees = {file: ast.parse((paper_map.ROOT / file).read_text()) for file, _ in named}
    for file, names in named:
        tree = trees[file]
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        there |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        assert {part for name in names.split(",") if name for part in name.strip().split(".")} <= there, file


def test_a_longer_tag_is_not_taken_for_a_shorter_one():
    assert paper_map.mentions("Fig. 1", "as in Fig. 1.") and not paper_map.mentions("Fig. 1", "Fig. 12")
    assert not paper_map.mentions("Sec. 2.1", "Sec. 2.1.1") and paper_map.mentions("Sec. 3.1.1", "(Sec. 3.1.1).")
    assert paper_map.mentions("Eq. (1)", "(Eq. 1)") and not paper_map.mentions("Eq. (1)", "(Eq. 12)")
