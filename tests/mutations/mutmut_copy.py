"""Copy the project to a new folder in a form that mutmut can mutate.

    python tests/mutations/mutmut_copy.py DIR && cd DIR && mutmut run --max-children 2

mutmut does not mutate decorated functions. Most functions with mathematics have the decorator
`@_validation.tiny_is_zero`. The copy applies it in a statement after the function, `f = _validation.tiny_is_zero(f)`,
which means the same.
"""

import argparse
import ast
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECORATOR = "_validation.tiny_is_zero"
LEFT_OUT = shutil.ignore_patterns(
    ".git", "__pycache__", "*.egg-info", "mutants", "results", "site", ".*_cache", ".hypothesis"
)


def main() -> None:
    """Copy the project to the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR", type=Path, help="new folder, outside of the project")
    folder = parser.parse_args().folder.resolve()
    if folder.exists() or folder.is_relative_to(ROOT):
        sys.exit(f"DIR is {str(folder)!r}; it must be a new folder outside of the project")
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    for path in (folder / "numpy_rae").rglob("*.py"):
        path.write_text(without_decorator(path.read_text(encoding="utf-8")), encoding="utf-8")


def without_decorator(source: str) -> str:
    """Return the source in which a statement after each function replaces the decorator.

    Functions with a second decorator stay as they are.
    """
    lines = source.splitlines()
    for function in sorted(decorated(source), key=lambda function: function.lineno, reverse=True):
        margin = " " * function.col_offset
        lines.insert(function.end_lineno, f"{margin}{function.name} = {DECORATOR}({function.name})")
        del lines[function.decorator_list[0].lineno - 1]
    return "\n".join([*lines, ""])


def decorated(source: str) -> list[ast.FunctionDef]:
    """Return the functions whose only decorator is `DECORATOR`."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return [one for one in functions if [ast.unparse(decorator) for decorator in one.decorator_list] == [DECORATOR]]


if __name__ == "__main__":
    main()
