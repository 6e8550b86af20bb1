"""Stochastic gradient descent with classical momentum, in place on the arrays that are passed in.

    v <- momentum v - eta g,    then W <- W + v,    then the constraint on the rows of W

`sgd_step_plain` writes this in a few lines. `sgd_step` computes the same in less time. It gets the gradient in parts,
and BLAS adds each outer product directly to the velocity. The rest is done on blocks of rows that fit into the cache,
so no array of the size of W is allocated.
"""

from collections.abc import Iterator

import numpy as np
import scipy  # loads scipy.linalg at its first use, so that a job starts sooner

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.constraints import Constraint
from numpy_rae.row_norms import row_len2

BLOCK = 2**17


def zero_velocity(params: Params) -> Params:
    """Return a velocity of 0, with the shapes, dtype and memory order of the parameters.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).

    Returns
    -------
    Params
        The velocity.
    """
    return Params(np.zeros_like(params.W), np.zeros_like(params.b_e))


def check_in_place(params: Params, velocity: Params) -> None:
    """Raise ValueError for an array that a step cannot write into.

    BLAS does not check the arrays, so without this check the process could crash.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        Velocity of W and of b_e, of the same shapes.

    Raises
    ------
    ValueError
        If an array is read-only, not aligned, or not in the native byte order, or if the velocity of W is not
        contiguous.
    """
    for name, array in zip(("W", "b_e", "v_W", "v_b_e"), (*params, *velocity), strict=True):
        # `behaved` is aligned and writeable.
        if not array.flags.behaved or not array.dtype.isnative:
            raise ValueError(f"{name} is {_fault(array)}; a step changes it in place, so it must be copied first")
    if not velocity.W.flags.forc:  # BLAS would write into a copy, and the result would be lost
        raise ValueError("v_W is not contiguous in memory; a step changes it in place, so it must be copied first")


def _fault(array: Array) -> str:
    """Return the reason why an array cannot be changed in place, as text."""
    if not array.flags.writeable:
        return "read-only"
    return "not aligned" if not array.flags.aligned else "not in the native byte order"


@_validation.tiny_is_zero
def sgd_step_plain(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> Array:
    """Take one step of SGD with momentum in textbook form, in place on params and velocity.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    momentum : float
        Factor of the previous velocity.
    constraint : callable or None
        Function from squared row lengths, shape (m,), to one factor per row. None leaves the rows as they are.

    Returns
    -------
    ndarray, shape (m,)
        Squared row lengths of W after the step.

    Raises
    ------
    ValueError
        If an array is read-only, not aligned, or not in the native byte order, or if the velocity of W is not
        contiguous.

    Notes
    -----
        (a) v_W <- momentum v_W - eta g_W                      (m, n)
        (b) v_b <- momentum v_b - eta g_b_e                    (m,)
        (c) W   <- W + v_W
        (d) b_e <- b_e + v_b
        (e) W_j <- c_j W_j,  c = constraint(len2)              if there is a constraint
    """
    check_in_place(params, velocity)
    W, b_e = params
    g_W, g_b_e = grad.dense(params)
    velocity.W[...] = momentum * velocity.W - eta * g_W  # (a)
    velocity.b_e[...] = momentum * velocity.b_e - eta * g_b_e  # (b)
    W += velocity.W  # (c)
    b_e += velocity.b_e  # (d)
    if constraint:
        W *= constraint(row_len2(W))[:, None]  # (e)
    return row_len2(W)


@_validation.tiny_is_zero
def sgd_step(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> Array:
    """Take the step of `sgd_step_plain` in less time.

    The arguments are the same, and the results are equal up to rounding.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    momentum : float
        Factor of the previous velocity.
    constraint : callable or None
        Function from squared row lengths, shape (m,), to one factor per row. None leaves the rows as they are.

    Returns
    -------
    ndarray, shape (m,)
        Squared row lengths of W after the step.

    Raises
    ------
    ValueError
        If an array is read-only, not aligned, or not in the native byte order, or if the velocity of W is not
        contiguous.
    """
    check_in_place(params, velocity)
    add_factors(velocity.W, grad, eta, momentum)
    len2 = np.empty_like(params.b_e)
    # All blocks of rows use the same scratch memory, so it stays in the cache.
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
    """Replace subnormal entries of the velocity by 0, in place.

    If a unit has no gradient, its velocity decays to subnormal numbers, the smallest floating-point numbers. Because of
    rounding it does not reach 0. Arithmetic with subnormal numbers makes a step several times slower.

    Parameters
    ----------
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    """
    for part in velocity:
        part[np.abs(part) < np.finfo(part.dtype).tiny] = 0


def add_factors(v_W: Array, grad: Gradient, eta: float, momentum: float) -> None:
    """Compute v_W <- momentum v_W - eta sum left^T right, in place.

    BLAS adds the products.

    Parameters
    ----------
    v_W : ndarray, shape (m, n)
        Velocity of W.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    momentum : float
        Factor of the previous velocity.
    """
    # This is faster than BLAS with beta = momentum.
    v_W *= momentum
    gemm = scipy.linalg.get_blas_funcs("gemm", (v_W,))
    for left, right in grad.factors:
        # BLAS writes in Fortran order. The transpose of an array in C order is in Fortran order.
        one, two, out = (left.T, right, v_W) if v_W.flags.f_contiguous else (right.T, left, v_W.T)
        (one, trans_a), (two, trans_b) = as_fortran(one), as_fortran(two)
        gemm(-eta, one, two, beta=1.0, c=out, trans_a=trans_a, trans_b=trans_b, overwrite_c=True)


def as_fortran(matrix: Array) -> tuple[Array, bool]:
    """Return a matrix or its transpose, whichever is in Fortran order, so that BLAS need not copy it.

    Parameters
    ----------
    matrix : ndarray
        Matrix in C or Fortran order.

    Returns
    -------
    matrix : ndarray
        The matrix or its transpose.
    transposed : bool
        Whether it is the transpose.
    """
    return (matrix, False) if matrix.flags.f_contiguous else (matrix.T, True)


def apply_velocity(
    W: Array,
    v_W: Array,
    grad: Gradient,
    eta: float,
    rows: slice,
    constraint: Constraint | None,
    scratch: Array,
) -> Array:
    """Add the rest of the gradient to v, then v to W, then apply the constraint, on one block of rows.

    Parameters
    ----------
    W : ndarray, shape (k, n)
        Rows of the weights, changed in place.
    v_W : ndarray, shape (k, n)
        Rows of the velocity, changed in place.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    rows : slice
        Position of the rows in W.
    constraint : callable or None
        Function from squared row lengths, shape (m,), to one factor per row. None leaves the rows as they are.
    scratch : ndarray
        Memory for at least k rows.

    Returns
    -------
    ndarray, shape (k,)
        Squared lengths of the rows after the step.
    """
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
    """Return slices of the rows of a matrix, each of about BLOCK entries.

    Parameters
    ----------
    shape : tuple of int
        Shape (m, n) of the matrix.

    Returns
    -------
    iterator of slice
        The slices.
    """
    m, n = shape
    size = max(1, BLOCK // n)
    return (slice(start, start + size) for start in range(0, m, size))
