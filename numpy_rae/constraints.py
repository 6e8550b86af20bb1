"""Constraints on the rows of W, applied after every step, and the tangent projection of a gradient.

A constraint scales whole rows, so it is a function of their squared lengths: len2 -> factors, one for each row. The
optimiser calls it with the lengths of some of the rows at a time, so a factor must depend on its own row alone.
"""

from collections.abc import Callable

import numpy as np

from numpy_rae.autoencoder import Gradient, Params, batch_sum, times_rows
from numpy_rae.row_norms import row_len2, unit_scale

Constraint = Callable[[np.ndarray], np.ndarray]


def max_norm_scale(len2: np.ndarray, radius: float) -> np.ndarray:
    """Factors that bring rows longer than `radius` back to it (Sec. 2.1.1, max-norm)."""
    kept = np.finfo(len2.dtype)
    radius = min(max(radius, float(kept.tiny)), float(kept.max))  # neither 0 nor inf in W's precision
    return radius / np.maximum(np.sqrt(len2), radius)


def tangent(grad: Gradient, params: Params) -> Gradient:
    """`grad` without the part of dJ/dW along each row: what can change a unit row's direction, in first order.

    row_scale * W lies along the rows and goes whole. Of the rest (g_W . W)_j = sum over factors of left_j . (right W_j)
    is taken out by another `row_scale`, so the result stays factored. Fn. 3 compares CAE and mDAE by it.
    """
    W, len2 = params.W, row_len2(params.W)
    radial = sum(batch_sum(left * times_rows(W, right)) for left, right in grad.factors)  # (m,)
    if grad.dense_part is not None:
        radial = radial + np.vecdot(grad.dense_part, W)
    scale = unit_scale(len2)  # radial * scale is along the row's direction; at a zero row radial is 0
    return grad._replace(row_scale=-radial * scale * scale)


CONSTRAINTS: dict[str, Callable[..., np.ndarray] | None] = {
    "unit": unit_scale,
    "max-norm": max_norm_scale,
    "free": None,
}
