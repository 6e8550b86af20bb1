"""Theorem 1 and Eq. (5): bias gradients, the condition on lambda, the predicted change of E[a_j]."""

import math

import numpy as np

from numpy_rae import _contracts, _validation
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, PenaltyGrad, backward, forward, reconstruction
from numpy_rae.penalties import Penalty


@_validation.tiny_is_zero
def reconstruction_bias_gradient(params: Params, activation: Activation, x: np.ndarray) -> np.ndarray:
    """dJ_AE/db_e, (m,), over all of x (N, n). Raises ValueError if it overflows."""
    check_inputs(params, activation, x)
    with np.errstate(over="ignore", invalid="ignore"):
        g_b_e = reconstruction_path(params, activation, x)
    _validation.no_overflow("x or params", g_b_e)
    return g_b_e


@_validation.tiny_is_zero
def check_inputs(params: Params, activation: Activation, x: np.ndarray) -> None:
    """Raise ValueError unless params and x are finite and fit each other."""
    _validation.encoder(params)
    _validation.instance("activation", activation, Activation)
    _validation.matrix("x", _validation.batch("x", x, params.W.shape[1], params.W.dtype))


@_validation.tiny_is_zero
def reconstruction_path(params: Params, activation: Activation, x: np.ndarray) -> np.ndarray:
    """`reconstruction_bias_gradient` without its checks."""
    fwd = forward(params, activation, x)
    _, g_y = reconstruction(fwd.y, x)
    return backward(params, fwd, g_y, PenaltyGrad()).g_b_e


@_validation.tiny_is_zero
def penalty_bias_gradient(
    penalty: Penalty, params: Params, activation: Activation, x: np.ndarray, rng: np.random.Generator | None = None
) -> np.ndarray:
    """dR/db_e, (m,): Thm 1's left side without lambda, along every path from b_e to R.

    Raises ValueError if it overflows, or the penalty refuses the activation.
    """
    check_inputs(params, activation, x)
    _contracts.check_penalty(penalty)
    with np.errstate(over="ignore", invalid="ignore"):
        g_b_e = penalty_path(penalty, params, activation, x, rng)
    _validation.no_overflow("x or params", g_b_e)
    return g_b_e


@_validation.tiny_is_zero
def penalty_path(
    penalty: Penalty, params: Params, activation: Activation, x: np.ndarray, rng: np.random.Generator | None = None
) -> np.ndarray:
    """`penalty_bias_gradient` without its checks."""
    fwd = forward(params, activation, x, penalty.order)
    _, grad = _contracts.first_penalty_call(penalty, params, activation, fwd, rng)
    return backward(params, fwd, np.zeros_like(fwd.y), grad).g_b_e


@_validation.tiny_is_zero
def bias_gradient_at(penalty: Penalty, activation: Activation, a: np.ndarray) -> np.ndarray:
    """dR/db_e of one unit with ||W_j|| = 1 and a single sample, at each pre-activation of a (k,)."""
    _validation.vector("a", a)
    params = Params(np.eye(1), np.zeros(1))
    samples = np.asarray(a, np.float64)[:, None, None]
    return np.array([penalty_bias_gradient(penalty, params, activation, x)[0] for x in samples])


@_validation.tiny_is_zero
def theorem_1_holds(lam: float, dR_db: np.ndarray, bound: np.ndarray) -> np.ndarray:
    """Thm 1's condition lambda dR/db_e_j > bound_j, (m,) of bool; no finite gradient exceeds an infinite bound."""
    _validation.number("lam", lam)
    check_bound(dR_db, bound)
    with np.errstate(over="ignore"):
        return float(lam) * dR_db > bound


@_validation.tiny_is_zero
def check_bound(dR_db: np.ndarray, bound: np.ndarray) -> None:
    """Raise ValueError unless both are (m,), dR_db is finite, and the bound at least 0, as those of Lemma 1 are."""
    _validation.like("bound", bound, _validation.vector("dR_db", dR_db).shape, dR_db.dtype)
    if not (bound >= 0).all():
        raise ValueError(f"bound has the entry {bound.min():g}; every entry must be at least 0")


@_validation.tiny_is_zero
def sufficient_lambda(dR_db: np.ndarray, bound: np.ndarray, margin: float = 1.01) -> float:
    """The smallest lambda, times `margin`, for which Thm 1's condition holds at every unit with dR/db_e_j > 0.

    Where every bound is 0, any positive lambda will do, and `margin` is returned. Raises ValueError if there is no such
    unit, or no finite lambda.
    """
    check_bound(dR_db, bound)
    _validation.number("margin", margin, open_low=True)
    pushed = dR_db > 0
    if not pushed.any():
        raise ValueError("dR_db has no positive entry; no lambda satisfies Thm 1's condition")
    with np.errstate(over="ignore"):
        lam = float(margin * (bound[pushed] / dR_db[pushed]).max())
    if not math.isfinite(lam):
        raise ValueError("bound is too large beside dR_db; no finite lambda satisfies Thm 1's condition")
    return lam or margin


@_validation.tiny_is_zero
def predicted_mean_preactivation(mean_a: np.ndarray, eta: float, dJ_db: np.ndarray) -> np.ndarray:
    """Eq. (5): E[a_j] after one full-batch step without momentum on centred data, (m,); dJ_db includes the penalty.

    Raises ValueError if it overflows.
    """
    _validation.vector("dJ_db", dJ_db, len(_validation.vector("mean_a", mean_a)))
    _validation.number("eta", eta)
    with np.errstate(over="ignore"):
        moved = mean_a - float(eta) * dJ_db
    _validation.no_overflow("dJ_db", moved)
    return moved
