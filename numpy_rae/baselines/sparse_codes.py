"""The codes of sparse coding for a fixed dictionary, by FISTA, with a bound on their error."""

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigvalsh

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.row_norms import row_len2


class Codes(NamedTuple):
    """Hold the result of `encode`.

    Attributes
    ----------
    h : ndarray, shape (N, m)
        Codes.
    gap : ndarray, shape (N,)
        Upper bound on J_i minus its minimum.
    iterations : int
        Number of iterations.
    unconverged : int
        Number of samples that missed the tolerance.
    """

    h: Array
    gap: Array
    iterations: int
    unconverged: int


@_validation.tiny_is_zero
def encode(
    W: Array,
    x: Array,
    lam: float,
    non_negative: bool = False,
    tol: float = 1e-5,
    max_iterations: int = 1000,
    start: Array | None = None,
) -> Codes:
    """Minimise Eq. (2) in the codes for fixed W by FISTA (Beck & Teboulle 2009), for all samples at once.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Dictionary with rows of length 1.
    x : ndarray, shape (N, n)
        Data, of the dtype of W.
    lam : float
        Coefficient of the L1 norm, positive.
    non_negative : bool
        Whether codes must be at least 0.
    tol : float
        The iterations end when every gap is at most tol ||x_i||^2. In float32 the gaps cannot go far below tol = 1e-5.
    max_iterations : int
        Largest number of iterations.
    start : ndarray, shape (N, m), optional
        First codes. The default is 0.

    Returns
    -------
    Codes
        The codes, their gaps, and how many samples missed the tolerance.

    Raises
    ------
    ValueError
        If an argument does not fit, or a row of W does not have length 1.

    Notes
    -----
        (a) c    = (x - h W) W^T = a - h G,  a = x W^T,  G = W W^T        (N, m)
        (b) d||x_i - W^T h_i||^2 / dh = -2 c,  with Lipschitz constant L = 2 (largest eigenvalue of G)
        (c) h    <- shrink(z + 2 c(z) / L, lam / L)
        (d) t    <- (1 + sqrt(1 + 4 t^2)) / 2,  z <- h + beta (h - h_old),  beta = (t_old - 1) / t
        (e) c(z) = c + beta (c - c_old), as c is affine in h: one matrix product per iteration

    A sample whose momentum points uphill restarts at t = 1 (O'Donoghue & Candes 2015). While beta <= 1, (c) never
    increases J_i + (L / 2) ||h - h_old||^2, so no J_i ends above its value at `start`.
    """
    check(x, lam, tol, max_iterations)
    check_dictionary(W, x)
    h = check_start(start, (len(x), len(W)), x.dtype, non_negative)
    lam, x2, a, G = float(lam), row_len2(x), x @ W.T, W @ W.T
    L = 2 * float(eigvalsh(G, subset_by_index=(len(G) - 1, len(G) - 1))[0])  # (b)
    c = a - h @ G  # (a) (N, m)
    z, c_z, t = h, c, np.ones((len(x), 1), x.dtype)
    for iterations in range(max_iterations + 1):
        gap = duality_gap(h, c, a, x2, lam, non_negative)
        if iterations == max_iterations or (gap <= tol * x2).all():
            break
        h_old, c_old, t_old = h, c, t
        h = shrink(z + c_z * (2 / L), lam / L, non_negative)  # (c) (N, m)
        c = a - h @ G  # (a) (N, m)
        uphill = ((z - h) * (h - h_old)).sum(axis=1, keepdims=True) > 0  # (N, 1)
        t = np.where(uphill, 1, (1 + np.sqrt(1 + 4 * t_old**2)) / 2).astype(x.dtype)  # (d) (N, 1)
        beta = np.where(uphill, 0, (t_old - 1) / t).astype(x.dtype)  # (d) (N, 1)
        z, c_z = h + beta * (h - h_old), c + beta * (c - c_old)  # (d) (e) (N, m)
    return Codes(h, gap, iterations, int((gap > tol * x2).sum()))


@_validation.tiny_is_zero
def shrink(v: Array, threshold: float, non_negative: bool = False) -> Array:
    """Compute argmin over h of (h - v)^2 / 2 + threshold |h|, entry by entry.

    Parameters
    ----------
    v : ndarray
        Entries of any shape.
    threshold : float
        Threshold, at least 0.
    non_negative : bool
        Whether h must be at least 0.

    Returns
    -------
    ndarray
        The minimisers, of the shape of v.
    """
    return np.maximum(v - threshold, 0) if non_negative else v - v.clip(-threshold, threshold)


@_validation.tiny_is_zero
def duality_gap(h: Array, c: Array, a: Array, x2: Array, lam: float, non_negative: bool) -> Array:
    """Compute how far J_i(h) can be above its minimum.

    Parameters
    ----------
    h : ndarray, shape (N, m)
        Codes.
    c : ndarray, shape (N, m)
        Products W r of the rows with the residual r.
    a : ndarray, shape (N, m)
        Products W x.
    x2 : ndarray, shape (N,)
        Squared lengths of the samples.
    lam : float
        Coefficient of the L1 norm.
    non_negative : bool
        Whether codes must be at least 0.

    Returns
    -------
    ndarray, shape (N,)
        The gaps.

    Notes
    -----
    ||r||^2 = max over u of 2 u.r - ||u||^2, so the dual is max 2 u.x - ||u||^2 where |2 W_j u| <= lam for all j
    (2 W_j u <= lam if h >= 0). The point u = s r is feasible for

        (a) s   = lam / max(lam, 2 max_j |c_j|)                                       (N,)
        (b) gap = J_i - 2 s r.x + s^2 ||r||^2 = (1 - s)^2 ||r||^2 + sum_j (lam |h_j| - 2 s h_j c_j)

    by x = r + W^T h. Every term of (b) is at least 0, so nothing cancels near the optimum.
    """
    steepest = (c if non_negative else np.abs(c)).max(axis=1)
    s = lam / np.maximum(2 * steepest, lam)  # (a) (N,)
    r2 = x2 - (h * (a + c)).sum(axis=1)  # (N,)
    gap: Array = (1 - s) ** 2 * r2 + (lam * np.abs(h) - 2 * s[:, None] * h * c).sum(axis=1)  # (b) (N,)
    return gap


@_validation.tiny_is_zero
def check(x: Array, lam: float, tol: float, max_iterations: int) -> None:
    """Check the arguments of `encode` and `fit`.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Data.
    lam : float
        Coefficient. It must be positive in x's precision.
    tol : float
        Tolerance in [0, 1].
    max_iterations : int
        A whole number of at least 1.

    Raises
    ------
    ValueError
        If one is outside its range.
    """
    _validation.matrix("x", x, squares=True)
    lam_range = np.finfo(x.dtype)
    _validation.number("lam", lam, float(lam_range.tiny), float(lam_range.max) ** 0.5)
    _validation.number("tol", tol, high=1)
    _validation.integer("max_iterations", max_iterations)


@_validation.tiny_is_zero
def check_dictionary(W: Array, x: Array) -> None:
    """Check a dictionary.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        It must be finite, of the dtype of x, with rows of length 1.
    x : ndarray, shape (N, n)
        Data.

    Raises
    ------
    ValueError
        If it is not.
    """
    _validation.matrix("W", W, columns=x.shape[1])
    _validation.like("W", W, W.shape, x.dtype)
    length = np.sqrt(row_len2(W))
    off = np.abs(length - 1).argmax()
    if abs(length[off] - 1) > np.finfo(W.dtype).eps ** 0.5:
        raise ValueError(f"W has a row of length {length[off]:g}; every row must have length 1")


@_validation.tiny_is_zero
def check_start(start: Array | None, shape: tuple[int, int], dtype: np.dtype[Any], non_negative: bool) -> Array:
    """Check the first codes.

    Parameters
    ----------
    start : ndarray or None
        The codes. None means 0.
    shape : tuple of int
        The shape (N, m).
    dtype : numpy.dtype
        The dtype of x.
    non_negative : bool
        Whether codes must be at least 0.

    Returns
    -------
    ndarray, shape (N, m)
        The codes.

    Raises
    ------
    ValueError
        If they do not fit shape, dtype and sign.
    """
    if start is None:
        return np.zeros(shape, dtype)
    _validation.like("start", start, shape, dtype)
    if non_negative and start.min() < 0:
        raise ValueError(f"start has the entry {start.min():g}; with non_negative it must be at least 0 everywhere")
    return _validation.matrix("start", start, squares=True)
