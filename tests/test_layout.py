"""docs/layout.md lists all files of the package, and the first sentence of every module says its purpose."""

import generated_table
import layout


def test_the_stored_table_is_made_from_the_docstrings():
    assert generated_table.is_stored("layout", layout.table()), "run: python tests/layout.py"


def test_every_file_of_the_package_is_in_the_table_once():
    found = layout.modules()
    assert sorted(found) == sorted((layout.ROOT / "numpy_rae").rglob("*.py"))
    assert len(layout.table().splitlines()) == 2 + len(found)


def test_every_module_has_a_summary():
    assert [path.relative_to(layout.ROOT).as_posix() for path in layout.modules() if not layout.summary(path)] == []
