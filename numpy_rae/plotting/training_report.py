"""Draw a report of one training run: history, densities, biases, pre-activations, filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.autoencoder import Params
from numpy_rae.plotting.filters import draw_filters
from numpy_rae.plotting.style import BLUE, MIDDLE_GREY, VERMILION, in_default_style, new_figure
from numpy_rae.sparsity import Sparsity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

LAYOUT = "OAL\nDBV\nFFT"


@_validation.tiny_is_zero
def in_words(last: float, seen: Sparsity) -> str:
    """Return a text with one line per number: the objective of the last minibatch, and all measures in `seen`.

    Parameters
    ----------
    last : float
        Objective of the last minibatch.
    seen : Sparsity
        The measures of the trained model.

    Returns
    -------
    str
        The text.
    """
    figures = {"last_batch_objective": last, **seen.figures()}
    text = "\n".join(f"{name.replace('_', ' '):<22}{value:>12.4g}" for name, value in figures.items())
    if np.isnan(seen.hoyer).any():
        text += "\n(zero codes have no Hoyer sparsity)"
    return text


@in_default_style
def training_report(
    history: Sequence[dict[str, Any]], params: Params, seen: Sparsity, shape: tuple[int, ...], text: str, title: str
) -> Figure:
    """Return a figure of one training run: history, L0, densities, biases, pre-activations, filters and a text.

    Parameters
    ----------
    history : sequence of dict
        One entry per epoch, as in `TrainResult.history`.
    params : Params
        The trained parameters.
    seen : Sparsity
        The measures of the trained model.
    shape : tuple of int
        Shape of a row of W as an image, (H, W) or (C, H, W).
    text : str
        Text in the lower right corner.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure = new_figure(13, 11)
    axes = figure.subplot_mosaic(LAYOUT, height_ratios=(1, 1, 1.3))
    _history(axes["O"], axes["A"], history)
    _L0(axes["L"], seen)
    _density(axes["D"], seen)
    _biases(axes["B"], params.b_e)
    _preactivations(axes["V"], seen)
    draw_filters(axes["F"], params.W, seen.density, shape)
    axes["T"].axis("off")
    axes["T"].text(0, 1, text, family="monospace", fontsize=9, va="top", transform=axes["T"].transAxes)
    figure.suptitle(title)
    return figure


def _history(left: Axes, right: Axes, history: Sequence[dict[str, Any]]) -> None:
    """Draw the objective, and the fractions of active and dead units, against the epoch."""
    epochs = [entry["epoch"] for entry in history]
    left.plot(epochs, [entry["objective"] for entry in history], "-", color=BLUE, marker=".")
    left.set(xlabel="epoch", ylabel="mean objective", title="Objective")
    lines = {"active, Eq. (14)": ("activation_fraction", BLUE, "-"), "dead units": ("dead_fraction", VERMILION, "--")}
    for label, (key, color, dash) in lines.items():
        right.plot(epochs, [entry[key] for entry in history], dash, color=color, marker=".", label=label)
    right.set(xlabel="epoch", ylabel="fraction", ylim=(-0.03, 1.03), title="Active and dead, on the history's samples")
    right.legend(frameon=False)
    for ax in (left, right):
        _whole_numbers(ax.xaxis)


def _L0(ax: Axes, seen: Sparsity) -> None:
    """Draw a histogram of L0 with at most about 60 bars. Each bar covers the same number of values."""
    low, high = int(seen.L0.min()), int(seen.L0.max())
    width = -(-(high - low + 1) // 60)
    ax.hist(seen.L0, bins=list(np.arange(low, high + width + 1, width) - 0.5), color=BLUE)
    ax.axvline(seen.L0.mean(), color=VERMILION, ls="--", label=f"mean {seen.L0.mean():.1f}")
    ax.set(xlabel=f"active units of {len(seen.density):,}", ylabel="samples", title="Activations per sample (L0)")
    _whole_numbers(ax.xaxis)
    ax.legend(frameon=False)


def _density(ax: Axes, seen: Sparsity) -> None:
    """Draw the densities on a log axis. It cannot show 0, so the legend gives the number of dead units."""
    alive = np.sort(seen.density[~seen.dead])[::-1]
    label = f"{len(alive):,} units; {int(seen.dead.sum()):,} dead ones not drawn"
    ax.semilogy(np.arange(1, len(alive) + 1), alive, ".", ms=4, color=BLUE, label=label)
    ax.axhline(1 / len(seen.L0), color=MIDDLE_GREY, ls=":", label="one sample")
    ax.set(xlabel="unit, densest first", ylabel="share of samples", title="Activation density per unit")
    ax.set(xlim=(0, len(seen.density) + 1), ylim=(0.5 / len(seen.L0), 1.5))
    ax.legend(framealpha=1, edgecolor="none")


def _biases(ax: Axes, b_e: Array) -> None:
    """Draw a histogram of the encoder biases."""
    ax.hist(b_e, bins=40, color=BLUE)
    ax.axvline(np.median(b_e), color=VERMILION, ls="--", label=f"median {np.median(b_e):.3g}")
    ax.set(xlabel="$b_e$", ylabel="units", title="Encoder biases")
    ax.legend(frameon=False)


def _preactivations(ax: Axes, seen: Sparsity) -> None:
    """Draw mean and variance of the pre-activations of every unit."""
    for label, units, color, mark in (("alive", ~seen.dead, BLUE, "."), ("dead", seen.dead, VERMILION, "x")):
        if units.any():
            ax.plot(seen.mean_a[units], seen.var_a[units], mark, ms=5, alpha=0.6, color=color, label=label)
    ax.set(xlabel="mean $E[a_j]$", ylabel=r"variance $\mathrm{Var}[a_j]$", title="Pre-activations, one mark per unit")
    ax.legend(frameon=False)


def _whole_numbers(axis: Axis) -> None:
    """Put ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
