"""The auto-encoder of Eq. (1): h = s_e(W x + b_e), y = W^T h, and its gradient by hand.

Every objective shares one backward pass (lam is 0 for the plain auto-encoder):

    (a) r     = x - y                             (N, n)
    (b) g_y   = -2 r / N + lam dR/dy              (N, n)
    (c) g_h   = g_y W^T                           (N, m)
    (d) g_a   = g_h * h' + lam dR/da              (N, m)
    (e) g_W   = g_a^T x_in + h^T g_y + 2 lam dR/d(len2) * W + lam dR/dW      (m, n)
    (f) g_b_e = sum over samples of g_a           (m,)

W enters (e) twice because the weights are tied: through the encoder and through the decoder.
"""

from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation, Jet


class Params(NamedTuple):
    """W (m, n), one row a hidden unit; b_e (m,)."""

    W: np.ndarray
    b_e: np.ndarray


class Forward(NamedTuple):
    """One forward pass: input x (N, n), pre-activations a (N, m), the jet at a, reconstruction y (N, n)."""

    x: np.ndarray
    a: np.ndarray
    jet: Jet
    y: np.ndarray


class PenaltyGrad(NamedTuple):
    """Partial derivatives of a regulariser R; None stands for zero.

    `dR_da` (N, m) and `dR_dlen2` (m,), len2_j = ||W_j||^2, describe every penalty that sees W only through a and the
    row lengths. Others add `dR_dy` (N, n), thin `factors` (left (N, m), right (N, n)) that stand for left^T right, or a
    dense `dR_dW` (m, n). `n_extrapolated` counts the units at which R was continued beyond its domain.
    """

    dR_da: np.ndarray | None = None
    dR_dlen2: np.ndarray | None = None
    dR_dy: np.ndarray | None = None
    factors: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    dR_dW: np.ndarray | None = None
    n_extrapolated: int = 0


class Gradient(NamedTuple):
    """dJ/dW = sum of left^T right over `factors` + row_scale * W + dense_part, kept in parts until it is used; dJ/db_e."""

    factors: tuple[tuple[np.ndarray, np.ndarray], ...]
    g_b_e: np.ndarray
    row_scale: np.ndarray | None = None
    dense_part: np.ndarray | None = None
    n_extrapolated: int = 0

    def dense(self, params: Params) -> Params:
        """(g_W (m, n), g_b_e (m,)) as full arrays."""
        g_W = sum(left.T @ right for left, right in self.factors)
        if self.row_scale is not None:
            g_W = g_W + self.row_scale[:, None] * params.W
        if self.dense_part is not None:
            g_W = g_W + self.dense_part
        return Params(g_W, self.g_b_e)


def init_params(m: int, n: int, rng: np.random.Generator, dtype: type = np.float32) -> Params:
    """Normalized initialisation (Glorot & Bengio 2010, Eq. 16): W uniform in +-sqrt(6 / (m + n)), b_e = 0.

    W is in C order, so that the weights of a unit lie side by side: the optimiser works on blocks of whole rows. Raises
    ValueError for a size below 1, or another dtype than float32 and float64.
    """
    _validation.integer("m", m)
    _validation.integer("n", n)
    _validation.instance("rng", rng, np.random.Generator)
    dtype = _validation.float_type("dtype", dtype)
    bound = np.sqrt(6 / (m + n))
    return Params(rng.uniform(-bound, bound, (m, n)).astype(dtype), np.zeros(m, dtype))


def times_rows(W: np.ndarray, z: np.ndarray) -> np.ndarray:
    """z W^T, the products of each row of z (N, n) with every row of W, (N, m).

    All arrays of shape (N, m) are in the memory order of this result: the samples of one unit lie side by side. For W
    in C order this is the fastest way to write the product; z @ W.T takes 1.4 times as long.
    """
    return (W @ z.T).T


def batch_sum(z: np.ndarray) -> np.ndarray:
    """The sum over samples of z (N, m), (m,); BLAS is faster at it than z.sum(axis=0)."""
    return np.ones(len(z), z.dtype) @ z


@_validation.tiny_is_zero
def forward(params: Params, activation: Activation, x: np.ndarray, order: int = 1) -> Forward:
    """Encode and decode x (N, n), with the activation's jet up to `order`.

    Raises ValueError if x's width or dtype does not fit W.
    """
    W, b_e = params
    _validation.batch("x", x, W.shape[1], W.dtype)
    a = times_rows(W, x) + b_e  # (N, m)  Eq. (3)
    jet = activation(a, order)
    return Forward(x, a, jet, decode(W, jet.h))


def decode(W: np.ndarray, h: np.ndarray) -> np.ndarray:
    """y = W^T h for each sample, (N, n); also the way back from any (N, m) to the input."""
    return h @ W


def reconstruction(y: np.ndarray, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean over samples of ||x - y||^2, no 1/2 (Eq. 1), and its gradient in y, (N, n)."""
    r = x - y  # (a) (N, n)
    g_y = r * (-2 / len(x))  # (b) (N, n)
    return float(np.vdot(r, r)) / len(x), g_y


def backward(params: Params, fwd: Forward, g_y: np.ndarray, penalty: PenaltyGrad, lam: float = 1.0) -> Gradient:
    """Steps (b) to (f): the chain rule, written once for every penalty."""
    if penalty.dR_dy is not None:
        g_y = g_y + lam * penalty.dR_dy  # (b) (N, n)
    g_h = times_rows(params.W, g_y)  # (c) (N, m)
    g_a = g_h * fwd.jet.dh_da  # (d) (N, m)
    if penalty.dR_da is not None:
        g_a += lam * penalty.dR_da  # (d)
    factors = ((g_a, fwd.x), (fwd.jet.h, g_y))  # (e) g_a^T x + h^T g_y
    return Gradient(
        factors + tuple((lam * left, right) for left, right in penalty.factors),  # (e)
        batch_sum(g_a),  # (f) (m,)
        None if penalty.dR_dlen2 is None else 2 * lam * penalty.dR_dlen2,  # (e) (m,)
        None if penalty.dR_dW is None else lam * penalty.dR_dW,  # (e) (m, n)
        penalty.n_extrapolated,
    )
