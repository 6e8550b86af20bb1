"""The paper's statements as quantities one can compute, named by statement."""

import math
from typing import NamedTuple

import numpy as np

from numpy_rae import contracts, validation
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, PenaltyGrad, backward, forward, reconstruction, row_len2
from numpy_rae.penalties import Penalty
from numpy_rae.preprocessing import centred, of_order_one

MOST_POINTS = 10**6


class Audit(NamedTuple):
    """How far data are from Assumption 1: largest |mean|, spectral and mean absolute distance of the covariance from I,
    share of features that are constant."""

    mean: float
    covariance_spectral: float
    covariance_mean: float
    constant: float


@validation.tiny_is_zero
def audit(x: np.ndarray) -> Audit:
    """Assumption 1 asked of data x (N, n): mean 0, covariance I. Raises ValueError if squares of x overflow."""
    validation.matrix("x", x, squares=True)
    excess = x.T @ x / len(x) - np.eye(x.shape[1], dtype=x.dtype)
    return Audit(
        float(np.abs(x.mean(axis=0)).max()),
        float(np.linalg.norm(excess, 2)),
        float(np.abs(excess).mean()),
        float((x.min(axis=0) == x.max(axis=0)).mean()),
    )


class ResidualMoments(NamedTuple):
    """Assumption 1 asked of the residual: mean, sigma_r, skewness and excess kurtosis over all entries (0 if Gaussian),
    and the largest |correlation| between two of its dimensions (0 if independent)."""

    mean: float
    sigma_r: float
    skewness: float
    kurtosis: float
    correlation: float


@validation.tiny_is_zero
def residual_moments(r: np.ndarray) -> ResidualMoments:
    """Moments of a residual r (N, n). A constant one has neither skewness nor kurtosis: NaN."""
    scaled, exponent = of_order_one(validation.matrix("r", r))
    whole, features = scaled - scaled.mean(), centred(of_order_one(r, axis=0)[0])
    spread, varies = features.std(axis=0), features.any(axis=0)
    white = features[:, varies] / spread[varies]
    correlation = white.T @ white / len(r)
    np.fill_diagonal(correlation, 0)
    skewness = kurtosis = math.nan
    if r.min() != r.max():
        z = whole / whole.std()
        skewness, kurtosis = float((z**3).mean()), float((z**4).mean() - 3)
    mean = float(np.ldexp(scaled.mean(), exponent))
    return ResidualMoments(mean, sigma_r(r), skewness, kurtosis, float(np.abs(correlation).max(initial=0)))


@validation.tiny_is_zero
def sigma_r(r: np.ndarray) -> float:
    """Root of the mean square of r (N, n), over samples and dimensions: the paper's sigma_r, no assumption made."""
    scaled, exponent = of_order_one(validation.matrix("r", r))
    return float(np.ldexp(np.sqrt(np.mean(np.square(scaled))), exponent))


@validation.tiny_is_zero
def lengths(W: np.ndarray) -> np.ndarray:
    """Row lengths ||W_j||, (m,), whatever the size of W's entries."""
    scaled, exponent = of_order_one(W, axis=1)
    return np.ldexp(np.sqrt(row_len2(scaled)), exponent)


@validation.tiny_is_zero
def lemma_1_bound(W: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Lemma 1: |dJ_AE/db_e_j| <= 2 sigma_r sqrt(n) ||W_j||, (m,).

    With sigma_r^2 the mean of r^2 it is Cauchy-Schwarz, and holds for every W, b_e and residual; inf if it overflows.
    """
    validation.matrix("W", W, columns=validation.matrix("r", r).shape[1])
    with np.errstate(over="ignore"):
        return lengths(W) * 2 * sigma_r(r) * r.shape[1] ** 0.5


@validation.tiny_is_zero
def lemma_1_bound_free(W: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Lemma 1 without any assumption, and tighter: |dJ_AE/db_e_j| <= 2 sqrt(E[(W_j r)^2]), (m,); inf on overflow."""
    validation.matrix("W", W, columns=validation.matrix("r", r).shape[1])
    (rows, of_W), (scaled, of_r) = of_order_one(W, axis=1), of_order_one(r)
    with np.errstate(over="ignore"):
        return np.ldexp(2 * np.sqrt(np.square(scaled @ rows.T).mean(axis=0)), of_W + of_r)


@validation.tiny_is_zero
def lemma_1_bound_gaussian(W: np.ndarray, sigma_r: float) -> np.ndarray:
    """Lemma 1, sharp under its Gaussian assumption: sigma_r sqrt(2 / pi) ||W_j||, (m,), reached at h' = 1{W_j r > 0}.

    dJ_AE/db_e_j = -2 E[h'_j u], u = W_j r of variance sigma_r^2 ||W_j||^2, and E[max(u, 0)] = std(u) / sqrt(2 pi).
    """
    validation.number("sigma_r", sigma_r)
    with np.errstate(over="ignore"):
        return lengths(validation.matrix("W", W)) * float(sigma_r) * (2 / np.pi) ** 0.5


@validation.tiny_is_zero
def reconstruction_bias_gradient(params: Params, activation: Activation, x: np.ndarray) -> np.ndarray:
    """dJ_AE/db_e, (m,), over all of x (N, n). Raises ValueError if it overflows."""
    check(params, activation, x)
    with np.errstate(over="ignore", invalid="ignore"):
        g_b_e = reconstruction_path(params, activation, x)
    validation.representable("x or params", g_b_e)
    return g_b_e


@validation.tiny_is_zero
def check(params: Params, activation: Activation, x: np.ndarray) -> None:
    """Raise ValueError unless params and x are finite and fit each other."""
    validation.encoder(params)
    validation.instance("activation", activation, Activation)
    validation.matrix("x", validation.batch("x", x, params.W.shape[1], params.W.dtype))


@validation.tiny_is_zero
def reconstruction_path(params: Params, activation: Activation, x: np.ndarray) -> np.ndarray:
    """`reconstruction_bias_gradient` without its checks."""
    fwd = forward(params, activation, x)
    _, g_y = reconstruction(fwd.y, x)
    return backward(params, fwd, g_y, PenaltyGrad()).g_b_e


@validation.tiny_is_zero
def penalty_bias_gradient(
    penalty: Penalty, params: Params, activation: Activation, x: np.ndarray, rng: np.random.Generator | None = None
) -> np.ndarray:
    """dR/db_e, (m,): Thm 1's left side without lambda, along every path from b_e to R.

    Raises ValueError if it overflows, or the penalty refuses the activation.
    """
    check(params, activation, x)
    contracts.check_penalty(penalty)
    with np.errstate(over="ignore", invalid="ignore"):
        g_b_e = penalty_path(penalty, params, activation, x, rng)
    validation.representable("x or params", g_b_e)
    return g_b_e


@validation.tiny_is_zero
def penalty_path(
    penalty: Penalty, params: Params, activation: Activation, x: np.ndarray, rng: np.random.Generator | None = None
) -> np.ndarray:
    """`penalty_bias_gradient` without its checks."""
    fwd = forward(params, activation, x, penalty.order)
    _, grad = contracts.first_penalty_call(penalty, params, activation, fwd, rng)
    return backward(params, fwd, np.zeros_like(fwd.y), grad).g_b_e


@validation.tiny_is_zero
def bias_gradient_at(penalty: Penalty, activation: Activation, a: np.ndarray) -> np.ndarray:
    """dR/db_e of one unit with ||W_j|| = 1 and a single sample, at each pre-activation of a (k,)."""
    validation.vector("a", a)
    params = Params(np.eye(1), np.zeros(1))
    samples = np.asarray(a, np.float64)[:, None, None]
    return np.array([penalty_bias_gradient(penalty, params, activation, x)[0] for x in samples])


@validation.tiny_is_zero
def theorem_1_holds(lam: float, dR_db: np.ndarray, bound: np.ndarray) -> np.ndarray:
    """Thm 1's condition lambda dR/db_e_j > bound_j, (m,) of bool; no finite gradient exceeds an infinite bound."""
    validation.number("lam", lam)
    check_bound(dR_db, bound)
    with np.errstate(over="ignore"):
        return float(lam) * dR_db > bound


@validation.tiny_is_zero
def check_bound(dR_db: np.ndarray, bound: np.ndarray) -> None:
    """Raise ValueError unless both are (m,), dR_db is finite, and the bound at least 0, as those of Lemma 1 are."""
    validation.like("bound", bound, validation.vector("dR_db", dR_db).shape, dR_db.dtype)
    if not (bound >= 0).all():
        raise ValueError(f"bound has the entry {bound.min():g}; every entry must be at least 0")


@validation.tiny_is_zero
def sufficient_lambda(dR_db: np.ndarray, bound: np.ndarray, margin: float = 1.01) -> float:
    """The smallest lambda, times `margin`, for which Thm 1's condition holds at every unit with dR/db_e_j > 0.

    Where every bound is 0, any positive lambda will do, and `margin` is returned. Raises ValueError if there is no such
    unit, or no finite lambda.
    """
    check_bound(dR_db, bound)
    validation.number("margin", margin, open_low=True)
    pushed = dR_db > 0
    if not pushed.any():
        raise ValueError("dR_db has no positive entry; no lambda satisfies Thm 1's condition")
    with np.errstate(over="ignore"):
        lam = float(margin * (bound[pushed] / dR_db[pushed]).max())
    if not math.isfinite(lam):
        raise ValueError("bound is too large beside dR_db; no finite lambda satisfies Thm 1's condition")
    return lam or margin


@validation.tiny_is_zero
def predicted_mean_preactivation(mean_a: np.ndarray, eta: float, dJ_db: np.ndarray) -> np.ndarray:
    """Eq. (5): E[a_j] after one full-batch step without momentum on centred data, (m,); dJ_db includes the penalty.

    Raises ValueError if it overflows.
    """
    validation.vector("dJ_db", dJ_db, len(validation.vector("mean_a", mean_a)))
    validation.number("eta", eta)
    with np.errstate(over="ignore"):
        moved = mean_a - float(eta) * dJ_db
    validation.representable("dJ_db", moved)
    return moved


@validation.tiny_is_zero
def activation_threshold(activation: Activation, delta_min: float | None = None) -> float:
    """tau = sup{a : s_e(a) <= delta_min}: a unit is off exactly when a_j <= tau. inf if s_e never exceeds delta_min.

    Raises ValueError if s_e exceeds delta_min everywhere, or decreases.
    """
    validation.instance("activation", activation, Activation)
    level = validation.number("delta_min", activation.delta_min if delta_min is None else delta_min, -math.inf)

    def excess(a: float) -> float:
        return float(activation(np.array([[a]]), 1).h[0, 0]) - level

    if not activation.non_decreasing:
        raise ValueError(f"activation {activation.name} decreases somewhere; Thm 2 needs a non-decreasing one")
    low, high = -1e4, 1e4
    if excess(low) > 0:
        raise ValueError(f"activation {activation.name} exceeds delta_min {level} everywhere; no unit can be off")
    if excess(high) <= 0:
        return np.inf
    # Bisection down to neighbouring floats: at ReLU's kink tau must be 0 exactly.
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if excess(middle) <= 0 else (low, middle)
    return low


@validation.tiny_is_zero
def theorem_2_bound(mean_a: np.ndarray, tau: float, c: float) -> np.ndarray:
    """Thm 2: p_j <= Pr(h_j <= delta_min) by the one-sided Chebyshev inequality, (m,).

    p_j = (tau - mu_j)^2 / (c^2 + (tau - mu_j)^2) for mu_j = E[a_j] < tau, else 0, where c bounds the standard deviation
    of a_j, one for all or (m,): ||W_j|| <= c under Assumption 1, 1 on unit rows. Increasing as mu_j falls only while c
    stays fixed.
    """
    validation.vector("mean_a", mean_a)
    if tau != math.inf:  # as `activation_threshold` has it where a unit is always off
        validation.number("tau", tau, -math.inf)
    smallest = float(validation.vector("c", c, len(mean_a)).min()) if isinstance(c, np.ndarray) else c
    validation.number("c", smallest)
    with np.errstate(over="ignore"):
        gap = np.maximum(float(tau) - mean_a, 0)
        ratio = np.divide(c, gap, out=np.full_like(gap, np.inf), where=gap > 0)
        return 1 / (1 + ratio**2)


@validation.tiny_is_zero
def expected_denoising(
    params: Params, activation: Activation, x: np.ndarray, sigma: float, nodes: int = 8
) -> float:
    """Eq. (6) in expectation over the noise, by Gauss-Hermite quadrature with `nodes` points in each input dimension.

    Exact for polynomials of degree 2 nodes - 1. Raises ValueError for more than MOST_POINTS = nodes^n points, and if
    the loss overflows.
    """
    check(params, activation, x)
    validation.number("sigma", sigma)
    validation.number("nodes", validation.whole("nodes", nodes), 1, 300)
    if x.shape[1] * math.log(nodes) > math.log(MOST_POINTS):
        raise ValueError(f"x has {x.shape[1]} columns; {nodes} nodes in each must be at most {MOST_POINTS:,} points")
    z, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight /= weight.sum()
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for corner in np.ndindex((nodes,) * x.shape[1]):
            noise = (sigma * z[list(corner)]).astype(x.dtype)
            y = forward(params, activation, x + noise).y
            total += weight[list(corner)].prod() * reconstruction(y, x)[0]
    validation.representable("x, sigma or params", total)
    return float(total)
