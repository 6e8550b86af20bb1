"""Stochastic gradient descent with classical momentum, in place on arrays the caller owns.

    v <- momentum v - eta g,    then W <- W + v,    then the constraint on W's rows

`sgd_step_plain` says this in a few lines. `sgd_step` does the same faster: the gradient arrives in parts, BLAS adds each
outer product straight into the velocity, and the rest is done over blocks of rows that fit the cache, so no array of W's
size is ever allocated.
"""

from collections.abc import Iterator

import numpy as np
from scipy.linalg import get_blas_funcs

from numpy_rae import _validation
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.constraints import Constraint
from numpy_rae.row_norms import row_len2

BLOCK = 2**17


def zero_velocity(params: Params) -> Params:
    """A velocity at rest, of the parameters' shapes, dtype and memory order."""
    return Params(np.zeros_like(params.W), np.zeros_like(params.b_e))


def check_in_place(params: Params, velocity: Params) -> None:
    """Raise ValueError for an array that a step cannot write into: BLAS does not ask, and ends the process."""
    for name, array in zip(("W", "b_e", "v_W", "v_b_e"), (*params, *velocity), strict=True):
        # `behaved` is aligned and writeable.
        if not array.flags.behaved or not array.dtype.isnative:
            raise ValueError(f"{name} is {_fault(array)}; a step changes it in place, so it must be copied first")
    if not velocity.W.flags.forc:  # BLAS would write into a copy of it, which is then lost.
        raise ValueError("v_W is not contiguous in memory; a step changes it in place, so it must be copied first")


def _fault(array: np.ndarray) -> str:
    if not array.flags.writeable:
        return "read-only"
    return "not aligned" if not array.flags.aligned else "not in the native byte order"


@_validation.tiny_is_zero
def sgd_step_plain(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> np.ndarray:
    """Take one step of SGD with momentum as a textbook writes it, in place on `params` and `velocity`.

    `constraint` maps the squared row lengths len2 (m,) to factors of the rows; None leaves the rows as they are.
    Returns len2 after the step. Raises ValueError for an array that is read-only, not aligned, or not in the native byte
    order, and for a velocity W that is not contiguous.
    """
    check_in_place(params, velocity)
    W, b_e = params
    g_W, g_b_e = grad.dense(params)
    velocity.W[...] = momentum * velocity.W - eta * g_W
    velocity.b_e[...] = momentum * velocity.b_e - eta * g_b_e
    W += velocity.W
    b_e += velocity.b_e
    if constraint:
        W *= constraint(row_len2(W))[:, None]
    return row_len2(W)


@_validation.tiny_is_zero
def sgd_step(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> np.ndarray:
    """Take the step of `sgd_step_plain`, faster: the same arguments and results, up to rounding."""
    check_in_place(params, velocity)
    add_factors(velocity.W, grad, eta, momentum)
    len2 = np.empty_like(params.b_e)
    # One block of memory for all blocks of rows stays in the cache.
    scratch = np.empty_like(params.W[next(row_blocks(params.W.shape))])
    for rows in row_blocks(params.W.shape):
        len2[rows] = apply_velocity(params.W[rows], velocity.W[rows], grad, eta, rows, constraint, scratch)
    b_e, v_b = params.b_e, velocity.b_e
    v_b *= momentum
    v_b -= eta * grad.g_b_e
    b_e += v_b
    return len2


@_validation.tiny_is_zero
def flush_subnormals(velocity: Params) -> None:
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


def apply_velocity(
    W: np.ndarray,
    v_W: np.ndarray,
    grad: Gradient,
    eta: float,
    rows: slice,
    constraint: Constraint | None,
    scratch: np.ndarray,
) -> np.ndarray:
    """The rest of the gradient into v, then W <- W + v, then the constraint, on one block of rows; returns its len2."""
    if grad.row_scale is not None:
        v_W -= np.multiply((eta * grad.row_scale[rows])[:, None], W, out=scratch[: len(W)])
    if grad.dense_part is not None:
        v_W -= eta * grad.dense_part[rows]
    W += v_W
    len2 = row_len2(W)
    if constraint is None:
        return len2
    scale = constraint(len2)
    W *= scale[:, None]
    return len2 * scale * scale


def row_blocks(shape: tuple[int, int]) -> Iterator[slice]:
    """Slices of the rows of an (m, n) array, each of about BLOCK entries."""
    m, n = shape
    size = max(1, BLOCK // n)
    return (slice(start, start + size) for start in range(0, m, size))
