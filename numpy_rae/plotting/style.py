"""The style of every picture: colours, markers, and how a figure is saved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from numpy_rae.storage.jsonl import StoreError

if TYPE_CHECKING:  # matplotlib is loaded when the first picture is drawn
    from matplotlib.figure import Figure

Drawing = ParamSpec("Drawing")

# Okabe and Ito's colour-blind safe palette: one colour and one marker per model, the same in every figure.
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

BLUE, VERMILION, GREEN = STYLES["CAE"][0], STYLES["DAE"][0], STYLES["SAE"][0]
PURPLE, BLACK, ORANGE = STYLES["eDAE"][0], STYLES["AE"][0], SPARE[0][0]
# Notes and thin lines, edges of cells, backgrounds.
GREY, MIDDLE_GREY, SILVER, LIGHT_GREY = "#555555", "#777777", "#BBBBBB", "#DDDDDD"


@contextmanager
def default_style() -> Iterator[None]:
    """Use matplotlib's defaults instead of the user's settings.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    StoreError
        If matplotlib cannot be loaded.
    """
    try:
        from matplotlib import style
    except (ImportError, ValueError) as error:  # a ValueError for an unknown backend in MPLBACKEND
        raise StoreError(f"pictures cannot be drawn: {_one_line(error)}") from error
    # Far in its tail, a density underflows to 0, and 0 is drawn. This is not an error.
    with style.context("default"), np.errstate(under="ignore"):
        yield


def in_default_style(draw: Callable[Drawing, Figure]) -> Callable[Drawing, Figure]:
    """Decorate a function that returns a figure, so that it draws in `default_style`.

    Parameters
    ----------
    draw : callable
        Function that returns a figure.

    Returns
    -------
    callable
        The same function in `default_style`.
    """

    @functools.wraps(draw)
    def _drawn(*args: Drawing.args, **more: Drawing.kwargs) -> Figure:
        with default_style():
            return draw(*args, **more)

    return _drawn


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure without a window.

    Parameters
    ----------
    width, height : float
        Size in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    from numpy_rae.plotting.notebook_figure import NotebookFigure  # it loads matplotlib

    return NotebookFigure(figsize=(width, height), layout="constrained")


def plain(text: str) -> str:
    """Escape the dollar signs of a text, so that matplotlib shows them.

    Parameters
    ----------
    text : str
        Any text, such as a file's name.

    Returns
    -------
    str
        The text with escaped dollar signs.
    """
    return text.replace("$", r"\$")


def style(name: str, position: int = 0) -> dict[str, Any]:
    """Return colour and marker of a model.

    Parameters
    ----------
    name : str
        Name of the model.
    position : int
        Position of the model in the figure. Names without a fixed colour take the spare colours in order.

    Returns
    -------
    dict
        Keyword arguments for `Axes.plot`.
    """
    color, marker = STYLES.get(name) or SPARE[position % len(SPARE)]
    # CAE has a large hollow mark, because mDAE's small mark is often at the same place.
    face, size = ("none", 9) if name == "CAE" else (color, 5)
    return {"color": color, "marker": marker, "markerfacecolor": face, "markersize": size}


def save_picture(figure: Figure, picture: Path) -> None:
    """Write a figure to a file. The folder of the file is made if it does not exist.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    picture : pathlib.Path
        The file. Its suffix gives the format.

    Raises
    ------
    StoreError
        If the figure cannot be drawn or written.
    """
    with drawing(picture), default_style():
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture, dpi=150)


@contextmanager
def drawing(picture: Path) -> Iterator[None]:
    """Convert any error during the drawing of a picture to a StoreError with one sentence.

    Parameters
    ----------
    picture : pathlib.Path
        The file, for the message.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    StoreError
        If the picture cannot be drawn or written.
    """
    try:
        yield
    except (StoreError, MemoryError):
        raise
    except OSError as error:
        raise StoreError(f"picture {picture} cannot be written: {error.strerror or _one_line(error)}") from error
    except Exception as error:  # the results are stored; an error in drawing must not hide them
        raise StoreError(f"picture {picture} cannot be drawn: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    """Return the message of an error without line breaks, or its type if it has no message."""
    return " ".join(str(error).split()) or type(error).__name__
