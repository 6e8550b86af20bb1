"""How Sphinx builds the documentation site: `sphinx-build -W docs site`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "docs" / "_ext"), str(ROOT / "tests")]

from source_pages import linkcode_resolve  # noqa: E402, F401

import numpy_rae  # noqa: E402

project = "numpy_rae"
author = "the numpy_rae authors"
release = version = numpy_rae.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx-mathjax-offline",
    "study",
    "api_pages",
    "generated_parts",
    "plain_docstrings",
    "source_pages",
]
exclude_patterns = ["_ext", "_static", "_templates", "records", "figures"]

myst_enable_extensions = ["dollarmath", "amsmath", "attrs_block", "attrs_inline"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
suppress_warnings = ["myst.header"]

# A name in single quotes is a link if it is documented, and code if not.
default_role = "py:obj"
autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
# The functions of a module are not entries of the sidebar: the tree would be long, and slow to build.
toc_object_entries = False

# h'' is a second derivative, not a quotation mark.
smartquotes = False

html_theme = "furo"
html_title = "numpy_rae"
html_static_path = ["_static"]
html_css_files = ["study.css"]
html_copy_source = False
