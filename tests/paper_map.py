"""Where each item of the paper is coded, tested and shown, found by its tag. `python tests/paper_map.py` writes the
table into the README; `test_paper_map.py` holds it there and fails on a hole."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- paper map: begin -->", "<!-- paper map: end -->"
STATEMENTS = [
    "Assumption 1", "Lemma 1", "Thm 1", "Cor. 1", "Cor. 2", "Thm 2", "Thm 3", "Rem. 1", "Rem. 2",
    "Fn. 1", "Fn. 2", "Fn. 3", "Fn. 4", "Sec. 2.1.1", "Sec. 2.1.2", "Sec. 3.1.1",
]  # fmt: skip
EQUATIONS = [f"Eq. ({number})" for number in range(1, 15)]
FIGURES = [f"Fig. {number}" for number in range(1, 6)]


@cache
def definitions(path: Path) -> list[tuple[str, str, str]]:
    """(name, source, first line of the docstring) of every top-level function and class; the module's own docstring
    stands under the name ''."""
    source = path.read_text()
    tree, lines = ast.parse(source), source.splitlines()
    found = [
        (node.name, "\n".join(lines[node.lineno - 1 : node.end_lineno]), (ast.get_docstring(node) or "").split("\n")[0])
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    return [*found, ("", ast.get_docstring(tree) or "", "")]


def mentions(tag: str, text: str) -> bool:
    """Whether `text` has the tag itself, not a longer one that begins with it."""
    return re.search(re.escape(tag) + r"(?![\d.]*\d)", text) is not None


def places(tag: str, folder: str) -> dict[str, list[str]]:
    """file -> names of the definitions that carry the tag."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        names = [name for name, text, _ in definitions(path) if mentions(tag, text)]
        if names:
            found[str(path.relative_to(ROOT))] = [name for name in names if name]
    return found


def code(tag: str) -> dict[str, list[str]]:
    return places(tag, "numpy_rae")


def tests(tag: str) -> dict[str, list[str]]:
    found = places(tag, "tests")
    return {file: names for file, names in found.items() if Path(file).name.startswith("test_") and "map" not in file}


def examples(tag: str) -> dict[str, list[str]]:
    return places(tag, "examples")


def opened(tag: str, file: str) -> list[str]:
    """The definitions of a file whose docstring has the tag in its first line."""
    return [name for name, _, first in definitions(ROOT / file) if mentions(tag, first)]


def brief(tag: str, found: dict[str, list[str]], limit: int) -> str:
    """The `limit` places that are about the tag, first those whose docstrings open with it, as links; pictures last."""
    ordered = {}
    for file, names in found.items():
        first = opened(tag, file)
        ordered[file] = first, [*first, *(name for name in names if name not in first)]

    def rank(item: tuple[str, tuple[list[str], list[str]]]) -> tuple:
        file, (first, names) = item
        return "/plotting/" in file, "paper/" not in file, -len(first), -len(names), file

    ranked = sorted(ordered.items(), key=rank)
    return "<br>".join(f"[{Path(file).name}]({file}){label(names)}" for file, (_, names) in ranked[:limit])


def label(names: list[str]) -> str:
    return f" `{', '.join(names[:2])}`" if names and not names[0].startswith("test_") else ""


def table() -> str:
    """The map as Markdown."""
    lines = ["| paper | code | test | example |", "|---|---|---|---|"]
    for tag in [*EQUATIONS, *STATEMENTS, *FIGURES]:
        lines.append("| " + " | ".join([tag, *(brief(tag, found(tag), 2) for found in (code, tests, examples))]) + " |")
    return "\n".join(lines)


def in_readme(text: str, content: str) -> str:
    """README text with the table between its markers."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n{content}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(in_readme(readme.read_text(), table()))
