"""The auto-encoder of Eq. (1), h = s_e(W x_in + b_e) and y = W^T h, with its gradient derived by hand.

Symbols, for a batch of N samples with n inputs and m hidden units:

    x       clean batch, the target of the reconstruction           (N, n)
    x_in    input of the encoder: x, or a corrupted copy of it      (N, n)
    a       pre-activations W x_in + b_e                            (N, m)
    h, h'   codes s_e(a), and the slope of s_e at a                 (N, m)
    y       reconstruction W^T h                                    (N, n)
    len2    squared row lengths, len2_j = ||W_j||^2                 (m,)
    R, lam  regulariser, and its factor: J = (1/N) sum ||x - y||^2 + lam R
    g_z     gradient of J with respect to z: g_y = dJ/dy, g_h = dJ/dh, g_a = dJ/da, g_W = dJ/dW, g_b_e = dJ/db_e

All objectives share one backward pass. For the plain auto-encoder lam is 0:

    (a) r     = x - y                             (N, n)
    (b) J_AE  = (1/N) sum ||r||^2
        g_y   = -2 r / N + lam dR/dy              (N, n)
    (c) g_h   = g_y W^T                           (N, m)
    (d) g_a   = g_h * h' + lam dR/da              (N, m)
    (e) g_W   = g_a^T x_in + h^T g_y + 2 lam dR/d(len2) * W + lam dR/dW      (m, n)
    (f) g_b_e = sum over samples of g_a           (m,)

(e) has two products because the weights are tied: the encoder and the decoder both use W.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation, Jet

# Pairs (left, right). Each pair represents the product left^T right.
Factors: TypeAlias = tuple[tuple[Array, Array], ...]


class Params(NamedTuple):
    """Parameters of an auto-encoder with tied weights, or arrays of their shapes.

    Attributes
    ----------
    W : ndarray, shape (m, n)
        Weights, one row per hidden unit.
    b_e : ndarray, shape (m,)
        Encoder biases.
    """

    W: Array
    b_e: Array


class Forward(NamedTuple):
    """Result of a forward pass.

    Attributes
    ----------
    x : ndarray, shape (N, n)
        Input of the encoder.
    a : ndarray, shape (N, m)
        Pre-activations.
    jet : Jet
        The activation and its derivatives at a.
    y : ndarray, shape (N, n)
        Reconstruction.
    """

    x: Array
    a: Array
    jet: Jet
    y: Array


class PenaltyGrad(NamedTuple):
    """Partial derivatives of a regulariser R. None means zero.

    A penalty that depends on W only through a and the squared row lengths len2 sets only `dR_da` and `dR_dlen2`. The
    other fields are for penalties that also depend on W in another way.

    Attributes
    ----------
    dR_da : ndarray, shape (N, m), or None
        Derivative with respect to the pre-activations.
    dR_dlen2 : ndarray, shape (m,), or None
        Derivative with respect to len2_j = ||W_j||^2.
    dR_dy : ndarray, shape (N, n), or None
        Derivative with respect to the reconstruction.
    factors : tuple of pairs of ndarray
        Pairs (left, right) of shapes (N, m) and (N, n). Each adds left^T right to dR/dW.
    dR_dW : ndarray, shape (m, n), or None
        Rest of dR/dW, as a full array.
    n_extrapolated : int
        Number of units at which R was extrapolated beyond its domain.
    """

    dR_da: Array | None = None
    dR_dlen2: Array | None = None
    dR_dy: Array | None = None
    factors: Factors = ()
    dR_dW: Array | None = None
    n_extrapolated: int = 0


class Gradient(NamedTuple):
    """Gradient of an objective J, with dJ/dW in parts.

    dJ/dW is the sum of left^T right over `factors`, plus row_scale * W, plus `dense_part`. The optimiser uses these
    parts directly and does not form the full dJ/dW.

    Attributes
    ----------
    factors : tuple of pairs of ndarray
        Pairs (left, right) of shapes (k, m) and (k, n), for any k.
    g_b_e : ndarray, shape (m,)
        Gradient dJ/db_e.
    row_scale : ndarray, shape (m,), or None
        Factor of each row of W. None means zero.
    dense_part : ndarray, shape (m, n), or None
        Part of dJ/dW that is kept as a full array. None means zero.
    n_extrapolated : int
        Number of units at which the penalty was extrapolated beyond its domain.
    """

    factors: Factors
    g_b_e: Array
    row_scale: Array | None = None
    dense_part: Array | None = None
    n_extrapolated: int = 0

    def dense(self, params: Params) -> Params:
        """Return dJ/dW and dJ/db_e as full arrays.

        Parameters
        ----------
        params : Params
            Parameters at which the gradient was computed.

        Returns
        -------
        Params
            g_W, shape (m, n), and g_b_e, shape (m,).
        """
        g_W = sum((left.T @ right for left, right in self.factors), start=np.zeros_like(params.W))
        if self.row_scale is not None:
            g_W = g_W + self.row_scale[:, None] * params.W
        if self.dense_part is not None:
            g_W = g_W + self.dense_part
        return Params(g_W, self.g_b_e)


def init_params(m: int, n: int, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
    """Draw parameters by the normalised initialisation (Glorot & Bengio 2010, Eq. 16).

    W is uniform in +-sqrt(6 / (m + n)), and b_e is 0. W is in C order, so the weights of a unit are adjacent in memory:
    the optimiser works on blocks of whole rows.

    Parameters
    ----------
    m : int
        Number of hidden units.
    n : int
        Number of inputs.
    rng : numpy.random.Generator
        Source of the random weights.
    dtype : type
        Either float32 or float64.

    Returns
    -------
    Params
        The parameters.

    Raises
    ------
    ValueError
        If a size is below 1, `rng` is not a generator, or `dtype` is neither float32 nor float64.
    """
    _validation.integer("m", m)
    _validation.integer("n", n)
    _validation.instance("rng", rng, np.random.Generator)
    float_type = _validation.float_type("dtype", dtype)
    bound = np.sqrt(6 / (m + n))
    return Params(rng.uniform(-bound, bound, (m, n)).astype(float_type), np.zeros(m, float_type))


def times_rows(W: Array, z: Array) -> Array:
    """Compute z W^T, the products of each row of z with every row of W.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Weights, one row per hidden unit.
    z : ndarray, shape (N, n)
        One vector per sample.

    Returns
    -------
    ndarray, shape (N, m)
        The products.

    Notes
    -----
    All arrays of shape (N, m) are in the memory order of this result: the samples of one unit are adjacent. For W in C
    order this is the fastest way to compute the product; z @ W.T takes 1.4 times as long.
    """
    product: Array = (W @ z.T).T
    return product


def batch_sum(z: Array) -> Array:
    """Compute the sum over samples.

    A BLAS product is faster than z.sum(axis=0).

    Parameters
    ----------
    z : ndarray, shape (N, m)
        One row per sample.

    Returns
    -------
    ndarray, shape (m,)
        The sums.
    """
    total: Array = np.ones(len(z), z.dtype) @ z
    return total


@_validation.tiny_is_zero
def forward(params: Params, activation: Activation, x: Array, order: int = 1) -> Forward:
    """Encode and decode a batch.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    order : {1, 2, 3}
        Highest derivative of the activation that is computed.

    Returns
    -------
    Forward
        Pre-activations, jet and reconstruction.

    Raises
    ------
    ValueError
        If x does not fit W in width or dtype.

    Notes
    -----
        (a) a = W x + b_e      (N, m), Eq. (3)
        (b) h = s_e(a)         (N, m), with the derivatives up to `order`
        (c) y = W^T h          (N, n)
    """
    W, b_e = params
    _validation.batch("x", x, W.shape[1], W.dtype)
    a = times_rows(W, x) + b_e  # (a) (N, m)  Eq. (3)
    jet = activation(a, order)  # (b) (N, m)
    return Forward(x, a, jet, decode(W, jet.h))  # (c) (N, n)


def decode(W: Array, h: Array) -> Array:
    """Compute the linear decoder y = W^T h for each sample.

    The same product also gives the gradient with respect to the input from g_a, shape (N, m).

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Weights, one row per hidden unit.
    h : ndarray, shape (N, m)
        Codes.

    Returns
    -------
    ndarray, shape (N, n)
        Reconstructions.
    """
    y: Array = h @ W
    return y


def reconstruction(y: Array, x: Array) -> tuple[float, Array]:
    """Compute the reconstruction loss and its gradient with respect to y.

    Parameters
    ----------
    y : ndarray, shape (N, n)
        Reconstructions.
    x : ndarray, shape (N, n)
        Targets.

    Returns
    -------
    loss : float
        Mean over samples of ||x - y||^2, without a factor 1/2 (Eq. 1).
    g_y : ndarray, shape (N, n)
        Gradient with respect to y.
    """
    r = x - y  # (a) (N, n)
    g_y = r * (-2 / len(x))  # (b) (N, n)
    return float(np.vdot(r, r)) / len(x), g_y  # (b)


def backward(params: Params, fwd: Forward, g_y: Array, penalty: PenaltyGrad, lam: float = 1.0) -> Gradient:
    """Compute the gradient of an objective from the gradients of its loss and its penalty.

    These are the steps (b) to (f) in the docstring of this module.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    fwd : Forward
        Forward pass of x_in.
    g_y : ndarray, shape (N, n)
        Gradient of the reconstruction loss with respect to y.
    penalty : PenaltyGrad
        Derivatives of the regulariser R.
    lam : float
        Factor of R in the objective.

    Returns
    -------
    Gradient
        Gradient of J with respect to W and b_e.
    """
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
