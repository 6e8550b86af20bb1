"""Every source file as a page with numbered lines. Links to files of the repository become links to these pages.

- `[text](../numpy_rae/penalties.py)` leads to the page of that file, and `[text](records)` to the list of a folder.
- A file that stands in code quotes, such as `tests/test_x.py::test_name` or `numpy_rae/penalties.py: sae`, is a link to
  the line that defines the name.
- The role `{source}` does the same and shows the file's last part only.
- "[source]" in the API reference leads to the line of the definition (`linkcode_resolve`).
"""

import html
import inspect
import os
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from docutils import nodes
from repository import ROOT, files, folders, line_anchor, page
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

QUOTED = re.compile(r"(?P<file>[\w./]+\.py)(?:(?:::|:\s+)(?P<name>[A-Za-z_][\w.]*).*)?", re.DOTALL)
LEXERS = {".py": "python", ".cfg": "ini", ".toml": "toml", ".cff": "yaml", ".md": "text", "": "text"}


def url(app: Sphinx, docname: str, path: str, name: str = "") -> str | None:
    """Return the address of the page of a repository file, seen from a document."""
    target = page(path)
    return target and app.builder.get_relative_uri(docname, target) + line_anchor(path, name)


def relative_to_repository(app: Sphinx, docname: str, target: str) -> str:
    """Return a link's target as a path in the repository."""
    folder = Path(app.srcdir, docname).parent
    return os.path.relpath(folder / target.split("#")[0], ROOT).replace(os.sep, "/")


def link_files(app: Sphinx, doctree: nodes.document) -> None:
    """Replace links to files of the repository by links to their pages."""
    docname = app.env.docname
    for node in list(
        doctree.findall(lambda node: isinstance(node, addnodes.download_reference | addnodes.pending_xref))
    ):
        if node["reftype"] != "myst" or node.get("refdomain"):
            continue
        address = url(app, docname, relative_to_repository(app, docname, node["reftarget"]))
        if address:
            node.replace_self(nodes.reference("", "", *node.children, refuri=address, internal=True))


def link_quoted_files(app: Sphinx, doctree: nodes.document) -> None:
    """Make links of the files that stand in code quotes."""
    for node in list(doctree.findall(nodes.literal)):
        match = QUOTED.fullmatch(node.astext())
        if not match or isinstance(node.parent, nodes.reference | addnodes.pending_xref):
            continue
        address = url(app, app.env.docname, match["file"], match["name"] or "")
        if address:
            node.replace_self(nodes.reference("", "", node.deepcopy(), refuri=address, internal=True))


class SourceRole(SphinxRole):
    """A link to a source file, or to the line that defines a name in it; only the file's last part is shown."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link."""
        file, _, name = (part.strip() for part in self.text.partition(":"))
        address = url(self.env.app, self.env.docname, file, name)
        if address is None or (name and "#" not in address):
            message = self.inliner.reporter.error(f"no source page or no such name: {self.text!r}", line=self.lineno)
            return [], [message]
        # The names of tests are sentences: the label has the name of their file only.
        label = f"{Path(file).name}: {name}" if name and not name.startswith("test_") else Path(file).name
        return [nodes.reference("", "", nodes.literal(label, label), refuri=address, internal=True)], []


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Return the address of the line that defines a Python object, as seen from a page in a folder such as api/."""
    found: Any = import_module(info["module"])
    try:
        for part in info["fullname"].split("."):
            found = getattr(found, part)
        found = inspect.unwrap(found.fget if isinstance(found, property) else found)
        path = Path(inspect.getsourcefile(found) or "").resolve().relative_to(ROOT).as_posix()
    except (AttributeError, TypeError, OSError, ValueError):
        return None  # a constant has no line of its own; an object of another package has no page
    return f"../source/{path}.html{line_anchor(path, found.__qualname__)}"


def source_page(app: Sphinx, path: str) -> tuple[str, dict[str, str], str]:
    """Return one file, highlighted, with an anchor for each line."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lexer = LEXERS.get(Path(path).suffix, "text")
    body = app.builder.highlighter.highlight_block(text or "\n", lexer, linenos="inline", lineanchors="L")
    return f"source/{path}", {"title": path, "body": f"<h1>{html.escape(path)}</h1>{body}"}, "page.html"


def folder_page(app: Sphinx, folder: str) -> tuple[str, dict[str, str], str]:
    """Return the list of the files of one folder."""
    name = f"source/{folder}/index"
    items = []
    for path in sorted((ROOT / folder).iterdir()):
        inside = path.relative_to(ROOT).as_posix()
        if path.name.startswith((".", "__pycache__")):
            continue
        address = url(app, name, inside)
        label = html.escape(path.name)
        items.append(f'<li><a href="{address}">{label}</a></li>' if address else f"<li>{label}</li>")
    return name, {"title": folder, "body": f"<h1>{folder}/</h1><ul>{''.join(items)}</ul>"}, "page.html"


def navigation(app: Sphinx) -> Callable[[str], Callable[..., str]]:
    """Return a function that gives the tree of the sidebar. Pages of one depth share it: making it takes long."""
    trees: dict[tuple[int, str], str] = {}

    def of(name: str) -> Callable[..., str]:
        def toctree(**options: Any) -> str:
            key = name.count("/"), repr(sorted(options.items()))
            if key not in trees:
                trees[key] = app.builder._get_local_toctree(name, **options)
            return trees[key]

        return toctree

    return of


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the pages of all files and folders."""
    tree = navigation(app)
    sources = (source_page(app, path) for path in files() if page(path) == f"source/{path}")
    for name, context, template in chain(sources, (folder_page(app, folder) for folder in folders())):
        yield name, context | {"toctree": tree(name)}, template


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_role("source", SourceRole())
    # Sphinx copies the targets of download links at priority 500.
    app.connect("doctree-read", link_files, priority=400)
    app.connect("doctree-read", link_quoted_files, priority=401)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
