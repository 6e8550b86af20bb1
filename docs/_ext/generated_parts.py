"""Parts of pages that are made when the site is built: the gallery, the map of the paper, the files, the notebook.

A page asks for its part with a comment that stands alone on its line, such as `<!-- part: gallery -->`. For readers on
GitHub a page can store a part, from this comment to `<!-- end: gallery -->`. The site replaces the stored part.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import gallery
import layout
import map_of_the_paper
from repository import ROOT
from sphinx.application import Sphinx

COMMENT = re.compile(r"^<!-- part: (\w+) -->$(?:.*?^<!-- end: \1 -->$)?", re.MULTILINE | re.DOTALL)


def notebook() -> tuple[str, list[Path]]:
    """Return the cells of the example notebook as Markdown, and the file that they come from."""
    path = ROOT / "examples" / "own_idea.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ((cell["cell_type"], "".join(cell["source"])) for cell in cells)
    return "\n\n".join(
        text.replace("# ", "## ", 1) if kind == "markdown" else f"```python\n{text}\n```" for kind, text in texts
    ), [path]


def package_files() -> tuple[str, list[Path]]:
    """Return the table of the package's files, and these files."""
    return layout.table(), layout.modules()


PARTS: dict[str, Callable[[], tuple[str, list[Path]]]] = {
    "gallery": gallery.markdown,
    "paper_map": map_of_the_paper.markdown,
    "layout": package_files,
    "notebook": notebook,
}


def insert(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace the comments of one page by their parts. The page is built again when a file of the part changes."""

    def part(match: re.Match[str]) -> str:
        text, used = PARTS[match[1]]()
        for path in used:
            app.env.note_dependency(str(path), docname=docname)
        return text

    source[0] = COMMENT.sub(part, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", insert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
