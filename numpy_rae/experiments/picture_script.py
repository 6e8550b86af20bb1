"""What the scripts that draw one picture have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from numpy_rae.plotting.style import save_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, out: Path, name: str) -> int:
    """Save a script's only picture and print its path.

    Parameters
    ----------
    figure : Figure
        The picture.
    out : Path
        The folder.
    name : str
        Name of the file.

    Returns
    -------
    int
        The exit code 0.

    Raises
    ------
    StoreError
        If the picture cannot be saved.
    """
    save_picture(figure, out / name)
    print(f"picture: {out / name}")
    return 0
