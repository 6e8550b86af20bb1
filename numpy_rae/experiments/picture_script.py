"""What the scripts that draw one picture have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from numpy_rae.plotting.style import save_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, out: Path, name: str) -> int:
    """Save a script's only picture in folder `out` and print its path. Raises StoreError if that cannot be done."""
    save_picture(figure, out / name)
    print(f"picture: {out / name}")
    return 0
