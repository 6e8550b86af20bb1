"""Training objectives J with their gradients, all of one shape:

    (params, activation, x, sigma2, rng) -> (J, Gradient)

x is (N, n); sigma2 is the paper's regularisation coefficient: lambda for the penalised models, the variance of the
Gaussian corruption for DAE and eDAE. J is a mean over samples. At sigma2 = 0 every model is the plain auto-encoder.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numpy_rae import _contracts, _validation
from numpy_rae._known_lengths import known, takes_len2
from numpy_rae.activations import Activation
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


@takes_len2
@dataclass(frozen=True)
class Objective:
    """An objective with the name it goes by in records and figures.

    With a `version`, name and version alone say which records are this model's (see `identity`).
    """

    name: str
    objective: Callable[..., tuple[float, Gradient]]
    version: int | str | None = None

    def __post_init__(self):
        _validation.version("version", self.version)

    @_validation.tiny_is_zero
    def __call__(self, params, activation, x, sigma2, rng, len2=None) -> tuple[float, Gradient]:
        _validation.batch("x", x, params.W.shape[1], params.W.dtype)
        # A number of NumPy's would make float32 arithmetic float64.
        lam = float(_validation.number("sigma2", sigma2))
        return self.objective(params, activation, x, lam, rng, **known(self.objective, len2))


@_validation.tiny_is_zero
def corruption(x: np.ndarray, sigma2: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of variance sigma2, x's shape and dtype."""
    _validation.number("sigma2", sigma2)
    eps = rng.standard_normal(x.shape, dtype=x.dtype)
    eps *= sigma2**0.5
    return eps


@_validation.tiny_is_zero
def ae(params, activation, x, sigma2=0.0, rng=None) -> tuple[float, Gradient]:
    """Eq. (1): J = (1/N) sum ||x - y||^2, whatever sigma2 >= 0."""
    _validation.number("sigma2", sigma2)
    return denoising(params, activation, x, x)


@_validation.tiny_is_zero
def dae(params, activation, x, sigma2, rng) -> tuple[float, Gradient]:
    """Eq. (6): J = (1/N) sum ||x - y(x_tilde)||^2 with one corrupted copy x_tilde = x + eps a sample."""
    x_tilde = x + corruption(x, sigma2, rng) if sigma2 else x
    return denoising(params, activation, x, x_tilde)


@_validation.tiny_is_zero
def denoising(params: Params, activation: Activation, x: np.ndarray, x_tilde: np.ndarray) -> tuple[float, Gradient]:
    """Reconstruct x from the given x_tilde, both (N, n)."""
    fwd = forward(params, activation, x_tilde)
    J, g_y = reconstruction(fwd.y, x)
    return J, backward(params, fwd, g_y, NO_PENALTY)


@takes_len2
@dataclass(frozen=True)
class Penalised:
    """Eq. (4): J = J_AE + sigma2 R. What the penalty returns is checked once, at the first call."""

    penalty: Penalty

    def __post_init__(self):
        _contracts.check_penalty(self.penalty)

    @_validation.tiny_is_zero
    def __call__(self, params, activation, x, sigma2, rng=None, len2=None) -> tuple[float, Gradient]:
        lam = _validation.number("sigma2", sigma2)
        fwd = forward(params, activation, x, self.penalty.order)
        J, g_y = reconstruction(fwd.y, x)
        if UNCHECKED(self, activation):
            R, grad = _contracts.first_penalty_call(self.penalty, params, activation, fwd, rng)
            UNCHECKED.mark(self, activation)
        else:
            R, grad = self.penalty.value_and_grad(params, activation, fwd, rng, **known(self.penalty, len2))
        return J + lam * R, backward(params, fwd, g_y, grad, lam)


def sae_continued(eps: float) -> Objective:
    """Return SAE with `penalties.sae(eps)` as a model whose name holds eps, as in "SAE(eps=0.1)"."""
    _validation.number("eps", eps)
    return Objective(f"SAE(eps={eps:g})", Penalised(sae(eps)))


@_validation.tiny_is_zero
def edae(params, activation, x, sigma2, rng) -> tuple[float, Gradient]:
    """Sec. 3.1.1: J_AE plus the first-order Taylor term of the denoising loss, with noise drawn explicitly."""
    if sigma2 == 0:
        return ae(params, activation, x, sigma2)
    return first_order(params, activation, x, corruption(x, sigma2, rng))


@_validation.tiny_is_zero
def first_order(params: Params, activation: Activation, x: np.ndarray, eps: np.ndarray) -> tuple[float, Gradient]:
    """J_AE + T with the noise eps (N, n) given, T = (1/N) sum eps . grad_x_tilde ||x - y||^2 at x_tilde = x.

    q, the change of y along eps, is a second output: T = -(2/N) sum r . q. So this is one step of an auto-encoder with
    a double batch: inputs [x; eps], codes [h; k] and outputs [y; q].

        (a) a     = W x + b_e,  v = W eps                                      (N, m)
        (b) k     = h' v,  the change of h along eps                           (N, m)
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
    a, v = np.split(times_rows(params.W, inputs), 2)
    _, dh_da, d2h_da2, _ = jet = activation(a + params.b_e, 2)  # (a)
    codes = np.concatenate([jet.h, dh_da * v])  # (b) (2 N, m)
    y, q = np.split(decode(params.W, codes), 2)  # (c)
    r = x - y
    J = float(np.vdot(r, r - 2 * q)) / N  # (d)
    g_outputs = np.concatenate([r - q, r]) * (-2 / N)  # (e) (2 N, n)
    g_h, g_k = np.split(times_rows(params.W, g_outputs), 2)  # (f)
    g_a = g_h * dh_da
    if not activation.piecewise_linear:
        g_a += g_k * d2h_da2 * v  # (g)
    g_inputs = np.concatenate([g_a, g_k * dh_da])  # (g) (2 N, m)
    return J, Gradient(((g_inputs, inputs), (codes, g_outputs)), batch_sum(g_a))  # (h) (i)


@dataclass(frozen=True)
class without_bias:
    """`objective` with b_e held still (Sec. 2.1.1: the mean pre-activation then stays 0 on centred data)."""

    objective: Callable[..., tuple[float, Gradient]]

    @_validation.tiny_is_zero
    def __call__(self, params, activation, x, sigma2, rng=None) -> tuple[float, Gradient]:
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
