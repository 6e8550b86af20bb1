"""Training objectives J with their gradients.

All objectives are called in the same way:

    (params, activation, x, sigma2=0.0, rng=None) -> (J, Gradient)

x is a batch of shape (N, n), and J is a mean over samples. sigma2 is the regularisation coefficient of the paper: the
factor lambda of the penalty for penalised models, and the variance of the Gaussian corruption for DAE and eDAE. With
sigma2 = 0 every model is the plain auto-encoder. `rng` is required only where noise is drawn and sigma2 > 0.
"""

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from numpy_rae import _contracts, _validation
from numpy_rae._known_lengths import known, takes_len2
from numpy_rae._validation import Array, generator
from numpy_rae.activations import Activation, FullJet
from numpy_rae.autoencoder import (
    Gradient,
    Params,
    PenaltyGrad,
    backward,
    batch_sum,
    decode,
    forward,
    reconstruction,
    times_rows,
)
from numpy_rae.penalties import CAE, L1, MDAE, SAE, Penalty, sae, sae_with_target
from numpy_rae.taylor_penalties import CAE_H, TAYLOR

NO_PENALTY = PenaltyGrad()
UNCHECKED = _contracts.FirstUse()


class ObjectiveFunction(Protocol):
    """Type of an objective: a function of the parameters and a batch that returns the loss J and its gradient."""

    def __call__(
        self, params: Params, activation: Activation, x: Array, sigma2: float, rng: np.random.Generator | None, /
    ) -> tuple[float, Gradient]:
        """Return J and its gradient."""


@takes_len2
@dataclass(frozen=True)
class Objective:
    """Objective together with its name in records and figures.

    Calling it with `(params, activation, x, sigma2=0.0, rng=None)` checks x and sigma2, and returns the loss and its
    gradient.

    Attributes
    ----------
    name : str
        Name in records and figures.
    objective : callable
        Function `objective(params, activation, x, sigma2, rng)` that returns the loss and a `Gradient`.
    version : int, str or None
        If it is given, only the name and the version decide which records belong to this model (see `identity`).

    Raises
    ------
    ValueError
        If `version` is neither an int, a str nor None.
    """

    name: str
    objective: ObjectiveFunction
    version: int | str | None = None

    def __post_init__(self) -> None:
        _validation.version("version", self.version)

    @_validation.tiny_is_zero
    def __call__(
        self,
        params: Params,
        activation: Activation,
        x: Array,
        sigma2: float = 0.0,
        rng: np.random.Generator | None = None,
        len2: Array | None = None,
    ) -> tuple[float, Gradient]:
        """Return the loss and its gradient. `len2` holds the squared row lengths of W, if they are known."""
        _validation.batch("x", x, params.W.shape[1], params.W.dtype)
        # A NumPy scalar would promote float32 arrays to float64.
        lam = float(_validation.number("sigma2", sigma2))
        return self.objective(params, activation, x, lam, rng, **known(self.objective, len2))


@_validation.tiny_is_zero
def corruption(x: Array, sigma2: float, rng: np.random.Generator | None, model: str = "a model") -> Array:
    """Draw Gaussian noise of variance sigma2.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Batch that fixes the shape and the dtype of the noise.
    sigma2 : float
        Variance, at least 0.
    rng : numpy.random.Generator
        Source of the noise.
    model : str
        Name of the model in the error message.

    Returns
    -------
    ndarray, shape (N, n)
        The noise.

    Raises
    ------
    ValueError
        If `sigma2` is negative or `rng` is not a generator.
    """
    _validation.number("sigma2", sigma2)
    eps: Array = generator(model, rng).standard_normal(x.shape, dtype=x.dtype)
    eps *= sigma2**0.5
    return eps


@_validation.tiny_is_zero
def ae(
    params: Params, activation: Activation, x: Array, sigma2: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[float, Gradient]:
    """Compute the auto-encoder loss (Eq. 1) and its gradient.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    x : ndarray, shape (N, n)
        Clean batch, of the dtype of W. It is also the reconstruction target.
    sigma2 : float
        Not used. It must be at least 0.
    rng : numpy.random.Generator, optional
        Not used.

    Returns
    -------
    loss : float
        (1/N) sum_i ||x_i - y(x_i)||^2.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If x does not fit W, or if `sigma2` is negative.
    """
    _validation.number("sigma2", sigma2)
    return denoising(params, activation, x, x)


@_validation.tiny_is_zero
def dae(
    params: Params, activation: Activation, x: Array, sigma2: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[float, Gradient]:
    """Compute the denoising auto-encoder loss (Eq. 6) and its gradient, with one corrupted copy per sample.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    x : ndarray, shape (N, n)
        Clean batch, of the dtype of W. It is also the reconstruction target.
    sigma2 : float
        Variance of the Gaussian corruption. With 0, no noise is drawn.
    rng : numpy.random.Generator, optional
        Source of the noise. Required if `sigma2` is positive.

    Returns
    -------
    loss : float
        (1/N) sum_i ||x_i - y(x_i + eps_i)||^2.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If x does not fit W, or if `sigma2` is positive and `rng` is None.

    Notes
    -----
        (a) x_tilde = x + eps,  eps of variance sigma2         (N, n)
        (b) J       = (1/N) sum ||x - y(x_tilde)||^2
    """
    x_tilde = x + corruption(x, sigma2, rng, "DAE") if sigma2 else x  # (a) (N, n)
    return denoising(params, activation, x, x_tilde)  # (b)


@_validation.tiny_is_zero
def denoising(params: Params, activation: Activation, x: Array, x_tilde: Array) -> tuple[float, Gradient]:
    """Compute the loss of reconstructing x from x_tilde, and its gradient.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    x : ndarray, shape (N, n)
        Reconstruction target.
    x_tilde : ndarray, shape (N, n)
        Input of the encoder, of the dtype of W.

    Returns
    -------
    loss : float
        (1/N) sum_i ||x_i - y(x_tilde_i)||^2.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If x_tilde does not fit W.

    Notes
    -----
    The noise does not depend on the parameters. So the gradient is that of the auto-encoder with x_in = x_tilde:

        (a) y        = W^T s_e(W x_tilde + b_e)                (N, n)
        (b) J, g_y   = loss against the clean x, -2 (x - y) / N
        (c) g_W      = g_a^T x_tilde + h^T g_y,  g_b_e as in the shared backward pass
    """
    fwd = forward(params, activation, x_tilde)  # (a) (N, n)
    J, g_y = reconstruction(fwd.y, x)  # (b) (N, n)
    return J, backward(params, fwd, g_y, NO_PENALTY)  # (c)


@takes_len2
@dataclass(frozen=True)
class Penalised:
    """Objective of Eq. (4), J = J_AE + sigma2 R, for a penalty R.

    Calling it with `(params, activation, x, sigma2=0.0, rng=None)` returns the loss and its gradient. The first call
    with an activation also checks what the penalty returns.

    Attributes
    ----------
    penalty : Penalty
        The regulariser R.

    Raises
    ------
    ValueError
        If `penalty` has no `order` or no `value_and_grad`.
    """

    penalty: Penalty

    def __post_init__(self) -> None:
        _contracts.check_penalty(self.penalty)

    @_validation.tiny_is_zero
    def __call__(
        self,
        params: Params,
        activation: Activation,
        x: Array,
        sigma2: float = 0.0,
        rng: np.random.Generator | None = None,
        len2: Array | None = None,
    ) -> tuple[float, Gradient]:
        """Return the loss and its gradient. `len2` holds the squared row lengths of W, if they are known."""
        lam = _validation.number("sigma2", sigma2)
        if lam == 0 and rng is None:
            rng = np.random.default_rng(0)  # for a penalty that draws noise; its result is multiplied by 0
        fwd = forward(params, activation, x, self.penalty.order)
        J, g_y = reconstruction(fwd.y, x)
        if UNCHECKED(self, activation):
            R, grad = _contracts.first_penalty_call(self.penalty, params, activation, fwd, rng)
            UNCHECKED.mark(self, activation)
        else:
            R, grad = self.penalty.value_and_grad(params, activation, fwd, rng, **known(self.penalty, len2))
        return J + lam * R, backward(params, fwd, g_y, grad, lam)


def sae_continued(eps: float) -> Objective:
    """Return SAE with the penalty `penalties.sae(eps)`, as a model with eps in its name.

    Parameters
    ----------
    eps : float
        Number in [LEAST_EPS, 1]; see `penalties.sae`.

    Returns
    -------
    Objective
        The model, with a name such as "SAE(eps=0.1)".

    Raises
    ------
    ValueError
        If `eps` is out of range.
    """
    _validation.number("eps", eps)
    return Objective(f"SAE(eps={eps:g})", Penalised(sae(eps)))


@_validation.tiny_is_zero
def edae(
    params: Params, activation: Activation, x: Array, sigma2: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[float, Gradient]:
    """Compute the loss of eDAE (Sec. 3.1.1) and its gradient, with one noise vector per sample.

    The loss is J_AE plus the first-order Taylor term of the denoising loss. See `first_order` for the formula.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    x : ndarray, shape (N, n)
        Clean batch, of the dtype of W. It is also the reconstruction target.
    sigma2 : float
        Variance of the Gaussian corruption. With 0, no noise is drawn.
    rng : numpy.random.Generator, optional
        Source of the noise. Required if `sigma2` is positive.

    Returns
    -------
    loss : float
        The objective J.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If x does not fit W, or if `sigma2` is positive and `rng` is None.
    """
    if sigma2 == 0:
        return ae(params, activation, x)
    return first_order(params, activation, x, corruption(x, sigma2, rng, "eDAE"))


@_validation.tiny_is_zero
def first_order(params: Params, activation: Activation, x: Array, eps: Array) -> tuple[float, Gradient]:
    """Compute J_AE plus the first-order Taylor term of the denoising loss for a given noise, and the gradient.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    x : ndarray, shape (N, n)
        Clean batch, of the dtype of W. It is also the reconstruction target.
    eps : ndarray, shape (N, n)
        Noise, of the dtype of x.

    Returns
    -------
    loss : float
        J_AE + T.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If x does not fit W, or eps does not fit x.

    Notes
    -----
    T = (1/N) sum eps . (gradient of ||x - y||^2 with respect to the encoder's input, at x). Let r = x - y, and let q be
    the directional derivative of y along eps. Then T = -(2/N) sum r . q. So the computation is that of an auto-encoder
    with a batch of 2 N samples: inputs [x; eps], codes [h; k] and outputs [y; q].

        (a) a     = W x + b_e,  v = W eps                                      (N, m)
        (b) k     = h' v,  the derivative of h along eps                       (N, m)
        (c) y     = W^T h,  q = W^T k                                          (N, n)
        (d) J + T = (1/N) sum r . (r - 2 q),  r = x - y
        (e) g_y   = -2 (r - q) / N,  g_q = -2 r / N                            (N, n)
        (f) g_h   = g_y W^T,  g_k = g_q W^T                                    (N, m)
        (g) g_a   = g_h h' + g_k h'' v,  g_v = g_k h'                          (N, m)
        (h) g_W   = g_a^T x + g_v^T eps + h^T g_y + k^T g_q, two thin factors
        (i) g_b_e = sum over samples of g_a                                    (m,)
    """
    _validation.batch("x", x, params.W.shape[1], params.W.dtype)
    _validation.like("eps", eps, x.shape, x.dtype)
    N, inputs = len(x), np.concatenate([x, eps])
    a, v = np.split(times_rows(params.W, inputs), 2)  # (a) (N, m)
    h, dh_da, d2h_da2, _ = cast(FullJet, activation(a + params.b_e, 2))  # (a) (b)
    codes = np.concatenate([h, dh_da * v])  # (b) (2 N, m)
    y, q = np.split(decode(params.W, codes), 2)  # (c)
    r = x - y  # (d)
    J = float(np.vdot(r, r - 2 * q)) / N  # (d)
    g_outputs = np.concatenate([r - q, r]) * (-2 / N)  # (e) (2 N, n)
    g_h, g_k = np.split(times_rows(params.W, g_outputs), 2)  # (f)
    g_a = g_h * dh_da  # (g)
    if not activation.piecewise_linear:
        g_a += g_k * d2h_da2 * v  # (g)
    g_inputs = np.concatenate([g_a, g_k * dh_da])  # (g) (2 N, m)
    return J, Gradient(
        ((g_inputs, inputs), (codes, g_outputs)),  # (h)
        batch_sum(g_a),  # (i) (m,)
    )


@dataclass(frozen=True)
class without_bias:
    """Objective with the gradient of b_e set to 0, so that b_e stays fixed.

    Sec. 2.1.1: on centred data the mean pre-activation then stays 0. The arguments of a call are those of `objective`.

    Attributes
    ----------
    objective : callable
        Any objective.
    """

    objective: ObjectiveFunction

    @_validation.tiny_is_zero
    def __call__(
        self,
        params: Params,
        activation: Activation,
        x: Array,
        sigma2: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradient]:
        """Return the loss and its gradient."""
        J, grad = self.objective(params, activation, x, sigma2, rng)
        return J, grad._replace(g_b_e=np.zeros_like(grad.g_b_e))


AE = Objective("AE", ae)
PAPER_OBJECTIVES = {
    model.name: model
    for model in (
        AE,
        Objective("DAE", dae),
        Objective("CAE", Penalised(CAE)),
        Objective("mDAE", Penalised(MDAE)),
        Objective("SAE", Penalised(SAE)),
        Objective("eDAE", edae),
        Objective("taylor_dae", Penalised(TAYLOR)),
        Objective("CAE+H", Penalised(CAE_H)),
        Objective("KL", Penalised(sae_with_target(0.05))),
        Objective("L1", Penalised(L1)),
    )
}
