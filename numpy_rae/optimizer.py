"""Stochastic gradient descent with classical momentum, in place on arrays the caller owns.

    v <- momentum v - eta g,    then W <- W + v,    then the constraint on W's rows

The gradient arrives in parts: BLAS adds each outer product straight into the velocity, and the rest is done over
blocks of columns that fit the cache, so no array of W's size is ever allocated.
"""

from collections.abc import Iterator

import numpy as np
from scipy.linalg import get_blas_funcs

from numpy_rae.autoencoder import Gradient, Params, row_len2
from numpy_rae.constraints import Constraint

BLOCK = 2**18


def zero_velocity(params: Params) -> Params:
    """A velocity at rest, of the parameters' shapes, dtype and memory order."""
    return Params(np.zeros_like(params.W), np.zeros_like(params.b_e))


def sgd_step(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> None:
    """One step, in place on `params` and `velocity`; `constraint` maps len2 (m,) to factors of the rows, None to 1."""
    add_factors(velocity.W, grad, eta, momentum)
    len2 = sum(move(params.W[:, cols], velocity.W[:, cols], grad, eta, cols) for cols in column_blocks(params.W.shape))
    if constraint:
        scale = constraint(len2)[:, None]
        for cols in column_blocks(params.W.shape):
            params.W[:, cols] *= scale
    b_e, v_b = params.b_e, velocity.b_e
    v_b *= momentum
    v_b -= eta * grad.g_b_e
    b_e += v_b


def settle(velocity: Params) -> None:
    """Set what has become subnormal to 0, in place.

    The velocity of a unit without gradient only decays, and rounding then holds it at a few of the smallest numbers for
    ever, at several times the cost of a step.
    """
    for part in velocity:
        part[np.abs(part) < np.finfo(part.dtype).tiny] = 0


def add_factors(v_W: np.ndarray, grad: Gradient, eta: float, momentum: float) -> None:
    """v_W <- momentum v_W - eta sum left^T right, in place; BLAS adds the products."""
    # NumPy multiplies faster than BLAS does with beta = momentum.
    v_W *= momentum
    gemm = get_blas_funcs("gemm", (v_W,))
    for left, right in grad.factors:
        # BLAS writes in Fortran order; an array in C order is the transpose of one.
        one, two, out = (left.T, right, v_W) if v_W.flags.f_contiguous else (right.T, left, v_W.T)
        (one, trans_a), (two, trans_b) = as_fortran(one), as_fortran(two)
        gemm(-eta, one, two, beta=1.0, c=out, trans_a=trans_a, trans_b=trans_b, overwrite_c=True)


def as_fortran(matrix: np.ndarray) -> tuple[np.ndarray, bool]:
    """The matrix, or its transpose and True: whichever is in Fortran order, so that BLAS need not copy it."""
    return (matrix, False) if matrix.flags.f_contiguous else (matrix.T, True)


def move(W: np.ndarray, v_W: np.ndarray, grad: Gradient, eta: float, cols: slice) -> np.ndarray:
    """The rest of the gradient into v, then W <- W + v, on one block of columns; returns its part of len2, (m,)."""
    if grad.row_scale is not None:
        v_W -= (eta * grad.row_scale)[:, None] * W
    if grad.direct is not None:
        v_W -= eta * grad.direct[:, cols]
    W += v_W
    return row_len2(W)


def column_blocks(shape: tuple[int, int]) -> Iterator[slice]:
    """Slices of the columns of an (m, n) array, each of about BLOCK entries."""
    m, n = shape
    size = max(1, BLOCK // m)
    return (slice(start, start + size) for start in range(0, n, size))
