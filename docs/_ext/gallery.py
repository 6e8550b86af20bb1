"""The gallery: every script of examples/ with its title, what it shows, its command, and its stored pictures."""

import ast
import re
from pathlib import Path

import paper_map
from repository import ROOT

GROUPS = {
    "The paper's figures": ("fig", "fn4"),
    "The theory in pictures": (
        "gradient_walkthrough",
        "theorem_",
        "theory_in_training",
        "bias_gradients",
        "filters",
        "training_report",
    ),
    "Certificates": ("certificate",),
    "Where DAE's sparsity comes from": ("noise_origin", "dirac", "edae_", "activation_level"),
    "Studies": ("claims", "protocol_checks", "continuation", "learning_rate", "bias_or_weights"),
    "Other scripts": ("",),
}
# A row of a table in docs/*.md that gives the command of a stored picture.
STORED = re.compile(r"\(figures/([\w-]+)\.png\)[^|]*\| `(python [^`]+)` \|")


def scripts() -> dict[str, list[Path]]:
    """Return the scripts of each group."""
    found: dict[str, list[Path]] = {group: [] for group in GROUPS}
    # MNIST stands on the left in the paper.
    for path in sorted((ROOT / "examples").glob("*.py"), key=lambda path: path.stem.replace("_cifar10", "_second")):
        found[next(group for group, prefixes in GROUPS.items() if path.stem.startswith(prefixes))].append(path)
    return found


def drawn_as(script: str) -> str:
    """Return the first part of the names of a script's pictures. A figure of the paper has one for both data sets."""
    figure = re.match(r"(fig\d|fn4)_", script)
    return figure[1] if figure else script


def pictures(script: str) -> list[Path]:
    """Return the stored pictures of one script: <name>-<preset>.png."""
    found = (ROOT / "docs" / "figures").glob(f"{drawn_as(script)}-*.png")
    return sorted(found, key=lambda path: (not path.stem.endswith("-sample"), path.name))


def commands() -> dict[str, str]:
    """Return the commands that the documents give, by picture."""
    documents = sorted((ROOT / "docs").glob("*.md"))
    return {name: command for path in documents for name, command in STORED.findall(path.read_text(encoding="utf-8"))}


def picture(path: Path, script: str, title: str, known: dict[str, str]) -> str:
    """Return one picture under the command that made it."""
    preset = path.stem.removeprefix(f"{drawn_as(script)}-")
    default = f"python examples/{script}.py" + ("" if preset == "sample" else f" --preset {preset}")
    # The command that draws a figure also draws its history.
    command = known.get(path.stem) or known.get(path.stem.removesuffix("-history"), default)
    return f"```sh\n{command}\n```\n\n![{title} ({preset})](figures/{path.name})"


def linked(text: str) -> str:
    """Return the text with links to the sections of the derivations that it names."""

    def link(match: re.Match[str]) -> str:
        return f"[derivations, section {match[1]}](derivations.md#{paper_map.anchor(paper_map.heading(int(match[1])))})"

    return re.sub(r"docs/derivations\.md,\s+section\s+(\d+)", link, text)


def entry(path: Path, known: dict[str, str]) -> str:
    """Return one script's section."""
    title, _, text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")
    shown = [picture(stored, path.stem, title.rstrip("."), known) for stored in pictures(path.stem)]
    command = f"```sh\npython examples/{path.stem}.py\n```\n\nThe repository stores no picture of this script."
    return "\n\n".join(
        [
            f"(script-{path.stem})=\n### {title.rstrip('.')}",
            f"Script: `examples/{path.name}`",
            linked(text.strip()),
            *(shown or [command]),
        ]
    )


def markdown() -> tuple[str, list[Path]]:
    """Return the gallery, and the files that it is made from."""
    known = commands()
    grouped = scripts()
    text = "\n\n".join(
        "\n\n".join([f"## {group}", *(entry(path, known) for path in paths)])
        for group, paths in grouped.items()
        if paths
    )
    return text, [path for paths in grouped.values() for path in paths]
