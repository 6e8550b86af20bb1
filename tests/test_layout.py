"""docs/layout.md lists all files of the package, and the first sentence of every module says its purpose."""

import generated_table
import layout
import pytest


def test_the_stored_table_is_made_from_the_docstrings():
    assert generated_table.is_stored("layout", layout.table()), "run: python tests/layout.py"


def test_every_file_of_the_package_is_in_the_table_once():
    found = layout.modules()
    assert sorted(found) == sorted((layout.ROOT / "numpy_rae").rglob("*.py"))
    assert len(layout.table().splitlines()) == 2 + len(found)


@pytest.mark.parametrize("path", layout.modules(), ids=lambda path: path.relative_to(layout.ROOT).as_posix())
def test_every_module_has_a_summary(path):
    assert layout.summary(path)
