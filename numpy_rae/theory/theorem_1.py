"""Theorem 1 and Eq. (5): bias gradients, the condition on lambda, and the predicted change of E[a_j]."""

import math

import numpy as np

from numpy_rae import _contracts, _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, PenaltyGrad, backward, forward, reconstruction
from numpy_rae.penalties import Penalty


@_validation.tiny_is_zero
def reconstruction_bias_gradient(params: Params, activation: Activation, x: Array) -> Array:
    """Compute dJ_AE/db_e over all of x.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Data, of the dtype of W.

    Returns
    -------
    ndarray, shape (m,)
        The bias gradient.

    Raises
    ------
    ValueError
        If params or x is not finite, they do not fit each other, or the result overflows.
    """
    check_inputs(params, activation, x)
    with np.errstate(over="ignore", invalid="ignore"):
        g_b_e = reconstruction_path(params, activation, x)
    _validation.no_overflow("x or params", g_b_e)
    return g_b_e


@_validation.tiny_is_zero
def check_inputs(params: Params, activation: Activation, x: Array) -> None:
    """Check that params and x are finite and fit each other.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Data, of the dtype of W.

    Raises
    ------
    ValueError
        If one of them is not finite, or if they do not fit each other.
    """
    _validation.encoder(params)
    _validation.instance("activation", activation, Activation)
    _validation.matrix("x", _validation.batch("x", x, params.W.shape[1], params.W.dtype))


@_validation.tiny_is_zero
def reconstruction_path(params: Params, activation: Activation, x: Array) -> Array:
    """Compute `reconstruction_bias_gradient` without its checks.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Data, of the dtype of W.

    Returns
    -------
    ndarray, shape (m,)
        The bias gradient.
    """
    fwd = forward(params, activation, x)
    _, g_y = reconstruction(fwd.y, x)
    return backward(params, fwd, g_y, PenaltyGrad()).g_b_e


@_validation.tiny_is_zero
def penalty_bias_gradient(
    penalty: Penalty, params: Params, activation: Activation, x: Array, rng: np.random.Generator | None = None
) -> Array:
    """Compute the total derivative dR/db_e: the left side of Thm 1 without lambda.

    R can depend on b_e through the pre-activations and through the reconstruction. Both are included.

    Parameters
    ----------
    penalty : Penalty
        The regulariser R.
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Data, of the dtype of W.
    rng : numpy.random.Generator, optional
        Source of noise, for a penalty that needs one.

    Returns
    -------
    ndarray, shape (m,)
        The bias gradient.

    Raises
    ------
    ValueError
        If params or x is not finite, they do not fit each other, the penalty rejects the activation, or the result
        overflows.
    """
    check_inputs(params, activation, x)
    _contracts.check_penalty(penalty)
    with np.errstate(over="ignore", invalid="ignore"):
        g_b_e = penalty_path(penalty, params, activation, x, rng)
    _validation.no_overflow("x or params", g_b_e)
    return g_b_e


@_validation.tiny_is_zero
def penalty_path(
    penalty: Penalty, params: Params, activation: Activation, x: Array, rng: np.random.Generator | None = None
) -> Array:
    """Compute `penalty_bias_gradient` without its checks.

    Parameters
    ----------
    penalty : Penalty
        The regulariser R.
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Data, of the dtype of W.
    rng : numpy.random.Generator, optional
        Source of noise, for a penalty that needs one.

    Returns
    -------
    ndarray, shape (m,)
        The bias gradient.
    """
    fwd = forward(params, activation, x, penalty.order)
    _, grad = _contracts.first_penalty_call(penalty, params, activation, fwd, rng)
    return backward(params, fwd, np.zeros_like(fwd.y), grad).g_b_e


@_validation.tiny_is_zero
def bias_gradient_at(penalty: Penalty, activation: Activation, a: Array) -> Array:
    """Compute dR/db_e of one unit with ||W_j|| = 1 and a single sample, at each of several pre-activations.

    Parameters
    ----------
    penalty : Penalty
        The regulariser R.
    activation : Activation
        Encoder activation.
    a : ndarray, shape (k,)
        Pre-activations.

    Returns
    -------
    ndarray, shape (k,), float64
        The bias gradients.

    Raises
    ------
    ValueError
        If a is not finite, or the penalty rejects the activation.
    """
    _validation.vector("a", a)
    params = Params(np.eye(1), np.zeros(1))
    samples = np.asarray(a, np.float64)[:, None, None]
    return np.array([penalty_bias_gradient(penalty, params, activation, x)[0] for x in samples])


@_validation.tiny_is_zero
def theorem_1_holds(lam: float, dR_db: Array, bound: Array) -> Array:
    """Return the units at which Thm 1's condition holds: lambda dR/db_e_j > bound_j.

    Parameters
    ----------
    lam : float
        The coefficient lambda.
    dR_db : ndarray, shape (m,)
        Result of `penalty_bias_gradient`.
    bound : ndarray, shape (m,)
        A bound of `lemma_1`, of the same dtype.

    Returns
    -------
    ndarray of bool, shape (m,)
        True where the condition holds. It never holds for an infinite bound.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the shapes differ.
    """
    _validation.number("lam", lam)
    check_bound(dR_db, bound)
    with np.errstate(over="ignore"):
        return float(lam) * dR_db > bound


@_validation.tiny_is_zero
def check_bound(dR_db: Array, bound: Array) -> None:
    """Check a bias gradient and a bound.

    Parameters
    ----------
    dR_db : ndarray, shape (m,)
        Bias gradient.
    bound : ndarray, shape (m,)
        A bound of `lemma_1`, of the same dtype.

    Raises
    ------
    ValueError
        If the shapes differ, dR_db is not finite, or an entry of the bound is negative or NaN.
    """
    _validation.like("bound", bound, _validation.vector("dR_db", dR_db).shape, dR_db.dtype)
    if not (bound >= 0).all():
        raise ValueError(f"bound has the entry {bound.min():g}; every entry must be at least 0")


@_validation.tiny_is_zero
def sufficient_lambda(dR_db: Array, bound: Array, margin: float = 1.01) -> float:
    """Compute a lambda for which Thm 1's condition holds at every unit with dR/db_e_j > 0.

    Parameters
    ----------
    dR_db : ndarray, shape (m,)
        Result of `penalty_bias_gradient`.
    bound : ndarray, shape (m,)
        A bound of `lemma_1`, of the same dtype.
    margin : float
        Factor by which the smallest lambda is multiplied. Thm 1's condition is a strict inequality, so `margin` should
        be above 1.

    Returns
    -------
    float
        The smallest such lambda, times `margin`. If every bound is 0, any positive lambda is sufficient, and `margin`
        is returned.

    Raises
    ------
    ValueError
        If no dR/db_e_j is positive, or no finite lambda is sufficient.
    """
    check_bound(dR_db, bound)
    _validation.number("margin", margin, open_low=True)
    pushed = dR_db > 0
    if not pushed.any():
        raise ValueError("dR_db has no positive entry; no lambda satisfies Thm 1's condition")
    with np.errstate(over="ignore"):
        lam = float(margin * (bound[pushed] / dR_db[pushed]).max())
    if not math.isfinite(lam):
        raise ValueError("bound is too large for dR_db; no finite lambda satisfies Thm 1's condition")
    return lam or margin


@_validation.tiny_is_zero
def predicted_mean_preactivation(mean_a: Array, eta: float, dJ_db: Array) -> Array:
    """Predict E[a_j] after one full-batch step without momentum on centred data, Eq. (5).

    Parameters
    ----------
    mean_a : ndarray, shape (m,)
        E[a_j] before the step.
    eta : float
        Learning rate.
    dJ_db : ndarray, shape (m,)
        Bias gradient of the full objective, including the penalty.

    Returns
    -------
    ndarray, shape (m,)
        E[a_j] after the step.

    Raises
    ------
    ValueError
        If an argument is not finite, the shapes differ, or the result overflows.
    """
    _validation.vector("dJ_db", dJ_db, len(_validation.vector("mean_a", mean_a)))
    _validation.number("eta", eta)
    with np.errstate(over="ignore"):
        moved = mean_a - float(eta) * dJ_db
    _validation.no_overflow("dJ_db", moved)
    return moved
