"""One training run in one picture: history, densities, biases, pre-activations, filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpy_rae import _validation
from numpy_rae.autoencoder import Params
from numpy_rae.plotting.style import STYLES, in_default_style, new_figure
from numpy_rae.sparsity import Sparsity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
from numpy_rae.plotting.filters import _filters

LAYOUT = "OAL\nDBV\nFFT"


BLUE, VERMILION = STYLES["CAE"][0], STYLES["DAE"][0]


@_validation.tiny_is_zero
def in_words(last: float, seen: Sparsity) -> str:
    """A line a figure: the last minibatch's objective, and all of `seen`."""
    figures = {"last_batch_objective": last, **seen.figures()}
    text = "\n".join(f"{name.replace('_', ' '):<22}{value:>12.4g}" for name, value in figures.items())
    if np.isnan(seen.hoyer).any():
        text += "\n(zero codes have no Hoyer sparsity)"
    return text


@in_default_style
def training_report(
    history: Sequence[dict], params: Params, seen: Sparsity, shape: tuple[int, ...], text: str, title: str
) -> Figure:
    """History, L0, densities, biases, pre-activations, filters (rows of W as images of `shape`) and `text`."""
    figure = new_figure(13, 11)
    axes = figure.subplot_mosaic(LAYOUT, height_ratios=(1, 1, 1.3))
    _history(axes["O"], axes["A"], history)
    _L0(axes["L"], seen)
    _density(axes["D"], seen)
    _biases(axes["B"], params.b_e)
    _preactivations(axes["V"], seen)
    _filters(axes["F"], params.W, seen.density, shape)
    axes["T"].axis("off")
    axes["T"].text(0, 1, text, family="monospace", fontsize=9, va="top", transform=axes["T"].transAxes)
    figure.suptitle(title)
    return figure


def _history(left: Axes, right: Axes, history: Sequence[dict]) -> None:
    epochs = [entry["epoch"] for entry in history]
    left.plot(epochs, [entry["objective"] for entry in history], "-", color=BLUE, marker=".")
    left.set(xlabel="epoch", ylabel="mean objective", title="Objective")
    lines = {"active, Eq. (14)": ("activation_fraction", BLUE, "-"), "dead units": ("dead_fraction", VERMILION, "--")}
    for label, (key, color, dash) in lines.items():
        right.plot(epochs, [entry[key] for entry in history], dash, color=color, marker=".", label=label)
    right.set(xlabel="epoch", ylabel="fraction", ylim=(-0.03, 1.03), title="Active and dead, on the history's samples")
    right.legend(frameon=False)
    for ax in (left, right):
        ax.xaxis.get_major_locator().set_params(integer=True)


def _L0(ax: Axes, seen: Sparsity) -> None:
    """Bars of equally many values each, at most about 60 of them."""
    low, high = int(seen.L0.min()), int(seen.L0.max())
    width = -(-(high - low + 1) // 60)
    ax.hist(seen.L0, bins=np.arange(low, high + width + 1, width) - 0.5, color=BLUE)
    ax.axvline(seen.L0.mean(), color=VERMILION, ls="--", label=f"mean {seen.L0.mean():.1f}")
    ax.set(xlabel=f"active units of {len(seen.density):,}", ylabel="samples", title="Activations per sample (L0)")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False)


def _density(ax: Axes, seen: Sparsity) -> None:
    """A logarithm has no place for dead units: they are counted in the legend, and room is left for them."""
    alive = np.sort(seen.density[~seen.dead])[::-1]
    label = f"{len(alive):,} units; {int(seen.dead.sum()):,} dead ones not drawn"
    ax.semilogy(np.arange(1, len(alive) + 1), alive, ".", ms=4, color=BLUE, label=label)
    ax.axhline(1 / len(seen.L0), color="#777777", ls=":", label="one sample")
    ax.set(xlabel="unit, densest first", ylabel="share of samples", title="Activation density per unit")
    ax.set(xlim=(0, len(seen.density) + 1), ylim=(0.5 / len(seen.L0), 1.5))
    ax.legend(framealpha=1, edgecolor="none")


def _biases(ax: Axes, b_e: np.ndarray) -> None:
    ax.hist(b_e, bins=40, color=BLUE)
    ax.axvline(np.median(b_e), color=VERMILION, ls="--", label=f"median {np.median(b_e):.3g}")
    ax.set(xlabel="$b_e$", ylabel="units", title="Encoder biases")
    ax.legend(frameon=False)


def _preactivations(ax: Axes, seen: Sparsity) -> None:
    for label, units, color, mark in (("alive", ~seen.dead, BLUE, "."), ("dead", seen.dead, VERMILION, "x")):
        if units.any():
            ax.plot(seen.mean_a[units], seen.var_a[units], mark, ms=5, alpha=0.6, color=color, label=label)
    ax.set(xlabel="mean $E[a_j]$", ylabel=r"variance $\mathrm{Var}[a_j]$", title="Pre-activations, one mark a unit")
    ax.legend(frameon=False)
