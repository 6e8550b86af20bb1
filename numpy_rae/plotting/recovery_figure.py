"""Draw the scores of dictionary recovery against sigma^2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.plotting.style import GREY, in_default_style, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_default_style
def recovery(sigma2: Sequence[float], cosines: dict[str, Array], levels: dict[str, float], title: str) -> Figure:
    """Return a figure of the recovery scores against sigma^2, and of the cosines at each method's best sigma^2.

    Parameters
    ----------
    sigma2 : sequence of float
        The values of sigma^2.
    cosines : dict of str to ndarray, shape (seeds, sigma^2, atoms)
        |cosine| of each atom with the row that is assigned to it, by method. Bands go from the smallest to the largest
        value over the seeds. NaN gives a gap.
    levels : dict of str to float
        Scores that are drawn as horizontal lines.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure = new_figure(11, 4.6)
    left, right = figure.subplots(1, 2, sharey=True)
    for (name, level), dash in zip(levels.items(), (":", "--", "-."), strict=False):
        for ax in (left, right):
            ax.axhline(level, color=GREY, ls=dash, lw=1, label=name if ax is left else None)
    for position, (name, found) in enumerate(cosines.items()):
        look, scores = style(name, position), found.mean(axis=2)
        left.plot(sigma2, scores.mean(axis=0), label=name, **look)
        left.fill_between(sigma2, scores.min(axis=0), scores.max(axis=0), color=look["color"], alpha=0.2, lw=0)
        best = int(np.nanargmax(scores.mean(axis=0)))
        atoms = np.sort(found[:, best].ravel())[::-1]
        share = (np.arange(len(atoms)) + 0.5) / len(atoms)
        label = f"{name}, {sigma2[best]:g}"
        right.plot(share, atoms, label=label, markevery=max(1, len(atoms) // 12), **look)
    left.set_xscale("function", functions=(lambda s: np.sqrt(np.maximum(s, 0)), np.square))
    left.set_xticks(list(sigma2), [f"{s:g}" for s in sigma2])
    left.set(xlabel=r"$\sigma^2$  (axis linear in $\sigma$)", ylabel="|cosine| with its atom", ylim=(0, 1.03))
    left.set_title("Recovery score: mean over atoms")
    right.set(xlabel="share of atoms, best found first")
    right.set_title(r"Atom by atom, at each method's best $\sigma^2$")
    left.legend(frameon=False, fontsize=8, loc="lower right", ncols=2)
    right.legend(frameon=False, fontsize=8, loc="lower left")
    figure.suptitle(title)
    return figure
