"""Write the API reference: one page per public name, module and sub-package, and their index, into docs/api."""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

import numpy_rae

SECTION = "{title}\n{line}\n\n"
PRIVATE = ("numpy_rae.__main__",)


def section(title: str, character: str) -> str:
    """Return a heading."""
    return SECTION.format(title=title, line=character * len(title))


def modules() -> list[str]:
    """Return the names of the public modules, packages included."""
    names = [found.name for found in pkgutil.walk_packages(numpy_rae.__path__, "numpy_rae.")]
    return sorted(name for name in names if "._" not in name and name not in PRIVATE)


def public_names() -> list[str]:
    """Return the names that `import numpy_rae` offers, except the version."""
    return [name for name in numpy_rae.__all__ if name != "__version__"]


def public_names_of(module: str) -> dict[str, str]:
    """Return the public names that a module defines, with their names there."""
    exports = numpy_rae._EXPORTS.items()
    return {name: there for name, (home, there) in exports if f"numpy_rae.{home}" == module}


def name_page(name: str) -> str:
    """Return the page of one public name."""
    found = getattr(numpy_rae, name)
    kind = "class" if inspect.isclass(found) else "function" if callable(found) else "data"
    members = "   :members:\n   :show-inheritance:\n" if kind == "class" else ""
    values = "   :no-value:\n" if kind == "data" else ""
    return section(f"numpy_rae.{name}", "=") + f".. auto{kind}:: numpy_rae.{name}\n{members}{values}"


def module_text(module: str) -> str:
    """Return the documentation of one module. A public name is documented on its own page only."""
    public = public_names_of(module)
    text = f".. automodule:: {module}\n   :members:\n"
    if public:
        text += f"   :exclude-members: {', '.join(public.values())}\n\nPublic names, each on its own page:\n\n"
        text += summary([f"numpy_rae.{name}" for name in public])
    return f"{text}\n"


def package_page(package: str) -> str:
    """Return the page of a sub-package or of a top-level module, with one section per module."""
    inside = [name for name in modules() if name.startswith(f"{package}.")]
    sections = "".join(section(name, "-") + module_text(name) for name in inside)
    return section(package, "=") + module_text(package) + sections


def summary(names: list[str]) -> str:
    """Return a table with one line per name."""
    return ".. autosummary::\n   :nosignatures:\n\n" + "".join(f"   {name}\n" for name in names) + "\n"


def pages() -> dict[str, list[str]]:
    """Return the pages of each section of the index."""
    top = [name for name in modules() if name.count(".") == 1]
    packages = [name for name in top if hasattr(import_module(name), "__path__")]
    return {
        "Public names": [f"numpy_rae.{name}" for name in public_names()],
        "Modules": [name for name in top if name not in packages],
        "Sub-packages": packages,
    }


def index_page() -> str:
    """Return the index, which links all pages."""
    text = section("API reference", "=")
    text += "``import numpy_rae as rae`` gives the public names. The modules hold the rest.\n\n"
    for title, names in pages().items():
        entries = "".join(f"   {name.removeprefix('numpy_rae.')} <{name}>\n" for name in names)
        text += section(title, "-") + summary(names) + f".. toctree::\n   :hidden:\n\n{entries}\n"
    return text


def write(app: Sphinx, config: Config) -> None:
    """Write the pages that changed, and delete those that are no longer wanted."""
    folder = Path(app.srcdir, "api")
    wanted = {"index.rst": index_page()}
    wanted |= {f"numpy_rae.{name}.rst": name_page(name) for name in public_names()}
    wanted |= {f"{name}.rst": package_page(name) for title in ("Modules", "Sub-packages") for name in pages()[title]}
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def skip(app: Sphinx, what: str, name: str, found: object, skipped: bool, options: object) -> bool | None:
    """Leave out what another package writes into our classes, such as Matplotlib's `set`."""
    return True if str(getattr(found, "__module__", "")).startswith("matplotlib") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("autodoc-skip-member", skip)
    app.connect("config-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
