"""Draw an activation with its derivatives and the signs of the bias gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Jet
from numpy_rae.plotting.style import GREY, SILVER, in_default_style, new_figure
from numpy_rae.plotting.theory_pictures import COLORS, DASHES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIGN_STYLES = {1: (COLORS[1], "//", "+"), 0: (SILVER, "", "0"), -1: (COLORS[0], "..", "\N{MINUS SIGN}")}


@in_default_style
def certificate(a: Array, jet: Jet, signs: Sequence[tuple[float, float, int]], title: str) -> Figure:
    """Return a figure of h, h' and h'' against a. The background and a strip below show the sign of the bias gradient.

    Parameters
    ----------
    a : ndarray, shape (k,)
        Pre-activations, in rising order.
    jet : Jet
        The activation and its derivatives at `a`; at least two derivatives.
    signs : sequence of (float, float, int)
        Intervals (low, high, sign) of the bias gradient's sign. They differ in colour, hatch and letter, so that the
        figure can be read without colours.
    title : str
        Title of the upper panel.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure = new_figure(7, 4.8)
    top, strip = figure.subplots(2, 1, sharex=True, height_ratios=(7, 1))
    curves = [values for values in jet[:3] if values is not None]
    for label, values, color, dash in zip(("$h$", "$h'$", "$h''$"), curves, COLORS[5:2:-1], DASHES, strict=False):
        top.plot(a, values, dash, color=color, label=label, lw=2)
    for low, high, sign in signs:
        low, high = max(low, a[0]), min(high, a[-1])
        if low < high:
            color, hatch, text = SIGN_STYLES[sign]
            top.axvspan(low, high, color=color, alpha=0.12, lw=0)
            strip.axvspan(low, high, facecolor=color, alpha=0.45, hatch=hatch, edgecolor=GREY, lw=0.5)
            letter = strip.text((low + high) / 2, 0.5, text, ha="center", va="center", fontsize=13)
            letter.set_bbox({"facecolor": "white", "alpha": 0.85, "lw": 0, "pad": 1})
    top.axhline(0, color=GREY, lw=0.6)
    # h' and h'' are of order one. If the axis followed a growing h, they would look flat.
    low, high = max(np.min(curves), -2), min(np.max(curves), 2)
    top.set(xlim=(a[0], a[-1]), ylim=(low - 0.1, high + 0.1), title=title)
    top.legend(frameon=False, loc="upper left")
    strip.set(xlabel="$a$", ylabel=r"$\partial R/\partial b$", yticks=[])
    return figure
