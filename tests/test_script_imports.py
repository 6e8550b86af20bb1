"""All names that benchmarks, examples and the tests' scripts import from the package exist."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("benchmarks", "examples", "examples/paper_claims", "tests/fuzz", "tests/mutations", "tests/reliability")
SCRIPTS = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py"))]


def imported(path: Path) -> list[tuple[str, str]]:
    """Return (module, name) of every import from this package or from the root of the repository.

    The name is '' if the module itself is imported.
    """
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
    return [(module, name) for module, name in found if module.split(".")[0] in ("numpy_rae", "data_fetch")]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_name_that_a_script_imports_exists(path):
    for module, name in imported(path):
        assert module != "data_fetch", "data_fetch.py is a command and must not be imported"
        if module == "numpy_rae.estimator":  # an optional extra
            pytest.importorskip("sklearn")
        loaded = importlib.import_module(module)
        assert not name or hasattr(loaded, name) or importlib.import_module(f"{module}.{name}")
