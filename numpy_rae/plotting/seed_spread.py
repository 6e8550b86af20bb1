"""Draw the spread over the seeds: a band, or a bar where the neighbouring values of sigma^2 have one seed only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # matplotlib is loaded when the first picture is drawn
    from matplotlib.axes import Axes


def draw_spread(ax: Axes, values: Mapping[float, list[float]], grid: Iterable[float], color: str) -> None:
    """Draw the range over the seeds at each sigma^2 that has several.

    A band joins values that are neighbours on the grid. A band over a value with one seed would hide that its spread is
    not known, and it would leave the line of the means.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes. Their x axis is linear in sigma.
    values : mapping of float to list of float
        The numbers of all seeds by sigma^2.
    grid : iterable of float
        All values of sigma^2 of the line, in increasing order. Some may be missing in `values`.
    color : str
        The color.
    """
    grid = list(grid)
    found = [values.get(sigma2, []) for sigma2 in grid]
    several = np.array([len(each) > 1 for each in found], dtype=bool)
    low, high = (np.array([extreme(each) if each else np.nan for each in found]) for extreme in (min, max))
    joined = several[:-1] & several[1:]
    alone = several & ~np.append(False, joined) & ~np.append(joined, False)
    x = np.sqrt(grid)
    if joined.any():
        ax.fill_between(x, low, high, where=several & ~alone, color=color, alpha=0.2, linewidth=0)
    if alone.any():
        ax.vlines(x[alone], low[alone], high[alone], color=color, linewidth=1.5)
