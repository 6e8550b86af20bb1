"""The scripts in benchmarks/ use names that the package has."""

import ast
import importlib.util
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).resolve().parents[1] / "benchmarks").glob("*.py"))


def exists(module: str, name: str) -> bool:
    """Tell whether `from module import name` works."""
    if hasattr(importlib.import_module(module), name):
        return True
    return importlib.util.find_spec(f"{module}.{name}") is not None


def test_there_are_scripts():
    assert {path.stem for path in SCRIPTS} >= {"estimator", "step", "sweep", "versions"}


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_every_name_of_the_package_exists(path):
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    wanted = [
        (node.module, each.name) for node in imports for each in node.names if node.module.startswith("numpy_rae")
    ]
    assert wanted or path.stem == "peers"
    assert [each for each in wanted if not exists(*each)] == []
