"""Maxout (Goodfellow et al. 2013), the activation that Sec. 2.1.2 excludes, as a counter-example that can be trained.

Unit j has k affine pieces and takes the largest, h_j = max over p of W_jp . x + b_jp. Decoding is tied through the
piece that won. h is not a function of one pre-activation, so Maxout has no jet and is not in `ACTIVATIONS`.
Setting the code of every losing piece to 0 turns the model into a linear one with m k units:

    (a) a_ijp = W_jp . x_i + b_jp,   won_ijp = 1 for the first largest p of (i, j), else 0       (N, m, k)
    (b) z     = won * a,  so that h_ij = sum_p z_ijp                                             (N, m, k)
    (c) y     = sum over j, p of z_ijp W_jp                                                      (N, n)
    (d) r     = x - y,  g_y = -2 r / N                                                           (N, n)
    (e) g_a   = won * (g_y W^T): only the winner is differentiated                               (N, m, k)
    (f) g_W   = g_a^T x + z^T g_y: W is encoder and decoder                                      (m, k, n)
    (g) g_b_e = sum over samples of g_a                                                          (m, k)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from numpy_rae import _validation, autoencoder
from numpy_rae._validation import Array
from numpy_rae.autoencoder import reconstruction


class MaxoutParams(NamedTuple):
    """Hold the parameters of a Maxout layer.

    Attributes
    ----------
    W : ndarray, shape (m, k, n)
        Weights, one row per piece.
    b_e : ndarray, shape (m, k)
        Biases.
    """

    W: Array
    b_e: Array


class MaxoutForward(NamedTuple):
    """Hold a forward pass.

    Attributes
    ----------
    a : ndarray, shape (N, m, k)
        Pre-activations.
    won : ndarray of bool, shape (N, m, k)
        Which piece won.
    h : ndarray, shape (N, m)
        Codes.
    y : ndarray, shape (N, n)
        Reconstruction.
    """

    a: Array
    won: Array
    h: Array
    y: Array


@_validation.tiny_is_zero
def init_params(m: int, k: int, n: int, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> MaxoutParams:
    """Draw the auto-encoder's normalized initialisation for the m k pieces.

    Parameters
    ----------
    m : int
        Number of units.
    k : int
        Number of pieces per unit.
    n : int
        Number of features.
    rng : numpy.random.Generator
        Source of W.
    dtype : type
        The dtype of the parameters, float32 or float64.

    Returns
    -------
    MaxoutParams
        Random W, and b_e = 0.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    _validation.integer("m", m)
    _validation.integer("k", k)
    W, b_e = autoencoder.init_params(m * k, n, rng, dtype)
    return MaxoutParams(W.reshape(m, k, n), b_e.reshape(m, k))


@_validation.tiny_is_zero
def forward(params: MaxoutParams, x: Array) -> MaxoutForward:
    """Encode and decode x.

    Parameters
    ----------
    params : MaxoutParams
        W, shape (m, k, n), and b_e, shape (m, k).
    x : ndarray, shape (N, n)
        Data, of the dtype of W.

    Returns
    -------
    MaxoutForward
        Pre-activations, winners, codes and reconstruction.

    Raises
    ------
    ValueError
        If shapes or dtypes of x, W and b_e do not fit.
    """
    check(params)
    W, b_e = params
    m, k, n = W.shape
    _validation.batch("x", x, n, W.dtype)
    a = (x @ W.reshape(m * k, n).T).reshape(-1, m, k) + b_e  # (a) (N, m, k)
    won = a.argmax(axis=2)[:, :, None] == np.arange(k)  # (a) (N, m, k)
    z = np.where(won, a, 0)  # (b) (N, m, k)
    return MaxoutForward(a, won, a.max(axis=2), np.tensordot(z, W, 2))  # (c)


@_validation.tiny_is_zero
def value_and_grad(params: MaxoutParams, x: Array) -> tuple[float, MaxoutParams]:
    """Compute J = mean over samples of ||x - y||^2, no 1/2, and its gradient.

    At a tie, the first piece gets the gradient.

    Parameters
    ----------
    params : MaxoutParams
        W, shape (m, k, n), and b_e, shape (m, k).
    x : ndarray, shape (N, n)
        Data, of the dtype of W.

    Returns
    -------
    J : float
        The objective.
    gradient : MaxoutParams
        Its gradient.
    """
    fwd = forward(params, x)
    J, g_y = reconstruction(fwd.y, x)  # (d) (N, n)
    z = np.where(fwd.won, fwd.a, 0)  # (b) (N, m, k)
    g_a = fwd.won * np.tensordot(g_y, params.W, (1, 2))  # (e) (N, m, k)
    g_W = np.tensordot(g_a, x, (0, 0)) + np.tensordot(z, g_y, (0, 0))  # (f) (m, k, n)
    return J, MaxoutParams(g_W, g_a.sum(axis=0))  # (g)


@_validation.tiny_is_zero
def check(params: MaxoutParams) -> None:
    """Check the parameters of a Maxout layer.

    Parameters
    ----------
    params : MaxoutParams
        W, shape (m, k, n), and b_e, shape (m, k).

    Raises
    ------
    ValueError
        If W is not a float array of shape (m, k, n), all at least 1, or b_e does not fit it.
    """
    W, b_e = _validation.pair(params)
    if type(W) not in _validation.ARRAYS or W.ndim != 3 or 0 in W.shape or W.dtype not in _validation.FLOATS:
        raise ValueError(
            f"W is {_validation.describe_array(W)}; "
            "it must be a float array of shape (units, pieces, features), all at least 1"
        )
    _validation.like("b_e", b_e, W.shape[:2], W.dtype)
