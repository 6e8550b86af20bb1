"""The noise of eDAE has mean zero, so its effect on training is an effect of its variance.

eDAE's first-order term T is linear in the noise. Hence K noise copies of every sample are one copy of variance
sigma2 / K (`EdaeCopies`), and the gradient of T is a mean-zero perturbation of the plain auto-encoder's gradient.

One step of gradient descent moves theta = (W, b_e) by -eta (g + xi), with g = dJ_AE/dtheta, xi = dT/dtheta and
E[xi] = 0. Let theta_t be the path without noise, d_t = E[theta] - theta_t the drift, and C_t the covariance. With
H = dg/dtheta and S = Cov[xi], up to terms of order sigma2^2 and without momentum:

    (a) C_{t+1} = (I - eta H) C_t (I - eta H)^T + eta^2 S
    (b) p_t     = (1/2) sum over k, l of C_kl d2g/(dtheta_k dtheta_l)
    (c) d_{t+1} = (I - eta H) d_t - eta p_t

`predicted_drift` solves (a) to (c) with H, S and the derivatives of g frozen at one state, and `simulated_drift` draws
the noise. Both need matrices of size (m n + m)^2 or many runs, so they are for small problems in float64.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params, forward
from numpy_rae.gradcheck import flatten, unflatten
from numpy_rae.objectives import Objective, ae, corruption, first_order
from numpy_rae.row_norms import unit_rows


@dataclass(frozen=True)
class EdaeCopies:
    """Compute eDAE (Sec. 3.1.1) with the mean over K noise copies of each sample, which is eDAE at the mean noise.

    Attributes
    ----------
    K : int
        Number of copies, at least 1.
    """

    K: int

    def __post_init__(self) -> None:
        _validation.integer("K", self.K)

    def __call__(
        self,
        params: Params,
        activation: Activation,
        x: Array,
        sigma2: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradient]:
        if sigma2 == 0:
            return ae(params, activation, x)
        copies = (corruption(x, sigma2, rng, f"eDAE-{self.K}-copies") for _ in range(self.K))
        total = sum(copies, np.zeros_like(x))
        return first_order(params, activation, x, total / self.K)


def edae_copies(K: int) -> Objective:
    """Return eDAE with K noise copies.

    Parameters
    ----------
    K : int
        Number of copies, at least 1.

    Returns
    -------
    Objective
        The objective. Its name contains K.
    """
    return Objective(f"eDAE-{K}-copies", EdaeCopies(K))


class Drift(NamedTuple):
    """Hold a path of the drift and the last covariance. W comes first in a vector, row by row, then b_e.

    Attributes
    ----------
    mean : ndarray, shape (steps + 1, m n + m)
        The drift d_t.
    covariance : ndarray, shape (m n + m, m n + m)
        C after the last step.
    """

    mean: Array
    covariance: Array


def noise_gradient(params: Params, activation: Activation, x: Array, eps: Array) -> Array:
    """Compute dT/dtheta of eDAE's first-order term for given noise.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    eps : ndarray, shape (N, n)
        The noise.

    Returns
    -------
    ndarray, shape (m n + m,)
        The gradient.
    """
    with_noise, without = (first_order(params, activation, x, noise)[1] for noise in (eps, np.zeros_like(eps)))
    return flatten(with_noise.dense(params)) - flatten(without.dense(params))


def noise_covariance(params: Params, activation: Activation, x: Array) -> Array:
    """Compute S = Cov[xi] for noise of variance 1, exactly, from one column of dT/deps at a time.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.

    Returns
    -------
    ndarray, shape (m n + m, m n + m)
        The covariance.
    """
    total = np.zeros(())
    for i in range(len(x)):
        # T is a mean over the samples, so each sample adds its own columns, divided by N.
        columns = np.stack([noise_gradient(params, activation, x[i : i + 1], e[None]) for e in np.eye(x.shape[1])])
        total = total + columns.T @ columns
    return total / len(x) ** 2


def plain_gradient(theta: Array, params: Params, activation: Activation, x: Array) -> Array:
    """Compute dJ_AE/dtheta at a flat vector.

    Parameters
    ----------
    theta : ndarray, shape (m n + m,)
        Where the gradient is computed.
    params : Params
        Parameters of the wanted shapes.
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Batch.

    Returns
    -------
    ndarray, shape (m n + m,)
        The gradient.
    """
    here = unflatten(theta, params)
    return flatten(ae(here, activation, x)[1].dense(here))


def predicted_drift(
    params: Params, activation: Activation, x: Array, sigma2: float, eta: float, steps: int, h: float = 1e-4
) -> Drift:
    """Solve (a) to (c) from C = 0 and d = 0 with H, S and the derivatives of g at `params`.

    Parameters
    ----------
    params : Params
        The frozen state: W, shape (m, n), and b_e, shape (m,), in float64.
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        The samples of every step, in float64.
    sigma2 : float
        Variance of the noise.
    eta : float
        Learning rate. Momentum is 0.
    steps : int
        Number of steps.
    h : float
        Step of the central differences for H. For ReLU it must be so large that many samples cross the kink.

    Returns
    -------
    Drift
        The drift d after 0, 1, ..., `steps` steps, and the last C.

    Notes
    -----
    (b) uses second differences with a step of one standard deviation along each principal axis of C.
    """
    theta, size = flatten(params), params.W.size + params.b_e.size
    g = plain_gradient(theta, params, activation, x)

    def _gradient(moved: Array) -> Array:
        return plain_gradient(theta + moved, params, activation, x)

    H = np.stack([(_gradient(h * e) - _gradient(-h * e)) / (2 * h) for e in np.eye(size)])
    A, S = np.eye(size) - eta * (H + H.T) / 2, sigma2 * noise_covariance(params, activation, x)
    C, drift = np.zeros((size, size)), [np.zeros(size)]
    for _ in range(steps):
        p = second_order(_gradient, g, C)  # (b)
        drift.append(A @ drift[-1] - eta * p)  # (c)
        C = A @ C @ A + eta**2 * S  # (a)
    return Drift(np.array(drift), C)


def second_order(gradient: Callable[[Array], Array], g: Array, C: Array) -> Array:
    """Compute (b): half the sum of the second differences of the gradient along the principal axes of C.

    Parameters
    ----------
    gradient : callable
        Maps a displacement, shape (m n + m,), to the gradient there.
    g : ndarray, shape (m n + m,)
        The gradient at displacement 0.
    C : ndarray, shape (m n + m, m n + m)
        Covariance.

    Returns
    -------
    ndarray, shape (m n + m,)
        The vector p.
    """
    values, axes = np.linalg.eigh(C)
    kept = values > values.max() * 1e-10
    moves = axes[:, kept].T * np.sqrt(values[kept])[:, None]
    return sum(((gradient(move) + gradient(-move)) / 2 - g for move in moves), np.zeros_like(g))


def decoder_push(params: Params, activation: Activation, x: Array, C: Array) -> Array:
    """Compute the part of (b) at the biases that each row's own noise adds through the decoder: 2 tr(C_j) E[h_j h'_j].

    C_j is the block of C that belongs to row j. For a non-negative, non-decreasing activation this is never negative,
    so by (c) it moves every bias down. The covariances between different rows also act through the decoder. They are
    left out here, and have no definite sign.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    C : ndarray, shape (m n + m, m n + m)
        Covariance.

    Returns
    -------
    ndarray, shape (m,)
        The part per unit.
    """
    (m, n), jet = params.W.shape, forward(params, activation, x).jet
    row_noise = np.diag(C)[: m * n].reshape(m, n).sum(axis=1)
    push: Array = 2 * row_noise * (jet.h * jet.dh_da).mean(axis=0)
    return push


def simulated_drift(
    params: Params,
    activation: Activation,
    x: Array,
    sigma2: float,
    eta: float,
    steps: int,
    rng: np.random.Generator,
    draws: int,
    unit: bool = False,
) -> Array:
    """Draw the noise, and compute the mean of two runs with opposite noise, minus the run without noise.

    Opposite signs cancel the odd orders of the noise, so the mean over the draws estimates d.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    sigma2 : float
        Variance of the noise.
    eta : float
        Learning rate. Momentum is 0.
    steps : int
        Number of steps.
    rng : numpy.random.Generator
        Source of the noise.
    draws : int
        Number of pairs of runs.
    unit : bool
        Whether rows have length 1 after every step, as in the paper. Then (a) to (c) do not apply.

    Returns
    -------
    ndarray, shape (draws, steps + 1, m n + m)
        One path of the drift for each draw.
    """

    def _run(noise: Iterable[Array | None]) -> Array:
        path = [flatten(params)]
        for eps in noise:
            here = unflatten(path[-1], params)
            grad = plain_gradient(path[-1], params, activation, x)
            if eps is not None:
                grad = grad + noise_gradient(here, activation, x, eps)
            path.append(path[-1] - eta * grad)
            if unit:
                unit_rows(unflatten(path[-1], params).W)
        return np.array(path)

    plain, found = _run([None] * steps), []
    for _ in range(draws):
        noise = sigma2**0.5 * rng.standard_normal((steps, *x.shape))
        found.append((_run(noise) + _run(-noise)) / 2 - plain)
    return np.array(found)
