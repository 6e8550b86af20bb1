"""Constraints on the rows of W, applied in place after every step, and the tangent projection of a gradient."""

from collections.abc import Callable

import numpy as np

from numpy_rae.autoencoder import Gradient, Params, row_len2


def unit_rows(W: np.ndarray) -> None:
    """Scale every row of W (m, n) to length 1, in place; a zero row has no direction and stays."""
    length = np.sqrt(row_len2(W))
    length[length == 0] = 1
    W *= (1 / length)[:, None]


def max_norm_rows(W: np.ndarray, radius: float) -> None:
    """Scale the rows longer than `radius` back to it, in place (Sec. 2.1.1, max-norm)."""
    length = np.sqrt(row_len2(W))
    W *= np.minimum(1, radius / np.maximum(length, radius))[:, None]


def free(W: np.ndarray) -> None:
    """Leave the rows as they are."""


def tangent(grad: Gradient, params: Params) -> Gradient:
    """`grad` without the part of dJ/dW along each row: what can change a unit row's direction, in first order.

    (g_W . W)_j = sum over factors of left_j . (right W_j) + row_scale_j len2_j, so the result is a change of
    `row_scale` alone and stays factored. Fn. 3 compares CAE and mDAE by it.
    """
    W, len2 = params.W, row_len2(params.W)
    scale = np.zeros_like(len2) if grad.row_scale is None else grad.row_scale  # (m,)
    radial = scale * len2 + sum((left * (W @ right.T).T).sum(axis=0) for left, right in grad.factors)  # (m,)
    if grad.direct is not None:
        radial = radial + np.einsum("ji,ji->j", grad.direct, W)
    along = np.divide(radial, len2, out=np.zeros_like(len2), where=len2 > 0)
    return grad._replace(row_scale=scale - along)


CONSTRAINTS: dict[str, Callable[..., None]] = {"unit": unit_rows, "free": free, "max-norm": max_norm_rows}
