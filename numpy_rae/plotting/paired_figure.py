"""Draw the paired differences of the trials with fresh seeds, with their intervals and the margin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy_rae.certificates import verdict
from numpy_rae.certificates.paired_outcome import MARGIN, PairResult
from numpy_rae.plotting.style import BLUE, GREY, LIGHT_GREY, MIDDLE_GREY, ORANGE, in_default_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colour and marker of each prediction, and how far below its line each variant is drawn.
LOOKS = {verdict.SPARSER: (BLUE, "v"), verdict.UNAFFECTED: (ORANGE, "s"), verdict.UNDETERMINED: (MIDDLE_GREY, "o")}
SHIFT = {False: -0.15, True: 0.2}
TICKS = (-1.0, -0.1, -MARGIN, 0.0, MARGIN, 0.1, 1.0)


@in_default_style
def picture(results: Sequence[PairResult]) -> Figure:
    """Return a figure with one panel per setting and one line per pair.

    A marker shows the mean change of the activation fraction, and a bar its interval. The marker is full for the
    projection after the step and hollow for tangent gradients. The grey band is the margin. Beyond the margin the axis
    is logarithmic.

    Parameters
    ----------
    results : sequence of PairResult
        The results of all pairs.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    settings = list(dict.fromkeys(result.setting for result in results))
    pairs = list(dict.fromkeys(_name(result) for result in results))
    figure = new_figure(2 + 2.6 * len(settings), 1.6 + 0.24 * len(pairs))
    axes = figure.subplots(1, len(settings), sharey=True, squeeze=False)[0]
    for ax, setting in zip(axes, settings, strict=True):
        for result in (result for result in results if result.setting == setting):
            _mark(ax, pairs.index(_name(result)), result)
        _finish(ax, setting, pairs)
    figure.legend(handles=_keys(), loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(r"Change of the activation fraction from $\lambda = 0$ to $1$, paired by seed")
    return figure


def _name(result: PairResult) -> str:
    """Return the name of a pair."""
    return f"{result.certificate.activation}, {result.certificate.penalty}"


def _mark(ax: Axes, line: int, result: PairResult) -> None:
    """Draw the change of one pair, or a cross if it has none."""
    color, marker = LOOKS[result.certificate.prediction]
    y = line + SHIFT[result.tangent]
    if result.interval is None:
        ax.text(0, y, "broke down", ha="center", va="center", fontsize=7)
        return
    mean, low, high = result.interval
    face = "white" if result.tangent else color
    ax.plot([low, high], [y, y], color=color, lw=1.2)
    ax.plot([mean], [y], marker, color=color, mfc=face, ms=4.5)


def _finish(ax: Axes, setting: str, pairs: list[str]) -> None:
    """Draw the margin, and set the axes of one panel."""
    ax.axvspan(-MARGIN, MARGIN, color=LIGHT_GREY, lw=0, zorder=0)
    ax.axvline(0, color=GREY, lw=0.6)
    ax.set_xscale("symlog", linthresh=MARGIN)
    ax.set(xlim=(-1, 0.3), ylim=(len(pairs) - 0.3, -0.7), title=setting)
    shown = [tick for tick in TICKS if tick <= 0.3]
    ax.set_xticks(shown, [f"{tick:g}" for tick in shown], fontsize=8)
    ax.set_yticks(range(len(pairs)), pairs, fontsize=8)


def _keys() -> list[Any]:
    """Return the entries of the legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    keys: list[Any] = [
        Line2D([], [], color=color, marker=marker, ms=5, label=f"predicted: {prediction}")
        for prediction, (color, marker) in LOOKS.items()
    ]
    keys.append(Line2D([], [], color=GREY, marker="o", ms=5, lw=0, label="full: projection after the step"))
    keys.append(Line2D([], [], color=GREY, marker="o", mfc="white", ms=5, lw=0, label="hollow: tangent gradient"))
    keys.append(Patch(color=LIGHT_GREY, label=f"margin: {MARGIN:g}"))
    return keys
