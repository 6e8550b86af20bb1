"""The README's table of files is the package's, and every module says in its first sentence what it is for."""

import layout
import pytest


def test_the_readme_s_table_is_made_from_the_docstrings():
    readme = (layout.ROOT / "README.md").read_text(encoding="utf-8")
    assert layout.in_readme(readme, layout.table()) == readme, "run: python tests/layout.py"


def test_every_file_of_the_package_is_in_the_table_once():
    found = layout.modules()
    assert sorted(found) == sorted((layout.ROOT / "numpy_rae").rglob("*.py"))
    assert len(layout.table().splitlines()) == 2 + len(found)


@pytest.mark.parametrize("path", layout.modules(), ids=lambda path: path.relative_to(layout.ROOT).as_posix())
def test_every_module_has_a_summary(path):
    assert layout.summary(path)
