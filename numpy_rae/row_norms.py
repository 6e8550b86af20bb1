"""Lengths of the rows of a matrix, and the scaling of rows to length 1.

len2_j = ||W_j||^2 is the squared length of row j of W (m, n). Training uses `row_len2` and `unit_scale`, which are
fast. `row_lengths` and `directions` also work where a squared length would overflow or be rounded to 0.
"""

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array


def row_len2(W: Array) -> Array:
    """Compute the squared row lengths len2_j = ||W_j||^2.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Matrix.

    Returns
    -------
    ndarray, shape (m,)
        Squared lengths, of the dtype of W; inf where they overflow.
    """
    with np.errstate(over="ignore"):
        len2: Array = np.vecdot(W, W)
        return len2


@_validation.tiny_is_zero
def of_order_one(x: Array, axis: int | None = None) -> tuple[Array, Array]:
    """Scale x by a power of two so that its largest absolute entry lies in [1/2, 1).

    The scaling is exact. The squares of the result cannot overflow, and the largest one is a normal number.

    Parameters
    ----------
    x : ndarray
        Finite array. If `axis` is not None, its shape is (N, n).
    axis : {None, 0, 1}
        None scales the whole array by one factor. 0 scales each column by its own factor, and 1 scales each row.

    Returns
    -------
    scaled : ndarray
        The array x 2^-k, of the shape and dtype of x.
    exponent : ndarray of int
        The exponents k: one number, or one per column or row.
    """
    _, exponent = np.frexp(np.maximum(x.max(axis=axis), -x.min(axis=axis)))
    along = -exponent if axis != 1 else -exponent[:, None]
    return np.ldexp(x, along), exponent


@_validation.tiny_is_zero
def row_lengths(W: Array) -> Array:
    """Compute the row lengths ||W_j|| without overflow of their squares.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Finite matrix with entries of any size.

    Returns
    -------
    ndarray, shape (m,)
        Lengths, of the dtype of W.
    """
    scaled, exponent = of_order_one(W, axis=1)
    lengths: Array = np.ldexp(np.sqrt(row_len2(scaled)), exponent)
    return lengths


def unit_scale(len2: Array) -> Array:
    """Compute the factors that give every row length 1.

    Parameters
    ----------
    len2 : ndarray, shape (m,)
        Squared row lengths.

    Returns
    -------
    ndarray, shape (m,)
        Factors 1 / sqrt(len2); 1 for a zero row, which has no direction and stays 0.

    Notes
    -----
        (a) c_j = 1 / ||W_j||
    """
    scale: Array = 1 / np.sqrt(np.where(len2 == 0, 1, len2))  # (a) (m,)
    return scale


def unit_rows(W: Array) -> None:
    """Scale every row of W to length 1, in place.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Matrix, which is overwritten. A zero row stays 0.
    """
    W *= unit_scale(row_len2(W))[:, None]


def fast_directions(W: Array) -> Array:
    """Return the rows of W scaled to length 1, as a new array.

    This is faster than `directions`. It is correct only if no squared row length overflows or is rounded to 0.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Matrix. A zero row stays 0.

    Returns
    -------
    ndarray, shape (m, n)
        Rows of length 1, of the dtype of W.
    """
    u: Array = W * unit_scale(row_len2(W))[:, None]
    return u


@_validation.tiny_is_zero
def directions(W: Array) -> Array:
    """Return the rows of W scaled to length 1, as a new array, for entries of any size.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Finite matrix, float32 or float64. A zero row stays 0.

    Returns
    -------
    ndarray, shape (m, n)
        Rows of length 1, of the dtype of W.

    Raises
    ------
    ValueError
        If W is not a finite matrix, is empty, or is neither float32 nor float64.
    """
    peak = np.abs(_validation.matrix("W", W)).max(axis=1, keepdims=True)
    scaled = W / np.where(peak == 0, 1, peak)
    u: Array = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1)
    return u
