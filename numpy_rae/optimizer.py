"""Stochastic gradient descent with classical momentum, in place on arrays the caller owns.

    v <- momentum v - eta g,    then W <- W + v,    then the constraint on W's rows

The gradient arrives in parts: BLAS adds each outer product straight into the velocity, and the rest is done over
blocks of rows that fit the cache, so no array of W's size is ever allocated.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.linalg import get_blas_funcs

from numpy_rae.autoencoder import Gradient, Params

BLOCK = 2**16


def zero_velocity(params: Params) -> Params:
    """A velocity at rest, of the parameters' shapes and dtype."""
    return Params(np.zeros_like(params.W), np.zeros_like(params.b_e))


def sgd_step(
    params: Params,
    velocity: Params,
    grad: Gradient,
    eta: float,
    momentum: float,
    constrain: Callable[[np.ndarray], None],
) -> None:
    """One step, in place on `params` and `velocity` (both C-contiguous)."""
    add_factors(velocity.W, grad, eta, momentum)
    for rows in row_blocks(*params.W.shape):
        W, v_W = params.W[rows], velocity.W[rows]
        if grad.row_scale is not None:
            v_W -= (eta * grad.row_scale[rows, None]) * W
        if grad.direct is not None:
            v_W -= eta * grad.direct[rows]
        W += v_W
        constrain(W)
    b_e, v_b = params.b_e, velocity.b_e
    v_b *= momentum
    v_b -= eta * grad.g_b_e
    b_e += v_b


def add_factors(v_W: np.ndarray, grad: Gradient, eta: float, momentum: float) -> None:
    """v_W <- momentum v_W - eta sum left^T right, by BLAS in place: its column order sees the transpose of v_W."""
    gemm = get_blas_funcs("gemm", (v_W,))
    for left, right in grad.factors:
        gemm(-eta, right.T, left, beta=momentum, c=v_W.T, overwrite_c=True)
        momentum = 1.0


def row_blocks(m: int, n: int) -> Iterator[slice]:
    """Slices of rows of an (m, n) array, each of about BLOCK entries."""
    size = max(1, BLOCK // n)
    return (slice(start, start + size) for start in range(0, m, size))
