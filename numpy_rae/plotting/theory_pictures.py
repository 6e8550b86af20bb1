"""Draw pictures of the theory: Thm 1's condition, Thm 3's remainder and terms, bias gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.plotting.style import GREY, SPARE, STYLES, in_default_style, new_figure
from numpy_rae.theory.monitor import Observation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = [color for color, _ in (*STYLES.values(), *SPARE)]
DASHES = ("-", "--", "-.", ":")
TERMS = ("diagonal", "cross", "third")
QUANTILES = (0.05, 0.5, 0.95)
LINEAR_BELOW = 0.01
# Reference slopes are drawn above the highest curve and below the lowest curve. The distance is this factor.
APART = 4
ROUND = [digit * 10.0**power for power in range(-6, 3) for digit in (1, 2, 3, 5)]


@in_default_style
def theorem_1(observations: Sequence[Observation], title: str) -> Figure:
    """Return a figure of Thm 1's condition during training, and of the predicted and actual change of E[a_j].

    Parameters
    ----------
    observations : sequence of Observation
        The observations of the monitor, in the order of the updates.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure = new_figure(9, 5)
    axes = figure.subplot_mosaic([["sides", "change"], ["shares", "change"]], height_ratios=(4, 1))
    axes["shares"].sharex(axes["sides"])
    axes["sides"].tick_params(labelbottom=False)
    _condition(axes["sides"], axes["shares"], observations)
    _change(axes["change"], observations)
    figure.suptitle(f"{title}\nlines: median over the units; bands: 5 % to 95 %", fontsize=11)
    return figure


def _condition(sides: Axes, shares: Axes, observations: Sequence[Observation]) -> None:
    """Draw both sides of the condition (median and quantiles over units), and the share of units that satisfy it."""
    steps = [seen.step for seen in observations]
    bounds = {"bound, Lemma 1": "paper", "bound without assumptions": "free", "bound, sharp Gaussian": "gaussian"}
    curves = {
        r"$\lambda\,\partial R/\partial b_j$": [seen.lam_dR_db for seen in observations],
        **{label: [getattr(seen, f"bound_{name}") for seen in observations] for label, name in bounds.items()},
        r"$|\partial J_{AE}/\partial b_j|$": [np.abs(seen.dJ_db) for seen in observations],
    }
    looks = dict(zip(curves, zip(COLORS, DASHES * 2, strict=False), strict=False))
    for label, values in curves.items():
        color, dash = looks[label]
        low, middle, high = np.quantile(values, QUANTILES, axis=1)
        sides.plot(steps, middle, dash, color=color, label=label)
        sides.fill_between(steps, low, high, color=color, alpha=0.25, lw=0)
    for label, name in bounds.items():
        color, dash = looks[label]
        shares.plot(steps, [seen.holds()[name] for seen in observations], dash, color=color, label=label)
    sides.set(ylabel=f"logarithmic axis, linear below {LINEAR_BELOW:g}", title="Thm 1: condition and bounds")
    sides.set_yscale("symlog", linthresh=LINEAR_BELOW)
    shares.set(xlabel="update", ylabel="units\nabove", ylim=(-0.08, 1.08), yticks=[0, 1])
    shares.legend(*sides.get_legend_handles_labels(), frameon=False, fontsize=8, ncols=3, loc="upper center",
                  bbox_to_anchor=(0.5, -0.7))  # fmt: skip


def _change(ax: Axes, observations: Sequence[Observation]) -> None:
    """Draw the predicted and the actual change of E[a_j] in one update (medians and quantiles over the units)."""
    steps = [seen.step for seen in observations]
    curves = {
        "whole update, with momentum": ("realised", COLORS[0], "-"),
        r"its part $-\eta g$": ("from_gradient", COLORS[1], "-"),
        "predicted by Eq. (5)": ("predicted", COLORS[5], ":"),
    }
    for label, (name, color, dash) in curves.items():
        low, middle, high = np.quantile([1e3 * getattr(seen, name) for seen in observations], QUANTILES, axis=1)
        ax.plot(steps, middle, dash, color=color, label=label, lw=2)
        ax.fill_between(steps, low, high, color=color, alpha=0.2, lw=0)
    ax.axhline(0, color=GREY, lw=0.6)
    ax.set(xlabel="update", ylabel=r"change, $10^{-3}$", title=r"Change of $E[a_j]$ in one update")
    ax.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)


@in_default_style
def theorem_3(sigma: Array, remainders: dict[str, Array], title: str) -> Figure:
    """Return a figure of the remainders of Eq. (7) against sigma on log-log axes, with the slopes 2 and 4 to compare.

    Parameters
    ----------
    sigma : ndarray, shape (k,)
        Standard deviations of the noise.
    remainders : dict of str to ndarray, shape (k,)
        Remainders by label.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure = new_figure(7, 5.4)
    ax = figure.subplots()
    for (label, values), color, dash in zip(remainders.items(), COLORS, DASHES * 3, strict=False):
        ax.loglog(sigma, values, dash, color=color, marker="o", ms=4, label=label)
    ends = [values[-1] for values in remainders.values()]
    for order, end, side in ((2, max(ends) * APART, 1), (4, min(ends) / APART, -1)):
        guide = end * (sigma / sigma[-1]) ** order
        middle = len(sigma) // 2
        ax.loglog(sigma, guide, color=GREY, lw=1, zorder=0)
        ax.annotate(f"slope {order}", (sigma[middle], guide[middle]), xytext=(-side * 8, side * 6), fontsize=9,
                    textcoords="offset points", color=GREY, ha="right" if side > 0 else "left",
                    va="bottom" if side > 0 else "top")  # fmt: skip
    ax.set(xlabel=r"$\sigma$", ylabel=r"$|J_{DAE} - J_{AE} - \sigma^2 R|$", title=title)
    ticks = [tick for tick in ROUND if sigma[0] <= tick * 1.001 and tick <= sigma[-1] * 1.001]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


@in_default_style
def theorem_3_terms(seen: dict[str, dict[str, Array]], title: str) -> Figure:
    """Return a figure of the three terms of Eq. (7) against the epoch: one panel per activation, one dash per model.

    The axis is logarithmic. Hollow marks are negative values. If a term is always 0, the title of its panel says so.

    Parameters
    ----------
    seen : dict of str to dict of str to ndarray, shape (epochs + 1, 3)
        The terms by activation and model.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(3.4 * len(seen), 4.2)
    axes = figure.subplots(1, len(seen), squeeze=False)
    for ax, (activation, models) in zip(axes[0], seen.items(), strict=True):
        for term, (name, color) in enumerate(zip(TERMS, COLORS, strict=False)):
            for (model, terms), dash in zip(models.items(), DASHES, strict=False):
                if terms[:, term].any():
                    _signed(ax, terms[:, term], dash, color, f"{name}, {model}")
                else:
                    ax.set_title(f"{name} term: 0", loc="right", fontsize=9, color=GREY)
        ax.set(title=activation, xlabel="epoch")
        ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    axes[0, 0].set_ylabel("|term|")
    handles, labels = _fullest(axes[0])
    for label, face in (("positive value", GREY), ("negative value", "white")):
        handles.append(Line2D([], [], color=GREY, marker="o", mfc=face, ms=4, ls="none"))
        labels.append(label)
    figure.legend(handles, labels, loc="outside lower center", ncols=len(TERMS) + 1, frameon=False, fontsize=9)
    figure.suptitle(title)
    return figure


def _fullest(axes: Sequence[Axes]) -> tuple[list[Any], list[Any]]:
    """Return the legend entries (handles and labels) of the panel that has the most, for the legend of a row."""
    return max((ax.get_legend_handles_labels() for ax in axes), key=lambda pair: len(pair[1]))


def _signed(ax: Axes, values: Array, dash: str, color: str, label: str) -> None:
    """Draw |values| with marks that are hollow where the value is negative."""
    epochs, negative = np.arange(len(values)), values < 0
    ax.semilogy(epochs, np.abs(values), dash, color=color, label=label)
    for where, face in ((negative, "white"), (~negative, color)):
        ax.plot(epochs[where], np.abs(values[where]), "o", color=color, mfc=face, ms=4)


@in_default_style
def bias_gradients(a: Array, rows: dict[str, dict[str, dict[str, Array]]], title: str, note: str) -> Figure:
    """Return a figure of dR/db against the pre-activation, for one unit with ||W_j|| = 1 on one sample.

    There is one panel per activation in each row, and one line per penalty in each panel. The panels of the first row
    share an axis.

    Parameters
    ----------
    a : ndarray, shape (k,)
        Pre-activations.
    rows : dict of str to dict of str to dict of str to ndarray, shape (k,)
        Bias gradients by label of the row, activation and penalty.
    title : str
        Title of the figure.
    note : str
        Small text below the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    activations = list(next(iter(rows.values())))
    figure = new_figure(2.6 * len(activations), 0.8 + 2.2 * len(rows))
    axes = figure.subplots(len(rows), len(activations), squeeze=False)
    colors = iter(COLORS)
    for ax in axes[0, 1:]:
        ax.sharey(axes[0, 0])
    for row, (label, curves) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(label + "\n" + r"$\partial R/\partial b$")
        _panels(row, a, list(curves.values()), colors)
    for top, bottom, activation in zip(axes[0], axes[-1], activations, strict=True):
        top.set_title(activation)
        bottom.set_xlabel("$a$")
        top.set_yscale("asinh", linear_width=0.1)  # smooth; symlog has corners, which look like those of the curves
        top.autoscale(axis="y")
        top.set_yticks([-1, 0, 1, 10, 100, 1000], ["-1", "0", "1", "10", "100", "1000"])
        top.minorticks_off()
        top.tick_params(labelleft=top is axes[0, 0])
    figure.suptitle(title)
    axis = "First row: asinh axis, linear near 0 and logarithmic beyond \N{PLUS-MINUS SIGN}0.1."
    figure.supxlabel(f"{note} {axis}", fontsize=8.5, color=GREY)
    return figure


def _panels(row: Sequence[Axes], a: Array, curves: list[dict[str, Array]], colors: Iterator[str]) -> None:
    """Draw one row of panels and its legend."""
    names: list[str] = max((list(lines) for lines in curves), key=len)
    looks = {name: look for name, *look in zip(names, colors, DASHES * 3, strict=False)}
    for ax, lines in zip(row, curves, strict=True):
        for penalty, values in lines.items():
            color, dash = looks[penalty]
            ax.plot(a, values, dash, color=color, label=penalty)
        if any(map(np.any, lines.values())):
            ax.axhline(0, color=GREY, lw=0.6)
            ax.ticklabel_format(scilimits=(-2, 3))
        else:
            _say_zero(ax)
    row[-1].legend(*_fullest(row), loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _say_zero(ax: Axes) -> None:
    """If all lines of a panel are 0, write a sentence instead of the lines."""
    for line in list(ax.get_lines()):
        line.remove()
    for part in (*ax.spines.values(), ax.xaxis):
        part.set_visible(False)
    ax.set_yticks([])
    ax.text(0.5, 0.5, "0 at every $a$", transform=ax.transAxes, ha="center", va="center", color=GREY)
