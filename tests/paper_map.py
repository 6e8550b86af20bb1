"""The places where each item of the paper is derived, coded, tested and shown. They are found by the item's tag.

`python tests/paper_map.py` writes the table into docs/paper_map.md. `test_paper_map.py` fails if that page differs, or
if an item has no code or no test. The site shows the same table with links to lines (`docs/_ext/map_of_the_paper.py`).
"""

import ast
import re
from functools import cache
from pathlib import Path

import generated_table
from generated_table import ROOT
from layout import READING_ORDER

STATEMENTS = [
    "Assumption 1", "Lemma 1", "Thm 1", "Cor. 1", "Cor. 2", "Thm 2", "Thm 3", "Rem. 1", "Rem. 2",
    "Fn. 1", "Fn. 2", "Fn. 3", "Fn. 4", "Sec. 2.1.1", "Sec. 2.1.2", "Sec. 3.1.1",
]  # fmt: skip
EQUATIONS = [f"Eq. ({number})" for number in range(1, 15)]
FIGURES = [f"Fig. {number}" for number in range(1, 6)]
# The sections of docs/derivations.md that derive or explain each item. Fn. 2 describes preprocessing, so it has no
# derivation.
DERIVED_IN = {
    "Eq. (1)": (1, 3), "Eq. (2)": (15,), "Eq. (3)": (1, 3), "Eq. (4)": (3,), "Eq. (5)": (11,), "Eq. (6)": (3, 7, 19),
    "Eq. (7)": (7,), "Eq. (8)": (5,), "Eq. (9)": (5,), "Eq. (10)": (5,), "Eq. (11)": (5,), "Eq. (12)": (4,),
    "Eq. (13)": (4,), "Eq. (14)": (22,),
    "Assumption 1": (10,), "Lemma 1": (10,), "Thm 1": (11,), "Cor. 1": (4, 12), "Cor. 2": (5, 12), "Thm 2": (13,),
    "Thm 3": (7,), "Rem. 1": (5,), "Rem. 2": (5,), "Fn. 1": (2, 20), "Fn. 2": (), "Fn. 3": (9, 18), "Fn. 4": (2,),
    "Sec. 2.1.1": (14,), "Sec. 2.1.2": (13, 16), "Sec. 3.1.1": (6, 17, 21),
    "Fig. 1": (12, 20), "Fig. 2": (18,), "Fig. 3": (6, 21), "Fig. 4": (12,), "Fig. 5": (12, 18),
}  # fmt: skip


@cache
def definitions(path: Path) -> list[tuple[str, str, str]]:
    """Return (name, source, first line of the docstring) of every top-level function and class.

    The docstring of the module has the name ''.
    """
    source = path.read_text()
    tree, lines = ast.parse(source), source.split("\n")
    found = [
        (node.name, "\n".join(lines[node.lineno - 1 : node.end_lineno]), (ast.get_docstring(node) or "").split("\n")[0])
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    return [*found, ("", ast.get_docstring(tree) or "", "")]


def mentions(tag: str, text: str) -> bool:
    """Return whether `text` has the tag itself, not a longer tag that begins with it.

    In brackets, Eq. (6) is written Eq. 6.
    """
    pattern = re.escape(tag)
    if tag.startswith("Eq. "):
        pattern = rf"(?:{pattern}|Eq\. {tag[5:-1]})"
    return re.search(pattern + r"(?![\d.]*\d)", text) is not None


def places(tag: str, folder: str) -> dict[str, list[str]]:
    """Return {file: names of the definitions that have the tag}."""
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
    """Return the definitions of a file that have the tag in the first line of their docstring."""
    return [name for name, _, first in definitions(ROOT / file) if mentions(tag, first)]


def heading(number: int) -> str:
    """Return the title of one section of the derivations."""
    text = (ROOT / "docs" / "derivations.md").read_text(encoding="utf-8")
    return re.search(rf"^## ({number} .+)$", text, re.MULTILINE)[1]


def ranked(tag: str, found: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    """Sort the places of a tag. First come those that have it in the first line of their docstring.

    Of these, the files that a new reader should open first come first. Pictures come last.
    """
    ordered = {}
    for file, names in found.items():
        first = opened(tag, file)
        ordered[file] = first, [*first, *(name for name in names if name not in first)]

    def rank(item: tuple[str, tuple[list[str], list[str]]]) -> tuple:
        file, (first, names) = item
        core = bool(first) and file.removeprefix("numpy_rae/") in READING_ORDER
        return "/plotting/" in file, "paper/" not in file, not core, -len(first), -len(names), file

    return [(file, names) for file, (_, names) in sorted(ordered.items(), key=rank)]


def derivations(tag: str) -> str:
    """Return links to the sections of the derivations."""
    headings = (heading(number) for number in DERIVED_IN[tag])
    return "<br>".join(f"[{title}](derivations.md#{anchor(title)})" for title in headings)


def anchor(title: str) -> str:
    """Return the anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def brief(tag: str, found: dict[str, list[str]], limit: int) -> str:
    """Return the first `limit` places as links from a page of docs/."""
    places = ranked(tag, found)[:limit]
    return "<br>".join(f"[{Path(file).name}](../{file}){label(names)}" for file, names in places)


def label(names: list[str]) -> str:
    return f" `{', '.join(names[:2])}`" if names and not names[0].startswith("test_") else ""


def row(tag: str) -> str:
    """Return one line of the map."""
    return (
        "| "
        + " | ".join([tag, derivations(tag), *(brief(tag, found(tag), 2) for found in (code, tests, examples))])
        + " |"
    )


def table() -> str:
    """Return the map as Markdown."""
    lines = ["| paper | derivation | code | test | example |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *map(row, [*EQUATIONS, *STATEMENTS, *FIGURES])])


if __name__ == "__main__":
    generated_table.store("paper_map", table())
