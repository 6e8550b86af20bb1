"""Pictures of the theory: Thm 1's condition, Thm 3's remainder, bias gradients, certificates, filters."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from numpy_rae.activations import Jet
from numpy_rae.figures import SPARE, STYLES
from numpy_rae.monitor import Observation

COLORS = [color for color, _ in (*STYLES.values(), *SPARE)]
DASHES = ("-", "--", "-.", ":")
SIGN_STYLES = {1: (COLORS[1], "//", "+"), 0: ("#BBBBBB", "", "0"), -1: (COLORS[0], "..", "\N{MINUS SIGN}")}


def theorem_1(observations: Sequence[Observation], title: str) -> Figure:
    """Left: both sides of Thm 1's condition while training, medians over the units. Right: predicted against realised
    change of E[a_j] over all observed updates and units."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    steps = [seen.step for seen in observations]
    sides = {
        r"$\lambda\,\partial R/\partial b_j$": [seen.lam_dR_db for seen in observations],
        "bound, Lemma 1": [seen.bound_paper for seen in observations],
        "bound without assumptions": [seen.bound_free for seen in observations],
        "bound, sharp Gaussian": [seen.bound_gaussian for seen in observations],
        r"$|\partial J_{AE}/\partial b_j|$": [np.abs(seen.dJ_db) for seen in observations],
    }
    for (label, values), color in zip(sides.items(), COLORS, strict=False):
        left.plot(steps, [np.median(v) for v in values], color=color, label=label)
    left.set(xlabel="update", ylabel="median over units", title="Thm 1: condition and bounds")
    left.set_yscale("symlog", linthresh=0.01)
    left.legend(frameon=False, fontsize=8, loc="upper right", bbox_to_anchor=(1, 0.8))
    names = ("predicted", "realised", "from_gradient")
    predicted, realised, gradient = (1e3 * np.concatenate([getattr(o, name) for o in observations]) for name in names)
    dots = {"ms": 2, "alpha": 0.3, "rasterized": True}
    right.plot(predicted, realised, ".", color=COLORS[0], label="whole update, with momentum", **dots)
    right.plot(predicted, gradient, ".", color=COLORS[1], label=r"its part $-\eta g$", **dots)
    right.axline((0, 0), slope=1, color="#444444", lw=0.8)
    right.set(xlabel=r"predicted by Eq. (5), $10^{-3}$", ylabel=r"realised, $10^{-3}$")
    right.set_title(r"change of $E[a_j]$ in one update")
    right.legend(frameon=False, fontsize=8, markerscale=5)
    figure.suptitle(title)
    return figure


def theorem_3(sigma: np.ndarray, remainders: dict[str, np.ndarray], title: str) -> Figure:
    """Remainders of Eq. (7) against sigma on log-log axes, with the slopes 2 and 4 to compare."""
    figure, ax = plt.subplots(figsize=(6.5, 4.8), layout="constrained")
    for (label, values), color, dash in zip(remainders.items(), COLORS, DASHES * 3, strict=False):
        ax.loglog(sigma, values, dash, color=color, marker="o", ms=4, label=label)
    for order in (2, 4):
        guide = max(v[-1] for v in remainders.values()) * (sigma / sigma[-1]) ** order
        ax.loglog(sigma, guide, color="#BBBBBB", lw=1, zorder=0)
        ax.annotate(f"slope {order}", (sigma[0], guide[0]), fontsize=8, color="#555555")
    ax.set(xlabel=r"$\sigma$", ylabel=r"$|J_{DAE} - J_{AE} - \sigma^2 R|$", title=title)
    ax.set_xticks(sigma, [f"{s:.2g}" for s in sigma])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=8)
    return figure


def bias_gradients(a: np.ndarray, curves: dict[str, dict[str, np.ndarray]], title: str) -> Figure:
    """dR/db of one unit with ||W_j|| = 1 on a single sample, as a function of its pre-activation a: a panel for each
    activation, a line for each penalty."""
    figure, axes = plt.subplots(1, len(curves), figsize=(3 * len(curves), 3.4), sharey=True, layout="constrained")
    for ax, (activation, lines) in zip(axes, curves.items(), strict=True):
        for (penalty, values), color, dash in zip(lines.items(), COLORS, DASHES * 3, strict=False):
            ax.plot(a, values, dash, color=color, label=penalty)
        ax.axhline(0, color="#444444", lw=0.6)
        ax.set(title=activation, xlabel="$a$")
        ax.set_yscale("symlog", linthresh=0.1)
        ax.set_yticks([-1, -0.1, 0, 0.1, 1, 10, 100, 1000], ["-1", "-0.1", "0", "0.1", "1", "10", "100", "1000"])
    axes[0].set_ylabel(r"$\partial R/\partial b$")
    handles, labels = max((ax.get_legend_handles_labels() for ax in axes), key=lambda pair: len(pair[1]))
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    figure.suptitle(title)
    return figure


def filters(W: np.ndarray, active: np.ndarray, shape: tuple[int, ...], title: str, count: int = 64) -> Figure:
    """Rows of W (m, n) as images of `shape` (H, W) or (C, H, W), those with the highest activation fraction first."""
    order = np.argsort(-active)[np.linspace(0, len(W) - 1, min(count, len(W))).astype(int)]
    columns = int(np.ceil(len(order) ** 0.5))
    rows = -(-len(order) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(columns, 1.15 * rows), squeeze=False, layout="constrained")
    for ax in axes.flat:
        ax.axis("off")
    for ax, unit in zip(axes.flat, order, strict=False):
        limit = np.abs(W[unit]).max() or 1
        picture = W[unit].reshape(shape) / limit
        if len(shape) == 3:
            ax.imshow((picture.transpose(1, 2, 0) + 1) / 2)
        else:
            ax.imshow(picture, cmap="RdBu_r", vmin=-1, vmax=1)
        ax.set_title(f"{active[unit]:.3f}", fontsize=7, pad=1)
    figure.suptitle(title)
    return figure


def certificate(a: np.ndarray, jet: Jet, signs: Sequence[tuple[float, float, int]], title: str) -> Figure:
    """h, h' and h'' against a; behind them and in a strip below, the intervals (low, high, sign) of the bias gradient's
    sign: coloured, hatched and lettered, so that none of them carries the meaning alone."""
    figure, (top, strip) = plt.subplots(
        2, 1, figsize=(7, 4.8), sharex=True, height_ratios=(7, 1), layout="constrained"
    )
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
