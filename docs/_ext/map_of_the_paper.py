"""The map of the paper: each equation, statement and figure with its derivation, code, test and picture, as links."""

from pathlib import Path

import gallery
import paper_map

LIMIT = 3
# The study pages, by the section of the derivations that they show.
STUDY = {
    1: "forward", 2: "activation", 3: "backward", 4: "mean_activation", 5: "jacobian", 6: "edae", 7: "theorem_3",
    8: "cae_h", 9: "optimizer",
}  # fmt: skip
# The study page of DAE has a part of section 3.
STUDY_OF = {"Eq. (6)": ["dae"]}


def places(tag: str, found: dict[str, list[str]], limit: int) -> str:
    """Return links to the lines that are about the tag."""
    ranked = paper_map.ranked(tag, found)[:limit]
    return "<br>".join(f"{{source}}`{file}{f': {names[0]}' if names else ''}`" for file, names in ranked)


def scripts(tag: str) -> str:
    """Return links into the gallery, first to the scripts with a stored picture."""
    names = sorted((Path(file).stem for file in paper_map.examples(tag)), key=lambda name: not gallery.pictures(name))
    return "<br>".join(f"[{name}](#script-{name})" for name in names[:LIMIT])


def study(tag: str) -> str:
    """Return links to the study pages, which show the derivation beside the lines of code."""
    names = STUDY_OF.get(tag) or [STUDY[number] for number in paper_map.DERIVED_IN[tag] if number in STUDY]
    return "".join(f"<br>[study: {name.replace('_', ' ')}](study/{name}.md)" for name in names)


def row(tag: str) -> str:
    """Return one line of the table."""
    cells = [
        tag,
        paper_map.derivations(tag) + study(tag),
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
