"""Find the lettered steps of a derivation in three places: docs/derivations.md, a docstring, and the code.

A comment such as `<!-- steps: numpy_rae.penalties.JacobianPenalty -->` in docs/derivations.md stands before the list of
steps of this class. In the code, a line of step (c) ends with a comment that begins with "(c)". Nothing is imported:
the files are read as text.
"""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DERIVATIONS = ROOT / "docs" / "derivations.md"
MARKER = re.compile(r"^<!-- steps: (\S+) -->$", re.MULTILINE)
BULLET = re.compile(r"^- \(([a-z])\) ")
IN_DOCSTRING = re.compile(r"^ +\(([a-z])\) ", re.MULTILINE)
TAGS = re.compile(r"  # ((?:\([a-z]\) ?)+)")


class Source(NamedTuple):
    """A piece of code: its name, its file, the number of its first line, its lines, and its docstrings."""

    name: str
    path: Path
    first: int
    lines: list[str]
    docstring: str


def names() -> list[str]:
    """Return every function, class or module that docs/derivations.md has steps of, in order."""
    return MARKER.findall(DERIVATIONS.read_text(encoding="utf-8"))


def derivation(name: str) -> dict[str, str]:
    """Return letter -> Markdown of the step in docs/derivations.md."""
    text = DERIVATIONS.read_text(encoding="utf-8")
    lines = text.split(f"<!-- steps: {name} -->\n")[1].lstrip("\n").split("\n")
    steps: dict[str, str] = {}
    for line in lines:
        if found := BULLET.match(line):
            letter = found[1]
            steps[letter] = line[2:]
        elif line.startswith("  "):
            steps[letter] += "\n" + line[2:]
        else:
            break
    return steps


@cache
def sources(name: str) -> tuple[Source, ...]:
    """Return the code of a function or class; for a module, its functions without steps of their own."""
    path, member = locate(name)
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    if member:
        return tuple(piece(path, text, node) for node in found if node.name == member)
    pieces = [piece(path, text, node) for node in found]
    return tuple(each for each in pieces if tagged(each) and not IN_DOCSTRING.search(each.docstring))


def locate(name: str) -> tuple[Path, str]:
    """Return the file of a dotted name, and the name in the file; empty for the module itself."""
    whole = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    if whole.exists():
        return whole, ""
    module, _, member = name.rpartition(".")
    return ROOT.joinpath(*module.split(".")).with_suffix(".py"), member


def piece(path: Path, text: str, node: ast.FunctionDef | ast.ClassDef) -> Source:
    """Return the code of a definition with all its docstrings."""
    inner = [each for each in ast.walk(node) if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    docstring = "\n".join(ast.get_docstring(each, clean=False) or "" for each in inner)
    return Source(node.name, path, node.lineno, text.splitlines()[node.lineno - 1 : node.end_lineno], docstring)


def tagged(source: Source) -> list[tuple[str, int, str]]:
    """Return (letter, line number, line) for every tag in the code."""
    return [
        (letter, source.first + index, line)
        for index, line in enumerate(source.lines)
        for tags in TAGS.findall(line)
        for letter in re.findall(r"[a-z]", tags)
    ]


def code(name: str) -> dict[str, list[str]]:
    """Return letter -> the lines of code that carry it, without their indentation."""
    found: dict[str, list[str]] = {}
    for source in sources(name):
        for letter, _, line in tagged(source):
            found.setdefault(letter, []).append(line.strip())
    return found


def documented(name: str) -> list[str]:
    """Return the letters of the steps in the docstring of a function, class or module."""
    path, member = locate(name)
    if member:
        return IN_DOCSTRING.findall("\n".join(source.docstring for source in sources(name)))
    return IN_DOCSTRING.findall(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")


def faults(name: str) -> list[str]:
    """Return one sentence for each step without a line, and for each line without a step."""
    steps, written, lines = list(derivation(name)), documented(name), list(code(name))
    places = ((written, "in the docstring"), (lines, "in the code"))
    missing = [
        f"step ({letter}) of {name} is not {where}" for have, where in places for letter in steps if letter not in have
    ]
    unknown = [
        f"({letter}) {where} of {name} is not in docs/derivations.md"
        for have, where in places
        for letter in have
        if letter not in steps
    ]
    return missing + unknown
