"""Rows of W as images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numpy_rae.plotting.style import in_default_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


from typing import TYPE_CHECKING

from numpy_rae import _validation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


SHOWN, COLUMNS = 40, 10


def _filters(ax: Axes, W: np.ndarray, density: np.ndarray, shape: tuple[int, ...]) -> None:
    order = np.argsort(-density, kind="stable")[np.linspace(0, len(W) - 1, min(SHOWN, len(W))).astype(int)]
    picture = mosaic(W[order], shape)
    ax.imshow(picture, **({} if picture.ndim == 3 else {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}))
    ax.axis("off")
    signs = "; red +, blue \N{MINUS SIGN}" if picture.ndim == 2 else ""
    ax.set_title(f"{len(order)} of {len(W):,} filters (rows of W), from the densest unit to the rarest{signs}")


@_validation.tiny_is_zero
def mosaic(W: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of W as images of `shape` (H, W) or (C, H, W), each scaled to its largest entry, `COLUMNS` in a line.

    Grey images in [-1, 1], coloured ones in [0, 1] with the channel last; NaN, drawn as nothing, between them.
    """
    peak = np.abs(W).max(axis=1, keepdims=True)
    images = (W / np.where(peak == 0, 1, peak)).reshape(len(W), *shape)
    if len(shape) == 3:
        images = (images.transpose(0, 2, 3, 1) + 1) / 2
    height, width = images.shape[1:3]
    columns = min(COLUMNS, len(W))
    lines = -(-len(W) // columns)
    out = np.full((lines * (height + 1) - 1, columns * (width + 1) - 1, *images.shape[3:]), np.nan)
    for k, image in enumerate(images):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        out[top : top + height, left : left + width] = image
    return out


@in_default_style
def filters(W: np.ndarray, active: np.ndarray, shape: tuple[int, ...], title: str, count: int = 64) -> Figure:
    """Rows of W (m, n) as images of `shape` (H, W) or (C, H, W), those with the highest activation fraction first."""
    order = np.argsort(-active)[np.linspace(0, len(W) - 1, min(count, len(W))).astype(int)]
    columns = int(np.ceil(len(order) ** 0.5))
    rows = -(-len(order) // columns)
    figure = new_figure(columns, 1.15 * rows)
    axes = figure.subplots(rows, columns, squeeze=False)
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
