"""The mean of ReLU over Gaussian noise on the input. It is smooth at 0, and it gives a bias gradient.

Let x_tilde = x + eps with eps of variance sigma2. Then the pre-activation of a unit is a + s z, where z is standard
normal and s = sigma ||W_j||:

    M(a, s) = E[max(a + s z, 0)]   = a Phi(a/s) + s phi(a/s)              dM/da = Phi(a/s),    dM/ds = phi(a/s)
    Q(a, s) = E[max(a + s z, 0)^2] = (a^2 + s^2) Phi(a/s) + a s phi(a/s)  dQ/da = 2 M,         dQ/ds = 2 s Phi(a/s)

Because d2M/da2 = phi(a/s) / s > 0, Cor. 2 gives a positive bias gradient. For ReLU itself this gradient is 0 on every
sample (Sec. 3.1.1). s depends on the row length, so every gradient has an additional part through len2, with
ds/d(len2) = s / (2 len2).
"""

from typing import NamedTuple

import numpy as np
import scipy  # loads scipy.special at its first use, so that a job starts sooner

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import RELU, Activation, Jet
from numpy_rae.autoencoder import Forward, Gradient, Params, PenaltyGrad, backward, decode, forward, reconstruction
from numpy_rae.row_norms import row_len2


class Smoothed(NamedTuple):
    """Hold the quantities from which the moments of the smoothed ReLU are computed.

    Attributes
    ----------
    M : ndarray, shape (N, m)
        The mean of max(a + s z, 0).
    Phi, phi : ndarray, shape (N, m)
        Normal distribution function and density at a/s.
    s : ndarray, shape (m,)
        Widths.
    """

    M: Array
    Phi: Array
    phi: Array
    s: Array


@_validation.tiny_is_zero
def smoothed_relu(a: Array, s: Array) -> Smoothed:
    """Compute the quantities from which the moments of the smoothed ReLU are computed.

    Parameters
    ----------
    a : ndarray, shape (N, m)
        Pre-activations.
    s : ndarray, shape (m,)
        Widths, positive.

    Returns
    -------
    Smoothed
        The values M, Phi(a/s), phi(a/s) and s.
    """
    z = a / s
    Phi, phi = scipy.special.ndtr(z), np.exp(-z * z / 2) * a.dtype.type((2 * np.pi) ** -0.5)
    return Smoothed(a * Phi + s * phi, Phi, phi, s)


@_validation.tiny_is_zero
def widths(params: Params, sigma2: float) -> Array:
    """Compute the widths s_j = sigma ||W_j||.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    sigma2 : float
        Variance of the noise on the input.

    Returns
    -------
    ndarray, shape (m,)
        The widths. A zero row gets a very small positive width.
    """
    s = np.sqrt(row_len2(params.W)) * sigma2**0.5
    at_least: Array = np.maximum(s, np.finfo(s.dtype).tiny ** 0.5)
    return at_least


@_validation.tiny_is_zero
def require_relu(activation: Activation) -> None:
    """Check that the activation is ReLU.

    Parameters
    ----------
    activation : Activation
        The activation.

    Raises
    ------
    ValueError
        If it is another activation.
    """
    if activation.name != RELU.name:
        raise ValueError(f"activation is {activation.name}; this objective smooths relu, so it needs relu")


@_validation.tiny_is_zero
def smoothed_mdae(
    params: Params, activation: Activation, x: Array, sigma2: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[float, Gradient]:
    """Compute J_AE + sigma2 R with mDAE's penalty, Eq. (11), where the smoothed slope replaces the slope of ReLU.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        ReLU. This objective is defined for no other.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    sigma2 : float
        Coefficient of R and variance of the noise on the input.
    rng : numpy.random.Generator, optional
        Not used, since no noise is drawn.

    Returns
    -------
    loss : float
        The value of the objective.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If the activation is not ReLU, or sigma2 is negative.

    Notes
    -----
        (a) R          = mean over samples of sum_j Phi_j^2 len2_j^2,  Phi = Phi(a/s)
        (b) dR/da      = 2 Phi phi len2^2 / (s N)                                        (N, m)
        (c) dR/ds      = -(2/N) sum over samples of Phi phi (a / s^2) len2^2             (m,)
        (d) dR/d(len2) = 2 E[Phi^2] len2 + (dR/ds) s / (2 len2)                          (m,)
    """
    require_relu(activation)
    _validation.number("sigma2", sigma2)
    fwd = forward(params, activation, x)
    J, g_y = reconstruction(fwd.y, x)
    if sigma2 == 0:
        return J, backward(params, fwd, g_y, PenaltyGrad())
    N, len2 = len(x), row_len2(params.W)
    _, Phi, phi, s = smoothed_relu(fwd.a, widths(params, sigma2))
    share = np.square(Phi).mean(axis=0)
    R = float(share @ len2**2)  # (a)
    dR_da = Phi * phi * (2 * len2**2 / (s * N))  # (b) (N, m)
    dR_ds = -(dR_da * fwd.a).sum(axis=0) / s  # (c) (m,)
    dR_dlen2 = 2 * share * len2 + dR_ds * through_length(s, len2)  # (d) (m,)
    return J + sigma2 * R, backward(params, fwd, g_y, PenaltyGrad(dR_da, dR_dlen2), sigma2)


@_validation.tiny_is_zero
def through_length(s: Array, len2: Array) -> Array:
    """Compute ds/d(len2) = s / (2 len2).

    Parameters
    ----------
    s : ndarray, shape (m,)
        Widths.
    len2 : ndarray, shape (m,)
        Squared row lengths.

    Returns
    -------
    ndarray, shape (m,)
        The derivative, 0 at a zero row.
    """
    slope: Array = np.divide(s, 2 * len2, out=np.zeros_like(s), where=len2 > 0)
    return slope


@_validation.tiny_is_zero
def expected_dae(
    params: Params, activation: Activation, x: Array, sigma2: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[float, Gradient]:
    """Compute the expectation of DAE over the noise, as if the units were independent given x. No noise is drawn.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        ReLU. This objective is defined for no other.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    sigma2 : float
        Variance of the noise on the input.
    rng : numpy.random.Generator, optional
        Not used, since no noise is drawn.

    Returns
    -------
    loss : float
        The value of the objective.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If the activation is not ReLU, or sigma2 is negative.

    Notes
    -----
    E||x - W^T h(x_tilde)||^2 = ||x - W^T M||^2 + sum_j len2_j Var[h_j] + covariances between units, which are left out.

        (a) y       = W^T M                                                              (N, n)
        (b) V       = Q - M^2                                                            (N, m)
        (c) J       = (1/N) sum ||x - y||^2 + (1/N) sum len2 V
        (d) dJ/dM   through y is g_y W^T, as in `autoencoder.backward` with Phi for h'   (N, m)
        (e) dV/da   = 2 M (1 - Phi),   dV/ds = 2 (s Phi - M phi)                         (N, m)
        (f) dJ/ds   = sum over samples of (dJ/dM) phi + len2 (dV/ds) / N                 (m,)
        (g) dJ/d(len2) = E[V] + (dJ/ds) s / (2 len2)                                     (m,)
    """
    return expectation(params, activation, x, sigma2, covariances=False)


@_validation.tiny_is_zero
def expected_dae_with_covariances(
    params: Params, activation: Activation, x: Array, sigma2: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[float, Gradient]:
    """Compute `expected_dae` with the covariances between units, to first order in the correlation of their rows.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        ReLU. This objective is defined for no other.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    sigma2 : float
        Variance of the noise on the input.
    rng : numpy.random.Generator, optional
        Not used, since no noise is drawn.

    Returns
    -------
    loss : float
        The value of the objective.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If the activation is not ReLU, or sigma2 is negative.

    Notes
    -----
    Cov[h_j, h_k] = sigma2 G_jk Phi_j Phi_k adds C = (sigma2 / N) sum over samples of sum_{j != k} G_jk^2 Phi_j Phi_k:
    Thm 3's cross term on the smoothed slope.

        (h) P          = G * G, G = W W^T with zero diagonal                             (m, m)
        (i) C          = (sigma2 / N) sum Phi * (Phi P)
        (j) dC/dPhi    = (2 sigma2 / N) Phi P                                            (N, m)
        (k) dC/da      = (dC/dPhi) phi / s,   dC/ds = -sum over samples of (dC/da) a / s
        (l) dC/dW      = 4 sigma2 (G * S) W,  S = (1/N) Phi^T Phi                        (m, n)
    """
    return expectation(params, activation, x, sigma2, covariances=True)


@_validation.tiny_is_zero
def expectation(
    params: Params, activation: Activation, x: Array, sigma2: float, covariances: bool
) -> tuple[float, Gradient]:
    """Compute steps (a) to (g), and (h) to (l) with covariances.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        ReLU. This objective is defined for no other.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    sigma2 : float
        Variance of the noise on the input.
    covariances : bool
        Whether the covariances between units are included.

    Returns
    -------
    loss : float
        The value of the objective.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If the activation is not ReLU, or sigma2 is negative.
    """
    require_relu(activation)
    _validation.number("sigma2", sigma2)
    plain = forward(params, activation, x)
    if sigma2 == 0:
        J, g_y = reconstruction(plain.y, x)
        return J, backward(params, plain, g_y, PenaltyGrad())
    N, len2, a = len(x), row_len2(params.W), plain.a
    smooth = M, Phi, phi, s = smoothed_relu(a, widths(params, sigma2))
    fwd = Forward(x, a, Jet(M, Phi), decode(params.W, M))  # (a)
    V = (a * a + s * s) * Phi + a * s * phi - M * M  # (b) (N, m)
    J, g_y = reconstruction(fwd.y, x)
    mean_V = V.mean(axis=0)
    g_M = g_y @ params.W.T  # (d) (N, m)
    dV_da, dV_ds = 2 * M * (1 - Phi), 2 * (s * Phi - M * phi)  # (e) (N, m)
    dJ_da, dJ_ds = dV_da * (len2 / N), (g_M * phi + dV_ds * (len2 / N)).sum(axis=0)  # (f) (m,)
    C, dC_da, dC_dW = cross_covariance(params, smooth, sigma2) if covariances else (0.0, 0, None)
    if covariances:
        dJ_da, dJ_ds = dJ_da + dC_da, dJ_ds - (dC_da * a).sum(axis=0) / s  # (k)
    dJ_dlen2 = mean_V + dJ_ds * through_length(s, len2)  # (g) (m,)
    grad = PenaltyGrad(dJ_da, dJ_dlen2, dR_dW=dC_dW)
    return J + float(mean_V @ len2) + C, backward(params, fwd, g_y, grad)  # (c)


@_validation.tiny_is_zero
def cross_covariance(params: Params, smooth: Smoothed, sigma2: float) -> tuple[float, Array, Array]:
    """Compute steps (h) to (l).

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    smooth : Smoothed
        Result of `smoothed_relu`.
    sigma2 : float
        Variance of the noise on the input.

    Returns
    -------
    C : float
        The term.
    dC_da : ndarray, shape (N, m)
        Its derivative through a.
    dC_dW : ndarray, shape (m, n)
        Its derivative through the products of rows of W.
    """
    N, G = len(smooth.M), params.W @ params.W.T
    np.fill_diagonal(G, 0)
    through_P = smooth.Phi @ (G * G)  # (h) (N, m)
    C = sigma2 / N * float(np.vdot(smooth.Phi, through_P))  # (i)
    dC_da = (2 * sigma2 / N) * through_P * smooth.phi / smooth.s  # (j) (k) (N, m)
    S = smooth.Phi.T @ smooth.Phi / N
    return C, dC_da, 4 * sigma2 * (G * S) @ params.W  # (l)
