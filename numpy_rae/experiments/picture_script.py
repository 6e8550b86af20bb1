"""The code that all scripts with one picture share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from numpy_rae.plotting.style import save_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, args: argparse.Namespace, name: str) -> int:
    """Save a script's only picture and print its path.

    Parameters
    ----------
    figure : Figure
        The picture.
    args : Namespace
        The options. `picture` is the file, or None. `out` is the folder, if `picture` is None.
    name : str
        Name of the file in the folder `out`.

    Returns
    -------
    int
        The exit code 0.

    Raises
    ------
    StoreError
        If the picture cannot be saved.
    """
    picture: Path = args.picture or args.out / name
    save_picture(figure, picture)
    print(f"picture: {picture}")
    return 0
