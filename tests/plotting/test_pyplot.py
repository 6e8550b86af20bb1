"""No picture may need pyplot: it chooses a backend, reads the user's settings and keeps every figure open."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# `style.new_figure` imports the class of the figures when the first picture is drawn.
LATER = ("__init__", "notebook_figure")
PLOTTING = sorted(path.stem for path in (ROOT / "numpy_rae" / "plotting").glob("*.py") if path.stem not in LATER)
SOURCES = [*(ROOT / "numpy_rae").rglob("*.py"), *(ROOT / "examples").glob("*.py")]


def test_importing_the_pictures_does_not_load_matplotlib():
    modules = "".join(f"import numpy_rae.plotting.{name}\n" for name in PLOTTING)
    code = modules + "import sys; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_no_module_and_no_example_uses_pyplot():
    using = [path.relative_to(ROOT).as_posix() for path in SOURCES if "pyplot" in path.read_text(encoding="utf-8")]
    assert SOURCES and using == []
