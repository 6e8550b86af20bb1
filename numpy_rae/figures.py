"""Stored records to matplotlib figures, and figures to files; nothing here trains.

Every picture of the package is drawn and saved in matplotlib's default style, whatever the user's matplotlibrc says, and
without a graphical backend.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from numpy_rae.store import StoreError

if TYPE_CHECKING:  # matplotlib is loaded when the first picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colour-blind safe palette, one colour and one marker a model in every figure.
STYLES = {
    "DAE": ("#D55E00", "o"),
    "CAE": ("#0072B2", "s"),
    "mDAE": ("#56B4E9", "^"),
    "SAE": ("#009E73", "D"),
    "eDAE": ("#CC79A7", "v"),
    "AE": ("#000000", "*"),
}
SPARE = (
    ("#E69F00", "P"),
    ("#7F7F7F", "X"),
    ("#4B0092", "h"),
    ("#994F00", "p"),
    ("#882255", "<"),
    ("#44AA99", ">"),
    ("#DDCC77", "d"),
)
EXPLOSION = 100


@contextmanager
def default_style() -> Iterator[None]:
    """Use matplotlib's defaults instead of the user's settings. Raises StoreError if matplotlib cannot be loaded."""
    try:
        from matplotlib import style
    except (ImportError, ValueError) as error:  # a ValueError for an unknown backend in MPLBACKEND
        raise StoreError(f"pictures cannot be drawn: {_one_line(error)}") from error
    # A density far in its tail underflows to 0, which is what the picture shows.
    with style.context("default"), np.errstate(under="ignore"):
        yield


def in_default_style(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a function that returns a figure: it draws in `default_style`."""

    @functools.wraps(draw)
    def drawn(*args, **more) -> Figure:
        with default_style():
            return draw(*args, **more)

    return drawn


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, which belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def plain(text: str) -> str:
    """Return `text`, such as a file's name, so that matplotlib shows its dollar signs."""
    return text.replace("$", r"\$")


def style(name: str, position: int = 0) -> dict:
    """Colour and marker of a model; unknown names take the spare ones in turn."""
    color, marker = STYLES.get(name) or SPARE[position % len(SPARE)]
    # Hollow and large for CAE: mDAE's small mark often lies on it.
    face, size = ("none", 9) if name == "CAE" else (color, 5)
    return {"color": color, "marker": marker, "markerfacecolor": face, "markersize": size}


@in_default_style
def trend(records: Iterable[dict], models: Sequence[str], title: str, note: str = "") -> Figure:
    """Average activation fraction (Eq. 14) and dead units against sigma^2, one line a model; bands span the seeds."""
    records = list(records)
    figure = new_figure(7, 6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for position, model in enumerate(models):
        for ax, key in ((top, "activation_fraction"), (bottom, "dead_fraction")):
            _line(ax, records, model, key, style(model, position))
        _mark_diverged(top, records, model, style(model, position))
    _mark_exploded(top, records)
    _dress(top, bottom, records)
    figure.suptitle(title, fontsize=12)
    if note:
        figure.supxlabel(note, fontsize=9, color="#555555")
    return figure


def save_picture(figure: Figure, picture: Path) -> None:
    """Write the picture, and make its folder. Raises StoreError if it cannot be drawn or written."""
    with drawing(picture), default_style():
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture, dpi=150)


@contextmanager
def drawing(picture: Path) -> Iterator[None]:
    """Turn whatever goes wrong while this picture is drawn into a StoreError of one sentence."""
    try:
        yield
    except (StoreError, MemoryError):
        raise
    except OSError as error:
        raise StoreError(f"picture {picture} cannot be written: {error.strerror or _one_line(error)}") from error
    except Exception as error:  # the results are stored; no fault of a drawing library may hide them
        raise StoreError(f"picture {picture} cannot be drawn: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def belongs(entry: dict, model: str) -> bool:
    """Whether a record is of this model; the plain auto-encoder at sigma^2 = 0 is of every model."""
    return entry["model"] == model or (entry["model"] == "AE" and _sigma2(entry) == 0)


def of_model(records: Iterable[dict], model: str) -> list[dict]:
    """A model's records in the order of sigma^2; the plain one is not of a model that has its own at sigma^2 = 0."""
    mine = [entry for entry in records if belongs(entry, model)]
    has_own = any(entry["model"] == model and _sigma2(entry) == 0 for entry in mine)
    return sorted((entry for entry in mine if entry["model"] == model or not has_own), key=_sigma2)


def _sigma2(entry: dict) -> float:
    return entry["config"]["sigma2"]


def by_sigma2(records: Iterable[dict], model: str, key: str) -> Iterator[tuple[float, list[float]]]:
    """(sigma^2, values over the seeds) of a model's finished runs."""
    finished = (entry for entry in of_model(records, model) if entry["status"] == "ok")
    for sigma2, group in groupby(finished, key=_sigma2):
        yield sigma2, [entry["metrics"][key] for entry in group]


def _line(ax: Axes, records: list[dict], model: str, key: str, look: dict) -> None:
    points = list(by_sigma2(records, model, key))
    x = [sigma2 for sigma2, _ in points]
    ax.plot(x, [np.mean(values) for _, values in points], label=model, linewidth=1.5, **look)
    low, high = [min(values) for _, values in points], [max(values) for _, values in points]
    ax.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)


def _mark_diverged(ax: Axes, records: list[dict], model: str, look: dict) -> None:
    x = sorted({_sigma2(entry) for entry in of_model(records, model) if entry["status"] == "diverged"})
    if x:
        at_top = ax.get_xaxis_transform()
        label = f"{model} diverged"
        ax.plot(x, [0.97] * len(x), "x", color=look["color"], markersize=9, mew=2, transform=at_top, label=label)


def exploded(entry: dict) -> bool:
    """Whether a finished run's objective once rose far above its start: the units it killed are not sparsity."""
    return entry["status"] == "ok" and entry["peak_objective"] > EXPLOSION * entry["first_objective"]


def _mark_exploded(ax: Axes, records: list[dict]) -> None:
    points = [(_sigma2(entry), entry["metrics"]["activation_fraction"]) for entry in records if exploded(entry)]
    if points:
        label = f"objective rose above {EXPLOSION} x its start"
        ax.plot(*zip(*points, strict=True), "o", mfc="none", mec="#444444", markersize=12, label=label)


def _dress(top: Axes, bottom: Axes, records: list[dict]) -> None:
    ticks = sorted({_sigma2(entry) for entry in records})
    root = (lambda s: np.sqrt(np.maximum(s, 0)), np.square)
    bottom.set_xscale("function", functions=root)
    bottom.set_xticks([s for s in ticks if s != 0.001], [f"{s:g}" for s in ticks if s != 0.001])
    bottom.set_xlabel(r"$\sigma^2$  (axis linear in $\sigma$)")
    top.set_ylabel("average activation fraction, Eq. (14)")
    bottom.set_ylabel("dead units")
    for ax in (top, bottom):
        ax.set_ylim(-0.03, 1.03)
        ax.grid(alpha=0.25)
    top.legend(frameon=False, ncols=2)
