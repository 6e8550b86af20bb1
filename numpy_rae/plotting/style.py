"""The style of every picture: colours, markers, and how a figure is saved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from numpy_rae.storage.jsonl import StoreError

if TYPE_CHECKING:  # matplotlib is loaded when the first picture is drawn
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
    from numpy_rae.plotting.notebook_figure import NotebookFigure  # it loads matplotlib

    return NotebookFigure(figsize=(width, height), layout="constrained")


def plain(text: str) -> str:
    """Return `text`, such as a file's name, so that matplotlib shows its dollar signs."""
    return text.replace("$", r"\$")


def style(name: str, position: int = 0) -> dict:
    """Colour and marker of a model; unknown names take the spare ones in turn."""
    color, marker = STYLES.get(name) or SPARE[position % len(SPARE)]
    # Hollow and large for CAE: mDAE's small mark often lies on it.
    face, size = ("none", 9) if name == "CAE" else (color, 5)
    return {"color": color, "marker": marker, "markerfacecolor": face, "markersize": size}


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
