"""Draw rows of W as images: a mosaic in one set of axes, in its own figure or as a part of a larger one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.plotting.style import GREY, in_default_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

SHOWN, COLUMNS = 40, 10


@in_default_style
def filters(W: Array, active: Array, shape: tuple[int, ...], title: str, count: int = 64) -> Figure:
    """Return a figure of rows of W as images, in the order of decreasing activation fraction.

    The activation fraction of the unit is above its image.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Weights.
    active : ndarray, shape (m,)
        Activation fraction of each unit.
    shape : tuple of int
        Shape of an image, (H, W) or (C, H, W), with n entries.
    title : str
        Title of the figure.
    count : int
        Largest number of rows that are drawn. They are spread evenly over this order.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    order = spread(active, count)
    columns = int(np.ceil(len(order) ** 0.5))
    figure = new_figure(columns + 1.3, -(-len(order) // columns) + 0.8)
    ax = figure.subplots()
    height, width = shape[-2:]
    gap = max(1, height // 4)
    image = show_mosaic(ax, W[order], shape, columns, gap)
    for k, unit in enumerate(order):
        left, top = k % columns * (width + gap), k // columns * (height + gap)
        ax.text(left + (width - 1) / 2, top - 1, f"{active[unit]:.3f}", ha="center", va="bottom", fontsize=9)
    if len(shape) == 2:
        bar = figure.colorbar(image, ax=ax, shrink=0.5, ticks=[-1, 0, 1])
        bar.set_label("weight / largest |weight| of its row")
    figure.suptitle(title)
    figure.supxlabel("number: share of samples on which the unit is active", fontsize=9, color=GREY)
    return figure


def draw_filters(ax: Axes, W: Array, density: Array, shape: tuple[int, ...]) -> None:
    """Draw up to `SHOWN` rows of W as images into these axes, from the most active unit to the least active one.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    W : ndarray, shape (m, n)
        Weights.
    density : ndarray, shape (m,)
        Share of samples on which each unit is active.
    shape : tuple of int
        Shape of an image, (H, W) or (C, H, W).
    """
    order = spread(density, SHOWN)
    show_mosaic(ax, W[order], shape, COLUMNS)
    signs = "; red +, blue \N{MINUS SIGN}" if len(shape) == 2 else ""
    ax.set_title(f"{len(order)} of {len(W):,} filters (rows of W), from the densest unit to the rarest{signs}")


def spread(density: Array, count: int) -> Array:
    """Return indices of at most `count` units, spread evenly from the most active to the least active unit.

    Parameters
    ----------
    density : ndarray, shape (m,)
        Share of samples on which each unit is active.
    count : int
        Largest number of indices.

    Returns
    -------
    ndarray of int
        The indices, in the order of decreasing density.
    """
    order: Array = np.argsort(-density, kind="stable")
    chosen: Array = order[np.linspace(0, len(density) - 1, min(count, len(density))).astype(int)]
    return chosen


def show_mosaic(ax: Axes, W: Array, shape: tuple[int, ...], columns: int, gap: int = 1) -> AxesImage:
    """Draw a mosaic into these axes. Images with one channel are drawn in blue and red, colour images in their colours.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes. Their frame and ticks are removed.
    W : ndarray, shape (k, n)
        One image per row.
    shape : tuple of int
        Shape of an image, (H, W) or (C, H, W).
    columns : int
        Number of images per line.
    gap : int
        Pixels between two images.

    Returns
    -------
    matplotlib.image.AxesImage
        The drawn image.
    """
    ax.axis("off")
    picture = mosaic(W, shape, columns, gap)
    return ax.imshow(picture) if picture.ndim == 3 else ax.imshow(picture, cmap="RdBu_r", vmin=-1, vmax=1)


@_validation.tiny_is_zero
def mosaic(W: Array, shape: tuple[int, ...], columns: int = COLUMNS, gap: int = 1) -> Array:
    """Return the rows of W as one image, each row scaled to its largest entry.

    Parameters
    ----------
    W : ndarray, shape (k, n)
        One image per row.
    shape : tuple of int
        Shape of an image, (H, W) or (C, H, W), with n entries.
    columns : int
        Number of images per line.
    gap : int
        Pixels between two images.

    Returns
    -------
    ndarray
        Grey images in [-1, 1]; coloured images in [0, 1] with the channel last. The pixels between them are NaN, which
        matplotlib does not draw.
    """
    peak = np.abs(W).max(axis=1, keepdims=True)
    images = (W / np.where(peak == 0, 1, peak)).reshape(len(W), *shape)
    if len(shape) == 3:
        images = (images.transpose(0, 2, 3, 1) + 1) / 2
    height, width = images.shape[1:3]
    columns = min(columns, len(W))
    lines = -(-len(W) // columns)
    out = np.full((lines * (height + gap) - gap, columns * (width + gap) - gap, *images.shape[3:]), np.nan)
    for k, image in enumerate(images):
        top, left = k // columns * (height + gap), k % columns * (width + gap)
        out[top : top + height, left : left + width] = image
    return out
