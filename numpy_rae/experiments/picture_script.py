"""What the scripts that draw one picture have in common."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from numpy_rae.plotting.style import save_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, args: argparse.Namespace, name: str) -> int:
    """Save a script's only picture as --picture, else as `name` in the folder --out, and print its path.

    Raises StoreError if that cannot be done.
    """
    picture: Path = args.picture or args.out / name
    save_picture(figure, picture)
    print(f"picture: {picture}")
    return 0
