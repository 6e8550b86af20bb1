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

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from numpy_rae import _validation, autoencoder
from numpy_rae._validation import Array
from numpy_rae.autoencoder import reconstruction
from numpy_rae.training import shuffled_batches


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


class MaxoutTrained(NamedTuple):
    """Hold the result of `train`.

    Attributes
    ----------
    params : MaxoutParams
        Final parameters.
    history : tuple of float
        Mean minibatch objective per epoch.
    diverged : int or None
        The epoch in which the objective was not finite any more. None if the run did not diverge.
    """

    params: MaxoutParams
    history: tuple[float, ...]
    diverged: int | None


class Witness(NamedTuple):
    """Hold a Maxout layer whose limit on the left is not 0.

    Attributes
    ----------
    params : MaxoutParams
        The layer.
    direction : ndarray, shape (n,)
        A direction.
    limit : ndarray, shape (m,)
        The limit of h at x = t direction as t goes to -infinity.
    """

    params: MaxoutParams
    direction: Array
    limit: Array


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
def train(
    x: Array,
    m: int,
    k: int,
    rng: np.random.Generator,
    epochs: int = 50,
    eta: float = 0.001,
    momentum: float = 0.9,
    batch_size: int = 50,
) -> MaxoutTrained:
    """Train with minibatch SGD: v <- momentum v - eta g, then W <- W + v. The rows are free.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Data. Its dtype is the dtype of the parameters.
    m : int
        Number of units.
    k : int
        Number of pieces per unit.
    rng : numpy.random.Generator
        Source of the initialisation and of the order of the samples.
    epochs : int
        Passes over the data.
    eta : float
        Learning rate, positive.
    momentum : float
        Momentum coefficient, in [0, 1].
    batch_size : int
        Samples per update.

    Returns
    -------
    MaxoutTrained
        Parameters and history. If the objective stops being finite, the run ends, and `diverged` is the epoch.

    Raises
    ------
    ValueError
        Before any work, if an argument is outside its range.
    """
    _validation.matrix("x", x)
    for name, value in (("m", m), ("k", k), ("epochs", epochs), ("batch_size", batch_size)):
        _validation.integer(name, value)
    _validation.number("eta", eta, open_low=True)
    _validation.number("momentum", momentum, high=1)
    _validation.instance("rng", rng, np.random.Generator)
    params = init_params(m, k, x.shape[1], rng, x.dtype)
    velocity = MaxoutParams(np.zeros_like(params.W), np.zeros_like(params.b_e))
    history: list[float] = []
    # An overflow needs no warning here, because the objective is not finite in the same epoch.
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(1, epochs + 1):
            steps = (x[batch] for batch in shuffled_batches(len(x), batch_size, rng))
            J = float(np.mean([step(params, velocity, part, float(eta), float(momentum)) for part in steps]))
            if not math.isfinite(J):
                return MaxoutTrained(params, tuple(history), epoch)
            history.append(J)
    return MaxoutTrained(params, tuple(history), None)


@_validation.tiny_is_zero
def step(params: MaxoutParams, velocity: MaxoutParams, x: Array, eta: float, momentum: float) -> float:
    """Do one step on a batch, in place.

    Parameters
    ----------
    params, velocity : MaxoutParams
        Changed in place.
    x : ndarray, shape (N, n)
        The batch.
    eta : float
        Learning rate.
    momentum : float
        Momentum coefficient.

    Returns
    -------
    float
        The objective before the step.
    """
    J, grad = value_and_grad(params, x)
    for value, v, g in zip(params, velocity, grad, strict=True):
        v *= momentum
        v -= eta * g
        value += v
    return J


@_validation.tiny_is_zero
def left_limit(params: MaxoutParams, direction: Array) -> Array:
    """Compute the limit of h at x = t direction as t goes to -infinity. Sec. 2.1.2 requires the limit 0.

    Parameters
    ----------
    params : MaxoutParams
        W, shape (m, k, n), and b_e, shape (m, k).
    direction : ndarray, shape (n,)
        The direction, of the dtype of W.

    Returns
    -------
    ndarray, shape (m,)
        The limits, which can be infinite.

    Raises
    ------
    ValueError
        If `direction` does not fit W, or one of both is not finite.

    Notes
    -----
    On this line piece p is t slope_p + b_p with slope_p = W_p . direction. Far on the left, the largest piece is the
    one with the smallest slope:

        min slope < 0: +inf        min slope > 0: -inf        min slope = 0: the largest b_e of the pieces that have it
    """
    check(params)
    _validation.vector("direction", _validation.like("direction", direction, params.W.shape[2:], params.W.dtype))
    _validation.no_overflow("params", *params)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = params.W @ direction  # (m, k)
    _validation.no_overflow("W or direction", slope)
    flat = np.where(slope == 0, params.b_e, -np.inf).max(axis=1)  # (m,)
    least = slope.min(axis=1)  # (m,)
    limit: Array = np.where(least == 0, flat, np.copysign(np.inf, -least)).astype(params.W.dtype)
    return limit


@_validation.tiny_is_zero
def witness(dtype: DTypeLike = np.float64) -> Witness:
    """Return one unit with the pieces a and -a: h = |a| grows without bound on the left, where Thm 2 needs 0.

    Parameters
    ----------
    dtype : type
        The dtype of the parameters, float32 or float64.

    Returns
    -------
    Witness
        The layer, the direction and the limit.

    Raises
    ------
    ValueError
        If the dtype is another.
    """
    dtype = _validation.float_type("dtype", dtype)
    params = MaxoutParams(np.array([[[1], [-1]]], dtype), np.zeros((1, 2), dtype))
    direction: Array = np.ones(1, dtype)
    return Witness(params, direction, left_limit(params, direction))


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
