"""An activation with its derivatives and the signs of the bias gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpy_rae.activations import Jet
from numpy_rae.plotting.style import in_default_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure
from numpy_rae.plotting.theory_pictures import COLORS, DASHES

SIGN_STYLES = {1: (COLORS[1], "//", "+"), 0: ("#BBBBBB", "", "0"), -1: (COLORS[0], "..", "\N{MINUS SIGN}")}


@in_default_style
def certificate(a: np.ndarray, jet: Jet, signs: Sequence[tuple[float, float, int]], title: str) -> Figure:
    """h, h' and h'' against a; behind them and in a strip below, the intervals (low, high, sign) of the bias gradient's
    sign: coloured, hatched and lettered, so that none of them carries the meaning alone."""
    figure = new_figure(7, 4.8)
    top, strip = figure.subplots(2, 1, sharex=True, height_ratios=(7, 1))
    for label, values, color, dash in zip(("$h$", "$h'$", "$h''$"), jet[:3], COLORS[5:2:-1], DASHES, strict=False):
        top.plot(a, values, dash, color=color, label=label, lw=2)
    for low, high, sign in signs:
        low, high = max(low, a[0]), min(high, a[-1])
        if low < high:
            color, hatch, text = SIGN_STYLES[sign]
            top.axvspan(low, high, color=color, alpha=0.12, lw=0)
            strip.axvspan(low, high, facecolor=color, alpha=0.45, hatch=hatch, edgecolor="#444444", lw=0.5)
            letter = strip.text((low + high) / 2, 0.5, text, ha="center", va="center", fontsize=13)
            letter.set_bbox({"facecolor": "white", "alpha": 0.85, "lw": 0, "pad": 1})
    top.axhline(0, color="#444444", lw=0.6)
    # Slopes and curvatures are of order one; an h that grows would flatten them.
    low, high = max(np.min(jet[:3]), -2), min(np.max(jet[:3]), 2)
    top.set(xlim=(a[0], a[-1]), ylim=(low - 0.1, high + 0.1), title=title)
    top.legend(frameon=False, loc="upper left")
    strip.set(xlabel="$a$", ylabel=r"$\partial R/\partial b$", yticks=[])
    return figure
