"""Lemma 1: compute bounds on the bias gradient of the reconstruction loss."""

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.row_norms import of_order_one, row_lengths


@_validation.tiny_is_zero
def sigma_r(r: Array) -> float:
    """Compute the paper's sigma_r, without any assumption.

    Parameters
    ----------
    r : ndarray, shape (N, n)
        Residual x - y.

    Returns
    -------
    float
        Root of the mean square of r over samples and dimensions.

    Raises
    ------
    ValueError
        If r is not a finite matrix.
    """
    scaled, exponent = of_order_one(_validation.matrix("r", r))
    return float(np.ldexp(np.sqrt(np.mean(np.square(scaled))), exponent))


@_validation.tiny_is_zero
def lemma_1_bound(W: Array, r: Array) -> Array:
    """Compute the bound of Lemma 1: |dJ_AE/db_e_j| <= 2 sigma_r sqrt(n) ||W_j||.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Encoder weights.
    r : ndarray, shape (N, n)
        Residual x - y.

    Returns
    -------
    ndarray, shape (m,)
        The bound per unit. It is inf if it overflows.

    Raises
    ------
    ValueError
        If W or r is not finite, or they do not fit each other.

    Notes
    -----
    sigma_r^2 is the mean of r^2. The bound follows from the Cauchy-Schwarz inequality. It holds for every W, b_e and
    residual.
    """
    _validation.matrix("W", W, columns=_validation.matrix("r", r).shape[1])
    with np.errstate(over="ignore"):
        bound: Array = row_lengths(W) * 2 * sigma_r(r) * r.shape[1] ** 0.5
    return bound


@_validation.tiny_is_zero
def lemma_1_bound_free(W: Array, r: Array) -> Array:
    """Compute a tighter bound than Lemma 1, without any assumption: |dJ_AE/db_e_j| <= 2 sqrt(E[(W_j r)^2]).

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Encoder weights.
    r : ndarray, shape (N, n)
        Residual x - y.

    Returns
    -------
    ndarray, shape (m,)
        The bound per unit. It is inf if it overflows.

    Raises
    ------
    ValueError
        If W or r is not finite, or they do not fit each other.
    """
    _validation.matrix("W", W, columns=_validation.matrix("r", r).shape[1])
    (rows, of_W), (scaled, of_r) = of_order_one(W, axis=1), of_order_one(r)
    with np.errstate(over="ignore"):
        bound: Array = np.ldexp(2 * np.sqrt(np.square(scaled @ rows.T).mean(axis=0)), of_W + of_r)
    return bound


@_validation.tiny_is_zero
def lemma_1_bound_gaussian(W: Array, sigma_r: float) -> Array:
    """Compute the sharp bound of Lemma 1 under its Gaussian assumption: sigma_r sqrt(2 / pi) ||W_j||.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Encoder weights.
    sigma_r : float
        Standard deviation of the residual's entries.

    Returns
    -------
    ndarray, shape (m,)
        The bound per unit. It is inf if it overflows.

    Raises
    ------
    ValueError
        If W is not finite, or sigma_r is negative.

    Notes
    -----
    dJ_AE/db_e_j = -2 E[h'_j u] with u = W_j r of variance sigma_r^2 ||W_j||^2, and E[max(u, 0)] = std(u) / sqrt(2 pi).
    So the bound is reached if h' is 1 where W_j r > 0, and 0 elsewhere.
    """
    _validation.number("sigma_r", sigma_r)
    with np.errstate(over="ignore"):
        bound: Array = row_lengths(_validation.matrix("W", W)) * float(sigma_r) * (2 / np.pi) ** 0.5
    return bound
