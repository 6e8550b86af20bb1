"""Training objectives J with their gradients, all of one shape:

    (params, activation, x, sigma2, rng) -> (J, Gradient)

x is (N, n); sigma2 is the paper's regularisation coefficient: lambda for the penalised models, the variance of the
Gaussian corruption for DAE and eDAE. J is a mean over samples. At sigma2 = 0 every model is the plain auto-encoder.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numpy_rae import validation
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Forward, Gradient, Params, PenaltyGrad, backward, decode, forward, reconstruction
from numpy_rae.penalties import CAE, L1, MDAE, SAE, Penalty, sae, sae_with_target
from numpy_rae.taylor import CAE_H, TAYLOR

NO_PENALTY = PenaltyGrad()


@dataclass(frozen=True)
class Model:
    """An objective with the name it goes by in records and figures."""

    name: str
    objective: Callable[..., tuple[float, Gradient]]

    def __call__(self, params, activation, x, sigma2, rng) -> tuple[float, Gradient]:
        validation.batch("x", x, params.W.shape[1], params.W.dtype)
        # A number of NumPy's would make float32 arithmetic float64.
        lam = float(validation.number("sigma2", sigma2))
        return self.objective(params, activation, x, lam, rng)


def corruption(x: np.ndarray, sigma2: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of variance sigma2, x's shape and dtype."""
    validation.number("sigma2", sigma2)
    eps = rng.standard_normal(x.shape, dtype=x.dtype)
    eps *= sigma2**0.5
    return eps


def ae(params, activation, x, sigma2=0.0, rng=None) -> tuple[float, Gradient]:
    """Eq. (1): J = (1/N) sum ||x - y||^2, whatever sigma2 >= 0."""
    validation.number("sigma2", sigma2)
    return denoising(params, activation, x, x)


def dae(params, activation, x, sigma2, rng) -> tuple[float, Gradient]:
    """Eq. (6): J = (1/N) sum ||x - y(x_tilde)||^2 with one corrupted copy x_tilde = x + eps a sample."""
    x_tilde = x + corruption(x, sigma2, rng) if sigma2 else x
    return denoising(params, activation, x, x_tilde)


def denoising(params: Params, activation: Activation, x: np.ndarray, x_tilde: np.ndarray) -> tuple[float, Gradient]:
    """Reconstruct x from the given x_tilde, both (N, n)."""
    fwd = forward(params, activation, x_tilde)
    J, g_y = reconstruction(fwd.y, x)
    return J, backward(params, fwd, g_y, NO_PENALTY)


@dataclass(frozen=True)
class Penalised:
    """Eq. (4): J = J_AE + sigma2 R."""

    penalty: Penalty

    def __call__(self, params, activation, x, sigma2, rng=None) -> tuple[float, Gradient]:
        lam = validation.number("sigma2", sigma2)
        fwd = forward(params, activation, x, self.penalty.order)
        J, g_y = reconstruction(fwd.y, x)
        R, grad = self.penalty.value_and_grad(params, activation, fwd, rng)
        return J + lam * R, backward(params, fwd, g_y, grad, lam)


def sae_continued(eps: float) -> Model:
    """Return SAE with `penalties.sae(eps)` as a model whose name holds eps, as in "SAE(eps=0.1)"."""
    validation.number("eps", eps)
    return Model(f"SAE(eps={eps:g})", Penalised(sae(eps)))


def edae(params, activation, x, sigma2, rng) -> tuple[float, Gradient]:
    """Sec. 3.1.1: J_AE plus the first-order Taylor term of the denoising loss, with noise drawn explicitly."""
    return first_order(params, activation, x, corruption(x, sigma2, rng))


def first_order(params: Params, activation: Activation, x: np.ndarray, eps: np.ndarray) -> tuple[float, Gradient]:
    """J_AE + T with the noise eps (N, n) given; T as in `first_order_term`."""
    fwd = forward(params, activation, x, order=2)
    J, g_y = reconstruction(fwd.y, x)
    T, grad = first_order_term(params, fwd, x - fwd.y, eps)
    return J + T, backward(params, fwd, g_y, grad)


def first_order_term(params: Params, fwd: Forward, r: np.ndarray, eps: np.ndarray) -> tuple[float, PenaltyGrad]:
    """T = (1/N) sum eps . grad_x_tilde ||x - y||^2 at x_tilde = x, and its gradient along all its paths.

        (a) u     = W r,  v = W eps                                            (N, m)
        (b) T     = -(2/N) sum h' u v
        (c) dT/da = -(2/N) h'' u v                                             (N, m)
        (d) dT/du = -(2/N) h' v,  dT/dv = -(2/N) h' u                          (N, m)
        (e) dT/dy = -(dT/du) W          since r = x - y                        (N, n)
        (f) dT/dW = (dT/du)^T r + (dT/dv)^T eps, kept as thin factors
    """
    scale = -2 / len(r)
    u, v = r @ params.W.T, eps @ params.W.T  # (a) (N, m)
    _, dh_da, d2h_da2, _ = fwd.jet
    g_u, g_v = scale * dh_da * v, scale * dh_da * u  # (d) (N, m)
    T = float(np.vdot(g_u, u))  # (b)
    dT_da = scale * d2h_da2 * u * v  # (c) (N, m)
    return T, PenaltyGrad(dT_da, dR_dy=-decode(params.W, g_u), factors=((g_u, r), (g_v, eps)))  # (e) (f)


@dataclass(frozen=True)
class without_bias:
    """`objective` with b_e held still (Sec. 2.1.1: the mean pre-activation then stays 0 on centred data)."""

    objective: Callable[..., tuple[float, Gradient]]

    def __call__(self, params, activation, x, sigma2, rng=None) -> tuple[float, Gradient]:
        J, grad = self.objective(params, activation, x, sigma2, rng)
        return J, grad._replace(g_b_e=np.zeros_like(grad.g_b_e))


AE = Model("AE", ae)
MODELS = {
    model.name: model
    for model in (
        AE,
        Model("DAE", dae),
        Model("CAE", Penalised(CAE)),
        Model("mDAE", Penalised(MDAE)),
        Model("SAE", Penalised(SAE)),
        Model("eDAE", edae),
        Model("taylor_dae", Penalised(TAYLOR)),
        Model("CAE+H", Penalised(CAE_H)),
        Model("KL", Penalised(sae_with_target(0.05))),
        Model("L1", Penalised(L1)),
    )
}
