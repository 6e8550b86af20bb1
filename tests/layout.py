"""The table of the package's files in docs/layout.md, made from the first sentence of each module's docstring.

`python tests/layout.py` writes the table into that page; `test_layout.py` fails if the page differs.
"""

import ast
import re
from pathlib import Path

import generated_table
from generated_table import ROOT

# A period and a space end a sentence, except after an abbreviation.
SENTENCE_END = re.compile(r"(?<!Eq)(?<!Sec)(?<!Fig)(?<!Cor)(?<!Rem)(?<!Fn)(?<! al)\. ")
# The order in which a new reader should open the files; the other files follow by folder.
READING_ORDER = (
    "activations.py",
    "autoencoder.py",
    "penalties.py",
    "taylor_penalties.py",
    "objectives.py",
    "constraints.py",
    "optimizer.py",
    "training.py",
    "metrics.py",
)


def summary(path: Path) -> str:
    """Return the first sentence of the module's docstring, ready for a cell of a table."""
    paragraph = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
    sentence = SENTENCE_END.split(" ".join(paragraph.split()))[0].rstrip(".:")
    return sentence.replace("|", "\\|")


def modules() -> list[Path]:
    """Return every Python file of the package: the reading order first, then the others by folder."""
    package = ROOT / "numpy_rae"
    first = [package / name for name in READING_ORDER]
    others = [path for path in package.rglob("*.py") if path not in first]
    return [*first, *sorted(others, key=lambda path: (len(path.relative_to(package).parts), str(path)))]


def row(path: Path) -> str:
    """Return one line of the table. A folder is named by its `__init__.py`."""
    name = path.relative_to(ROOT / "numpy_rae").as_posix()
    shown = name.replace("__", "\\_\\_")  # Markdown would print the name in bold.
    if path.name == "__init__.py" and path.parent.name != "numpy_rae":
        return f"| **[{path.parent.name}/](../numpy_rae/{path.parent.name})** | **{summary(path)}** |"
    return f"| [{shown}](../numpy_rae/{name}) | {summary(path)} |"


def table() -> str:
    """Return the layout as Markdown."""
    return "\n".join(["| file | what |", "|---|---|", *map(row, modules())])


if __name__ == "__main__":
    generated_table.store("layout", table())
