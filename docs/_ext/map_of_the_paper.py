"""The map of the paper: each equation, statement and figure with its derivation, code, test and picture, as links."""

from pathlib import Path

import gallery
import paper_map

LIMIT = 3


def places(tag: str, found: dict[str, list[str]], limit: int) -> str:
    """Return links to the lines that are about the tag."""
    ranked = paper_map.ranked(tag, found)[:limit]
    return "<br>".join(f"{{source}}`{file}{f': {names[0]}' if names else ''}`" for file, names in ranked)


def scripts(tag: str) -> str:
    """Return links into the gallery, first to the scripts with a stored picture."""
    names = sorted((Path(file).stem for file in paper_map.examples(tag)), key=lambda name: not gallery.pictures(name))
    return "<br>".join(f"[{name}](#script-{name})" for name in names[:LIMIT])


def row(tag: str) -> str:
    """Return one line of the table."""
    cells = [
        tag,
        paper_map.derivations(tag),
        places(tag, paper_map.code(tag), LIMIT),
        places(tag, paper_map.tests(tag), LIMIT),
    ]
    return "| " + " | ".join([*cells, scripts(tag)]) + " |"


def markdown() -> tuple[str, list[Path]]:
    """Return the map, and the files that it is made from."""
    lines = ["| paper | derivation | code | test | picture |", "|---|---|---|---|---|"]
    tags = [*paper_map.EQUATIONS, *paper_map.STATEMENTS, *paper_map.FIGURES]
    used = [path for folder in ("numpy_rae", "tests", "examples") for path in (paper_map.ROOT / folder).rglob("*.py")]
    return "\n".join([*lines, *map(row, tags)]), used
