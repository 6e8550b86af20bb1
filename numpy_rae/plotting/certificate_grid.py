"""Draw a grid of coloured cells that compares the certificates with the results of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rae.certificates import training_outcome, verdict
from numpy_rae.certificates.training_outcome import Row
from numpy_rae.plotting.style import BLUE, LIGHT_GREY, MIDDLE_GREY, PURPLE, VERMILION, in_default_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, with letters and hatches, so that the picture can be read without colours.
LOOKS = {
    training_outcome.SPARSER: (BLUE, "S", ""),
    training_outcome.UNAFFECTED: (LIGHT_GREY, "=", ""),
    training_outcome.DENSER: (VERMILION, "D", ""),
    training_outcome.MIXED: (PURPLE, "M", ""),
    training_outcome.INCONCLUSIVE: ("#FFFFFF", "?", "//"),
    training_outcome.DIVERGED: ("#FFFFFF", "X", "xx"),
    training_outcome.REFUSED: ("#FFFFFF", "\N{EN DASH}", ""),
}
LABELS = {training_outcome.REFUSED: "refused: not defined for this activation"}
SHORT = {verdict.SPARSER: "S", verdict.UNAFFECTED: "=", verdict.UNDETERMINED: ""}


@in_default_style
def picture(rows: Sequence[Row]) -> Figure:
    """Return a figure with one panel per data set and one cell per pair of activation and penalty.

    The large letter and the colour show the outcome of training. The small letter shows the prediction. A cell has a
    frame if the prediction is wrong.

    Parameters
    ----------
    rows : sequence of Row
        The pairs with their certificates and outcomes.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    from matplotlib.patches import Patch

    data = list(dict.fromkeys(row.data for row in rows))
    activations = list(dict.fromkeys(row.certificate.activation for row in rows))
    penalties = list(dict.fromkeys(row.certificate.penalty for row in rows))
    figure = new_figure(1.5 + 3.6 * len(data), 1.6 + 0.38 * len(activations))
    axes = figure.subplots(1, len(data), sharey=True, squeeze=False)
    for ax, name in zip(axes[0], data, strict=True):
        for row in (row for row in rows if row.data == name):
            _cell(ax, penalties.index(row.certificate.penalty), activations.index(row.certificate.activation), row)
        ax.set(xlim=(0, len(penalties)), ylim=(len(activations), 0), title=name)
        ax.set_xticks(np.arange(len(penalties)) + 0.5, penalties)
        ax.set_yticks(np.arange(len(activations)) + 0.5, activations)
        ax.tick_params(length=0)
    shown = [name for name in LOOKS if any(row.outcome == name for row in rows)]
    keys = [
        Patch(fc=LOOKS[s][0], hatch=LOOKS[s][2], ec=MIDDLE_GREY, label=f"{LOOKS[s][1]}  {LABELS.get(s, s)}")
        for s in shown
    ]
    keys.append(Patch(fc="none", ec="black", lw=2, label="the prediction is wrong"))
    title = "large letter, colour: outcome of training; letter in a white box: the prediction (no box: undetermined)"
    look = {"ncols": 4, "frameon": False, "title": title, "title_fontsize": 9, "fontsize": 9}
    figure.legend(handles=keys, loc="outside lower center", **look)
    figure.suptitle(r"Effect of $\lambda$ on the activation fraction, and prediction of the certificate")
    return figure


def _cell(ax: Axes, column: int, line: int, row: Row) -> None:
    """Draw one pair: colour, hatch and letters."""
    from matplotlib.patches import Rectangle

    color, letter, hatch = LOOKS[row.outcome]
    missed = row.agreement == training_outcome.REFUTED
    edge: dict[str, Any] = {"ec": "black", "lw": 2.5, "zorder": 3} if missed else {"ec": MIDDLE_GREY, "lw": 0.5}
    ax.add_patch(Rectangle((column, line), 1, 1, fc=color, hatch=hatch, **edge))
    ink = "white" if row.outcome == training_outcome.SPARSER else "black"
    box = {"boxstyle": "square,pad=0.1", "fc": "white", "lw": 0} if hatch else None
    ax.text(column + 0.62, line + 0.5, letter, ha="center", va="center", color=ink, fontsize=12, zorder=4, bbox=box)
    small = SHORT[row.certificate.prediction]
    if small:
        white = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": MIDDLE_GREY, "lw": 0.5}
        ax.text(column + 0.2, line + 0.5, small, ha="center", va="center", fontsize=9, zorder=4, bbox=white)
