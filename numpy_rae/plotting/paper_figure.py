"""Draw the figures of the paper, with its layout: one picture per figure, MNIST on the left, CIFAR-10 on the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rae.breakdown import finished_broken
from numpy_rae.plotting.model_curves import by_sigma2, differences, of_model
from numpy_rae.plotting.seed_spread import draw_spread
from numpy_rae.plotting.style import GREY, in_default_style, new_figure, style

if TYPE_CHECKING:  # matplotlib is loaded when the first picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The panel of dead units is drawn only if a larger fraction of units than this is dead in some run.
DEAD_FROM = 0.1
# The curves of mDAE and CAE are often nearly equal. So CAE has a large hollow mark, and mDAE has a dashed line.
DASHES = {"mDAE": (0, (3, 2))}
# Marks above the axes: matplotlib's marker, and the sign and the text that explain it in the legend.
MARKS = {"diverged": ("x", "×", "diverged"), "broken": ("o", "○", "broke down (not part of the line)")}
MARK_POINTS = 9
# Width of one letter of a tick label, as a fraction of the axis.
LETTER = 0.019
# Differences between models cover several orders of magnitude. Their axis is linear below this and logarithmic above.
LINEAR_BELOW = 0.001
ACTIVE = "average activation fraction"


@dataclass(frozen=True)
class Panel:
    """One data set of a figure: the records, the models in the legend's order, a title, and a note below the title."""

    records: list[dict[str, Any]]
    models: Sequence[str]
    label: str
    note: str = ""


@in_default_style
def trend(panels: Sequence[Panel], title: str, reference: str | None = None) -> Figure:
    """Draw the activation fraction (Eq. 14) against sigma^2, one column per data set.

    Bands go from the smallest to the largest value over the seeds.

    Parameters
    ----------
    panels : sequence of Panel
        The data sets, from left to right.
    title : str
        The figure's title.
    reference : str, optional
        Model whose activation fraction is subtracted from the others', seed by seed, in a second row. Without it, the
        second row shows the dead units, if there are enough of them to be visible.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. Runs that diverged, and runs that finished and broke down, are marked above the
        axes, because their numbers are not a measurement of sparsity.
    """
    panels = [panel for panel in panels if panel.records] or list(panels[:1])
    dead = any(_worst_dead(panel.records) > DEAD_FROM for panel in panels)
    second = bool(reference) or dead
    figure = new_figure(*_size(len(panels), second, bool(reference)))
    ratios = ((1, 1) if reference else (3, 1))[: 1 + second]
    rows = figure.subplots(1 + second, len(panels), sharex=True, sharey="row", squeeze=False, height_ratios=ratios)
    marks, grid = max(map(_rows_of_marks, panels)), _all_sigma2(panels)
    for column, panel in zip(rows.T, panels, strict=True):
        _draw_models(column[0], panel, "activation_fraction", grid)
        _mark_failures(column[0], panel)
        _write_title(column[0], panel, marks, any(each.note for each in panels))
        if second and not reference:
            _draw_models(column[1], panel, "dead_fraction", grid)
        _dress_sigma2(column, grid)
        if reference:
            _draw_differences(column[1], panel, reference)
    rows[0, 0].set_ylabel("activation fraction, Eq. (14)" if reference else f"{ACTIVE}, Eq. (14)")
    if second:
        beside = f"minus {reference}'s, same seed\n(logarithmic beyond \N{PLUS-MINUS SIGN}{LINEAR_BELOW:g})"
        rows[1, 0].set_ylabel(beside if reference else "dead units")
    figure.suptitle(title, fontsize=13)
    _write_legend(figure, panels)
    return figure


def _size(columns: int, second: bool, compared: bool) -> tuple[float, float]:
    """Return width and height. A single column is so wide that the text can be read at the width of a page."""
    width = 1.2 + 4.4 * columns if columns > 1 else 7.0
    return width, 6.4 if compared else 5.6 if second else 4.2


@in_default_style
def history(panels: Sequence[Panel], title: str) -> Figure:
    """Draw the activation fraction against the epoch: one row per data set, one column per model, one line per run.

    Parameters
    ----------
    panels : sequence of Panel
        The data sets, from top to bottom.
    title : str
        The figure's title.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. The colours show sigma^2. The plain auto-encoder, sigma^2 = 0, is black in every column.
    """
    panels = [panel for panel in panels if panel.records]
    models = list(dict.fromkeys(model for panel in panels for model in panel.models))
    figure = new_figure(2.2 * len(models) + 1.2, 0.9 + 2.1 * len(panels))
    colors = _sigma2_colors(panels)
    axes = figure.subplots(len(panels), len(models), sharex=True, sharey=True, squeeze=False)
    for row, panel in zip(axes, panels, strict=True):
        for ax, model in zip(row, models, strict=True):
            _draw_histories(ax, panel, model, colors)
        row[0].set_ylabel(f"{panel.label}\n{ACTIVE}", fontsize=8.5)
    for top, bottom, model in zip(axes[0], axes[-1], models, strict=True):
        top.set_title(model, fontsize=11)
        bottom.set_xlabel("epoch")
    figure.suptitle(title, fontsize=13)
    lines = [_handle(color=color, label=f"{sigma2:g}") for sigma2, color in colors.items()]
    figure.legend(handles=lines, loc="outside right center", title=r"$\sigma^2$", frameon=False)
    return figure


def failure(entry: dict[str, Any]) -> str | None:
    """Return "diverged", "broken" for a run that finished and broke down, or None.

    Parameters
    ----------
    entry : dict
        A record of a sweep. See `numpy_rae.breakdown` for the rule and for older records.

    Returns
    -------
    str or None
        A key of MARKS.
    """
    if entry["status"] == "diverged":
        return "diverged"
    return "broken" if finished_broken(entry) else None


def _sound(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in records if failure(entry) is None]


def _worst_dead(records: Iterable[dict[str, Any]]) -> float:
    return max((entry["metrics"]["dead_fraction"] for entry in _sound(records)), default=0.0)


def _look(panel: Panel, model: str) -> dict[str, Any]:
    return style(model, list(panel.models).index(model))


def _all_sigma2(panels: Iterable[Panel]) -> list[float]:
    return sorted({entry["config"]["sigma2"] for panel in panels for entry in panel.records})


def _draw_models(ax: Axes, panel: Panel, key: str, grid: Sequence[float]) -> None:
    """Draw one line per model through the means over the seeds, and the spread if there are several seeds.

    If a run of the grid is missing or failed, the line has a gap there.
    """
    for model in panel.models:
        found = dict(by_sigma2(_sound(panel.records), model, key))
        points = [(sigma2, found.get(sigma2, [np.nan])) for sigma2 in grid]
        look = {**_look(panel, model), "linestyle": DASHES.get(model, "-"), "linewidth": 1.5, "clip_on": False}
        x = [np.sqrt(sigma2) for sigma2, _ in points]
        ax.plot(x, [np.mean(values) for _, values in points], label=model, zorder=3, **look)
        draw_spread(ax, found, grid, look["color"])


def _draw_differences(ax: Axes, panel: Panel, reference: str) -> None:
    """Draw one line per model through the mean differences from the reference, and the spread over the seeds.

    The differences cover three orders of magnitude, so the axis is logarithmic above `LINEAR_BELOW`. Its label says so.
    """
    for model in panel.models:
        found = differences(_sound(panel.records), model, reference)
        if found and model != reference:
            look = {**_look(panel, model), "linestyle": DASHES.get(model, "-"), "linewidth": 1.5}
            x = np.sqrt(list(found))
            ax.plot(x, [np.mean(gaps) for gaps in found.values()], label=model, **look)
            draw_spread(ax, found, found, look["color"])
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_yscale("symlog", linthresh=LINEAR_BELOW)
    ax.autoscale(axis="y")
    ticks = [0, *(sign * 10.0**power for sign in (-1, 1) for power in range(-3, 1))]
    low, high = ax.get_ylim()
    shown = [tick for tick in sorted(ticks) if low <= tick <= high]
    ax.set_yticks(shown, [f"{tick:+g}" if tick else "0" for tick in shown])
    ax.minorticks_off()


def _mark_failures(ax: Axes, panel: Panel) -> None:
    """Draw marks above the top spine, in the model's colour. Each model with marks has its own row."""
    from matplotlib.transforms import ScaledTranslation

    inches = MARK_POINTS / 72
    for model in panel.models:
        mine = of_model(panel.records, model)
        for kind, (marker, *_) in MARKS.items():
            x = sorted({np.sqrt(entry["config"]["sigma2"]) for entry in mine if failure(entry) == kind})
            if x:
                look = {"color": _look(panel, model)["color"], "markerfacecolor": "none", "markersize": 6, "mew": 1.5}
                above = ax.get_xaxis_transform() + ScaledTranslation(0, inches, ax.figure.dpi_scale_trans)
                label = f"{model} {kind}"
                (marks,) = ax.plot(x, [1.0] * len(x), marker, transform=above, clip_on=False, label=label, **look)
                marks.set_in_layout(False)  # the title leaves the room
        inches += MARK_POINTS / 72 if any(map(failure, mine)) else 0


def _rows_of_marks(panel: Panel) -> int:
    return sum(any(map(failure, of_model(panel.records, model))) for model in panel.models)


def _write_title(ax: Axes, panel: Panel, marks: int, notes: bool) -> None:
    """Write the data set's name, and below it the note in small grey letters. Leave space for the rows of marks."""
    above = 6 + MARK_POINTS * marks + 3 * (marks > 0)
    if panel.note:
        at: dict[str, Any] = {
            "xy": (0.5, 1),
            "xytext": (0, above),
            "xycoords": "axes fraction",
            "textcoords": "offset points",
        }
        note = ax.annotate(panel.note, ha="center", va="bottom", fontsize=8.5, color=GREY, **at)
        note.set_in_layout(False)
    ax.set_title(panel.label, fontsize=11, pad=above + 14 * notes)


def _dress_sigma2(column: Sequence[Axes], ticks: Sequence[float]) -> None:
    """Make the axis linear in sigma, with a tick at every sigma^2. A label too close to the last is one line lower."""
    at = np.sqrt(ticks)
    margin = 0.03 * (np.ptp(at) or 1)
    for ax in column:
        ax.set_ylim(-0.02, 1.02)
        ax.grid(alpha=0.25)
        ax.set_xlim(at.min() - margin, at.max() + margin)
    column[-1].set_xticks(at, _tick_labels(ticks, (at - at.min()) / (np.ptp(at) or 1)), fontsize=9)
    column[-1].set_xlabel(r"$\sigma^2$  (axis linear in $\sigma$)")


def _tick_labels(ticks: Sequence[float], places: Any) -> list[str]:
    """Return a label for each tick, on one of two lines. It is empty if both are full. `places` are in [0, 1]."""
    labels, ends = [], [-1.0, -1.0]
    for sigma2, place in zip(ticks, places, strict=True):
        text = f"{sigma2:g}".removeprefix("0") or "0"
        half = LETTER * (len(text) + 0.5) / 2
        line = next((line for line, end in enumerate(ends) if place - half >= end), None)
        labels.append("" if line is None else "\n" * line + text)
        if line is not None:
            ends[line] = place + half
    return labels


def _write_legend(figure: Figure, panels: Sequence[Panel]) -> None:
    """Draw one legend below the axes. Text above the legend explains the marks above the axes."""
    found: dict[str, Any] = {}
    for panel in panels:
        for model in panel.models:
            look = {**_look(panel, model), "linestyle": DASHES.get(model, "-")}
            found.setdefault(model, _handle(label=model, **look))
    kinds = {failure(entry) for panel in panels for entry in panel.records}
    marks = [f"{sign} {text}" for kind, (_, sign, text) in MARKS.items() if kind in kinds]
    title = f"above the axes: {', '.join(marks)}" if marks else None
    look = {"frameon": False, "fontsize": 9, "title": title, "title_fontsize": 8.5}
    figure.legend(handles=[*found.values()], loc="outside lower center", ncols=min(len(found), 4), **look)


def _handle(**look: Any) -> Any:
    """Return an entry of the legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **look)


def _sigma2_colors(panels: Sequence[Panel]) -> dict[float, Any]:
    """Return the colours: black for sigma^2 = 0, then from dark to light."""
    from matplotlib import colormaps

    values = _all_sigma2(panels)
    positive = [sigma2 for sigma2 in values if sigma2]
    shades = colormaps["plasma"](np.linspace(0.05, 0.9, len(positive)))
    return {**({0.0: "black"} if 0.0 in values else {}), **dict(zip(positive, shades, strict=True))}


def _draw_histories(ax: Axes, panel: Panel, model: str, colors: dict[float, Any]) -> None:
    for entry in of_model(panel.records, model):
        epochs = [line["epoch"] for line in entry["history"]]
        values = [line["activation_fraction"] for line in entry["history"]]
        ax.plot(epochs, values, color=colors[entry["config"]["sigma2"]], linewidth=1.2)
    ax.set_ylim(0, 1.02)
    ax.grid(alpha=0.25)
