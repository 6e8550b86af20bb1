"""The files of the repository: where they are, which of them have a page on the site, and on which line a name is."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("numpy_rae", "examples", "benchmarks", "tests", "docs")
OTHERS = ("data_fetch.py", "LICENSE", "CITATION.cff", "setup.cfg", "pyproject.toml", ".ci/run", ".ci/full")
# Files that are a page of the documentation, with the name of that page.
DOCUMENTS = {
    "README.md": "start",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changelog",
    "examples/own_idea.ipynb": "notebook",
}


@cache
def files() -> list[str]:
    """Return the paths of all files that have a source page, relative to the repository."""
    python = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    texts = (ROOT / "numpy_rae").rglob("*.md")
    return sorted([*(path.relative_to(ROOT).as_posix() for path in [*python, *texts]), *OTHERS])


@cache
def folders() -> list[str]:
    """Return the folders that have a page with a list of their files."""
    inside = {Path(file).parent.as_posix() for file in files()} - {".", ".ci"}
    return sorted({*inside, "docs/records"})


@cache
def page(path: str) -> str | None:
    """Return the name of the page for a file or folder of the repository, or None if it has no page."""
    if path in DOCUMENTS:
        return DOCUMENTS[path]
    if path in folders():
        return f"source/{path}/index"
    return f"source/{path}" if path in files() else None


@cache
def definitions(path: str) -> dict[str, int]:
    """Return the line of every class, function and method of a Python file, by name and by Class.method."""
    lines: dict[str, int] = {}

    def collect(nodes: list[ast.stmt], prefix: str) -> None:
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                lines.setdefault(prefix + node.name, node.lineno)
                lines.setdefault(node.name, node.lineno)
                collect(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        lines.setdefault(prefix + target.id, node.lineno)

    collect(ast.parse((ROOT / path).read_text(encoding="utf-8")).body, "")
    return lines


def line_anchor(path: str, name: str = "") -> str:
    """Return the anchor of the line that defines `name`, or "" if the file does not define it."""
    line = definitions(path).get(name) if path.endswith(".py") and name else None
    return f"#L-{line}" if line else ""
