"""Import the scripts in examples/ from their files. A script can import another one, as when it is run."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
sys.path.append(str(EXAMPLES))


def load(name: str, folder: Path = EXAMPLES) -> ModuleType:
    """Return a fresh copy of the script, which a test can change."""
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
