"""Draw the components of a fitted estimator as images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rae import _validation
from numpy_rae.plotting import filters
from numpy_rae.plotting.style import in_default_style, new_figure, save_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_default_style
def plot_components(
    estimator: Any, image_shape: tuple[int, ...], count: int = 100, path: str | os.PathLike[str] | None = None
) -> Figure:
    """Draw the rows of `components_` as images, each scaled to its largest entry.

    Parameters
    ----------
    estimator : estimator
        A fitted `SparseAutoEncoder`, or any estimator with `components_`. For a Pipeline, its last step is used.
    image_shape : tuple of int
        (height, width) or (3, height, width) of one row.
    count : int
        Largest number of rows that are drawn. They are spread evenly over all rows.
    path : str or os.PathLike, optional
        File in which the figure is saved.

    Returns
    -------
    matplotlib.figure.Figure
        The figure: red is positive, blue is negative.

    Raises
    ------
    ValueError
        If the estimator is not fitted, or if `image_shape` does not fit its features.
    """
    W = _components(estimator)
    _validation.integer("count", count)
    shape = _validation.image_shape("image_shape", image_shape, W.shape[1])
    shown = W[np.linspace(0, len(W) - 1, min(count, len(W))).astype(int)]
    picture = filters.mosaic(shown, shape)
    figure = new_figure(7, 0.6 + 7 * picture.shape[0] / picture.shape[1])
    ax = figure.subplots()
    ax.imshow(picture, cmap="RdBu_r", vmin=-1, vmax=1)  # an image in colours does not read these
    ax.axis("off")
    ax.set_title(f"{len(shown):,} of {len(W):,} components (rows of W), each scaled to its largest entry")
    if path is not None:
        save_picture(figure, _validation.user_path(path))
    return figure


def _components(estimator: Any) -> np.ndarray:
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    W = getattr(last, "components_", None)
    if W is None:
        raise ValueError(f"estimator is {type(last).__name__} without components_; it must be fitted")
    return np.asarray(W)
