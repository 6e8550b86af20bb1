"""Constraints on the rows of W, applied after every step, and the tangent projection of a gradient.

A constraint is a function that maps the squared row lengths len2 to one factor per row. The optimiser calls it for one
block of rows at a time. So the factor of a row must depend only on the length of this row.
"""

from collections.abc import Callable

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.autoencoder import Gradient, Params, batch_sum, times_rows
from numpy_rae.row_norms import row_len2, unit_scale

Constraint = Callable[[Array], Array]


def max_norm_scale(len2: Array, radius: float) -> Array:
    """Compute the factors that shorten rows longer than `radius` to this length (Sec. 2.1.1, max-norm).

    Parameters
    ----------
    len2 : ndarray, shape (m,)
        Squared row lengths.
    radius : float
        Largest length, positive.

    Returns
    -------
    ndarray, shape (m,)
        Factors, at most 1.

    Notes
    -----
        (a) c_j = radius / max(||W_j||, radius)
    """
    kept = np.finfo(len2.dtype)
    radius = min(max(radius, float(kept.tiny)), float(kept.max))  # not 0 or inf in the dtype of W
    scale: Array = radius / np.maximum(np.sqrt(len2), radius)  # (a) (m,)
    return scale


def tangent(grad: Gradient, params: Params) -> Gradient:
    """Remove from dJ/dW the component along each row of W.

    To first order, only the remaining component changes the direction of a unit row. Fn. 3 compares CAE and mDAE with
    this component removed.

    Parameters
    ----------
    grad : Gradient
        Gradient of the objective.
    params : Params
        Parameters at which the gradient was computed.

    Returns
    -------
    Gradient
        The gradient whose dJ/dW is orthogonal to each row of W.

    Notes
    -----
    row_scale * W lies along the rows, so it is dropped. The rest of g_W is split:

        (a) z_j   = g_W,j . W_j = sum over factors of left_j . (right W_j), plus the dense part's share
        (b) g_t,j = g_W,j - (z_j / len2_j) W_j,  by a new `row_scale`, so the result stays factored
    """
    W, len2 = params.W, row_len2(params.W)
    radial = sum(batch_sum(left * times_rows(W, right)) for left, right in grad.factors)  # (a) (m,)
    if grad.dense_part is not None:
        radial = radial + np.vecdot(grad.dense_part, W)  # (a)
    scale = unit_scale(len2)  # radial * scale is the part along the row's direction; it is 0 for a zero row
    return grad._replace(row_scale=-radial * scale * scale)  # (b) (m,)


CONSTRAINTS: dict[str, Callable[..., Array] | None] = {
    "unit": unit_scale,
    "max-norm": max_norm_scale,
    "free": None,
}
