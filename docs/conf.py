"""How Sphinx builds the documentation site: `sphinx-build -W docs site`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "docs" / "_ext"), str(ROOT / "tests")]

import numpy_rae  # noqa: E402

project = "numpy_rae"
author = "the numpy_rae authors"
release = version = numpy_rae.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx-mathjax-offline",
    "study",
]
exclude_patterns = ["_ext", "_static", "_templates", "records", "figures"]

myst_enable_extensions = ["dollarmath", "amsmath", "attrs_block", "attrs_inline"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = "numpy_rae"
html_static_path = ["_static"]
html_css_files = ["study.css"]
html_copy_source = False
