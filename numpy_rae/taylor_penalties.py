"""Penalties that depend on W also in other ways than through a and the row lengths: Eq. (7), Eq. (10) and CAE+H.

`TAYLOR` is the expression in brackets of Eq. (7): the sum of mDAE and of the second and third term of Thm 3.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, cast

import numpy as np

from numpy_rae import _validation
from numpy_rae._known_lengths import known, takes_len2
from numpy_rae._validation import Array, generator
from numpy_rae.activations import Activation, FullJet
from numpy_rae.autoencoder import Forward, Params, PenaltyGrad, batch_sum, decode, times_rows
from numpy_rae.penalties import CAE, MDAE, Penalty
from numpy_rae.row_norms import row_len2


@dataclass(frozen=True)
class CrossTerm:
    """Second term of Thm 3: R = mean over samples of sum_{j != k} h'_j h'_k (W_j . W_k)^2.

    Attributes
    ----------
    order : int
        Number of derivatives of s_e that the penalty needs.

    Notes
    -----
    G = W W^T holds the products of the rows.

        (a) G     = W W^T with zero diagonal                       (m, m)
        (b) P     = G * G                                          (m, m)
        (c) R     = (1/N) sum h' * (h' P)
        (d) dR/da = (2/N) (h' P) * h''                             (N, m)
        (e) S     = (1/N) h'^T h'                                  (m, m)
        (f) dR/dW = 4 (G * S) W     from dR/dG = 2 G * S, symmetric
    """

    order: int = 2

    def value_and_grad(
        self, params: Params, activation: Activation, fwd: Forward, rng: np.random.Generator | None = None
    ) -> tuple[float, PenaltyGrad]:
        """Compute R and its partial derivatives.

        Parameters
        ----------
        params : Params
            W, shape (m, n), and b_e, shape (m,).
        activation : Activation
            Encoder activation s_e.
        fwd : Forward
            Forward pass, with the derivatives up to `order`.
        rng : numpy.random.Generator, optional
            Source of noise. Not used.

        Returns
        -------
        R : float
            The value.
        gradient : PenaltyGrad
            The partial derivatives.
        """
        W, N = params.W, len(fwd.a)
        _, dh_da, d2h_da2, _ = cast(FullJet, fwd.jet)
        G = W @ W.T  # (a)
        np.fill_diagonal(G, 0)  # (a) (m, m)
        through_P = dh_da @ (G * G)  # (b) (N, m)
        R = float(np.vdot(dh_da, through_P)) / N  # (c)
        dR_da = None if activation.piecewise_linear else (2 / N) * through_P * d2h_da2  # (d) (N, m)
        S = dh_da.T @ dh_da / N  # (e) (m, m)
        return R, PenaltyGrad(dR_da, dR_dW=4 * (G * S) @ W)  # (f) (m, n)


@takes_len2
@dataclass(frozen=True)
class ResidualTerm:
    """Third term of Thm 3: R = mean over samples of (W r_y)^T (h'' * len2), with r_y = y - x.

    It can be negative.

    Attributes
    ----------
    order : int
        Number of derivatives of s_e that the penalty needs.

    Notes
    -----
        (a) u           = W r_y                                    (N, m)
        (b) R           = (1/N) sum u h'' len2
        (c) dR/da       = u h''' len2 / N                          (N, m)
        (d) dR/d(len2)  = (1/N) sum over samples of u h''          (m,)
        (e) dR/du       = h'' len2 / N                             (N, m)
        (f) dR/dy       = (dR/du) W    since r_y = y - x           (N, n)
        (g) dR/dW       = (dR/du)^T r_y, kept as thin factors
    """

    order: int = 3

    def value_and_grad(
        self,
        params: Params,
        activation: Activation,
        fwd: Forward,
        rng: np.random.Generator | None = None,
        len2: Array | None = None,
    ) -> tuple[float, PenaltyGrad]:
        """Compute R and its partial derivatives.

        Parameters
        ----------
        params : Params
            W, shape (m, n), and b_e, shape (m,).
        activation : Activation
            Encoder activation s_e.
        fwd : Forward
            Forward pass, with the derivatives up to `order`.
        rng : numpy.random.Generator, optional
            Source of noise. Not used.
        len2 : ndarray, shape (m,), optional
            Squared row lengths of W. By default they are computed from W.

        Returns
        -------
        R : float
            The value.
        gradient : PenaltyGrad
            The partial derivatives.
        """
        if activation.piecewise_linear:
            return 0.0, PenaltyGrad()
        W, N = params.W, len(fwd.a)
        _, _, d2h_da2, d3h_da3 = cast(FullJet, fwd.jet)
        len2, r_y = row_len2(W) if len2 is None else len2, fwd.y - fwd.x  # (a) (N, n)
        u = times_rows(W, r_y)  # (a) (N, m)
        dR_dlen2 = batch_sum(u * d2h_da2) / N  # (d) (m,)
        R = float(dR_dlen2 @ len2)  # (b)
        dR_da = u * d3h_da3 * (len2 / N)  # (c) (N, m)
        g_u = d2h_da2 * (len2 / N)  # (e) (N, m)
        return R, PenaltyGrad(dR_da, dR_dlen2, dR_dy=decode(W, g_u), factors=((g_u, r_y),))  # (f) (g)


@takes_len2
@dataclass(frozen=True, eq=False)
class MarginalisedPenalty:
    """Regulariser of Eq. (10): R = 1/2 E sum_i v_i sum_j d2l/dh_j^2 (dh_j/dx_i)^2.

    l is the loss ||x - y||^2, and v_i is the variance of the corruption of input i.

    Attributes
    ----------
    v : ndarray, shape (n,)
        Variances, of the dtype of W.
    order : int
        Number of derivatives of s_e that the penalty needs.

    Notes
    -----
    For a linear decoder and squared loss, d2l/dh_j^2 = 2 len2_j (Rem. 2), and dh_j/dx_i = h'_j W_ji. So:

        (a) s_j        = sum_i v_i W_ji^2                          (m,)
        (b) d_j        = mean over samples of h'_j^2               (m,)
        (c) R          = sum_j d_j len2_j s_j
        (d) dR/da      = 2 h' h'' len2 s / N                       (N, m)
        (e) dR/d(len2) = d s                                       (m,)
        (f) dR/dW_ji   = 2 d_j len2_j v_i W_ji                     (m, n)
    """

    v: Array
    order: int = 2

    def value_and_grad(
        self,
        params: Params,
        activation: Activation,
        fwd: Forward,
        rng: np.random.Generator | None = None,
        len2: Array | None = None,
    ) -> tuple[float, PenaltyGrad]:
        """Compute R and its partial derivatives.

        Parameters
        ----------
        params : Params
            W, shape (m, n), and b_e, shape (m,).
        activation : Activation
            Encoder activation s_e.
        fwd : Forward
            Forward pass, with the derivatives up to `order`.
        rng : numpy.random.Generator, optional
            Source of noise. Not used.
        len2 : ndarray, shape (m,), optional
            Squared row lengths of W. By default they are computed from W.

        Returns
        -------
        R : float
            The value.
        gradient : PenaltyGrad
            The partial derivatives.

        Raises
        ------
        ValueError
            If `v` does not fit W in length or dtype.
        """
        W, N = params.W, len(fwd.a)
        _validation.like("v", self.v, (W.shape[1],), W.dtype)
        _, dh_da, d2h_da2, _ = cast(FullJet, fwd.jet)
        len2, s = row_len2(W) if len2 is None else len2, W**2 @ self.v  # (a) (m,)
        d = batch_sum(dh_da**2) / N  # (b) (m,)
        R = float((d * len2) @ s)  # (c)
        dR_da = None if activation.piecewise_linear else dh_da * d2h_da2 * (2 * len2 * s / N)  # (d) (N, m)
        return R, PenaltyGrad(dR_da, d * s, dR_dW=2 * (d * len2)[:, None] * W * self.v)  # (e) (f)


@takes_len2
@dataclass(frozen=True)
class HessianTerm:
    """Second term of CAE+H (Rifai 2011a): R = E_eps mean over samples of ||J(x) - J(x + eps)||_F^2.

    J is the Jacobian of the codes, and eps is Gaussian. One eps is drawn per sample. `hessian_term` has the formula for
    a given eps.

    Attributes
    ----------
    noise : float
        Standard deviation of eps, at least 0.
    order : int
        Number of derivatives of s_e that the penalty needs.

    Raises
    ------
    ValueError
        If `noise` is negative or not finite.
    """

    noise: float = 0.1
    order: int = 2

    def __post_init__(self) -> None:
        _validation.number("noise", self.noise)

    def value_and_grad(
        self,
        params: Params,
        activation: Activation,
        fwd: Forward,
        rng: np.random.Generator | None = None,
        len2: Array | None = None,
    ) -> tuple[float, PenaltyGrad]:
        """Compute R and its partial derivatives.

        Parameters
        ----------
        params : Params
            W, shape (m, n), and b_e, shape (m,).
        activation : Activation
            Encoder activation s_e.
        fwd : Forward
            Forward pass, with the derivatives up to `order`.
        rng : numpy.random.Generator
            Source of the noise. Required.
        len2 : ndarray, shape (m,), optional
            Squared row lengths of W. By default they are computed from W.

        Returns
        -------
        R : float
            The value.
        gradient : PenaltyGrad
            The partial derivatives.

        Raises
        ------
        ValueError
            If `rng` is not a generator.
        """
        eps = generator("CAE+H", rng).standard_normal(fwd.x.shape, dtype=fwd.x.dtype) * self.noise
        return hessian_term(params, activation, fwd, eps, len2)


def hessian_term(
    params: Params, activation: Activation, fwd: Forward, eps: Array, len2: Array | None = None
) -> tuple[float, PenaltyGrad]:
    """Compute R = mean over samples of sum_j len2_j (h'(a_j) - h'(a_j + W_j eps))^2 and its derivatives.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    fwd : Forward
        Forward pass, with the derivatives up to order 2.
    eps : ndarray, shape (N, n)
        Noise.
    len2 : ndarray, shape (m,), optional
        Squared row lengths of W. By default they are computed from W.

    Returns
    -------
    R : float
        The value.
    gradient : PenaltyGrad
        The partial derivatives.

    Notes
    -----
        (a) a_eps      = a + W eps                                 (N, m)
        (b) D          = h'(a) - h'(a_eps)                         (N, m)
        (c) R          = (1/N) sum len2 D^2
        (d) dR/da      = (2/N) len2 D (h''(a) - h''(a_eps))        (N, m)
        (e) dR/d(len2) = (1/N) sum over samples of D^2             (m,)
        (f) dR/dW      = g^T eps, g = -(2/N) len2 D h''(a_eps), kept as thin factors
    """
    N, len2 = len(fwd.a), row_len2(params.W) if len2 is None else len2
    a_eps = fwd.a + times_rows(params.W, eps)  # (a) (N, m)
    noisy = activation(a_eps, 2)  # (b)
    D = fwd.jet.dh_da - noisy.dh_da  # (b) (N, m)
    dR_dlen2 = batch_sum(D * D) / N  # (e) (m,)
    R = float(dR_dlen2 @ len2)  # (c)
    if activation.piecewise_linear:
        return R, PenaltyGrad(dR_dlen2=dR_dlen2)
    scaled = D * (2 * len2 / N)  # (d) (f) (N, m)
    d2h_da2, noisy_d2h_da2 = cast(FullJet, fwd.jet)[2], cast(FullJet, noisy)[2]
    dR_da = scaled * (d2h_da2 - noisy_d2h_da2)  # (d) (N, m)
    return R, PenaltyGrad(dR_da, dR_dlen2, factors=((-scaled * noisy_d2h_da2, eps),))  # (f)


@takes_len2
@dataclass(frozen=True)
class WeightedSum:
    """Weighted sum of penalties: R = sum of weight * R_i.

    Attributes
    ----------
    parts : tuple of pairs
        Pairs (weight, penalty).
    """

    parts: tuple[tuple[float, Penalty], ...]

    @property
    def order(self) -> int:
        """Return the largest order of the parts.

        Returns
        -------
        int
            Number of derivatives of s_e that the penalty needs.
        """
        return max(penalty.order for _, penalty in self.parts)

    def value_and_grad(
        self,
        params: Params,
        activation: Activation,
        fwd: Forward,
        rng: np.random.Generator | None = None,
        len2: Array | None = None,
    ) -> tuple[float, PenaltyGrad]:
        """Compute R and its partial derivatives.

        Parameters
        ----------
        params : Params
            W, shape (m, n), and b_e, shape (m,).
        activation : Activation
            Encoder activation s_e.
        fwd : Forward
            Forward pass, with the derivatives up to `order`.
        rng : numpy.random.Generator, optional
            Source of noise, for parts that draw some.
        len2 : ndarray, shape (m,), optional
            Squared row lengths of W. By default they are computed from W.

        Returns
        -------
        R : float
            The value.
        gradient : PenaltyGrad
            The partial derivatives.
        """
        results = [
            (w, *penalty.value_and_grad(params, activation, fwd, rng, **known(penalty, len2)))
            for w, penalty in self.parts
        ]
        return sum(w * R for w, R, _ in results), reduce(_add, (_scale(w, grad) for w, _, grad in results))


def _scale(weight: float, grad: PenaltyGrad) -> PenaltyGrad:
    """Return weight * grad."""
    dense = (grad.dR_da, grad.dR_dlen2, grad.dR_dy, grad.dR_dW)
    dR_da, dR_dlen2, dR_dy, dR_dW = (None if part is None else weight * part for part in dense)
    factors = tuple((weight * left, right) for left, right in grad.factors)
    return PenaltyGrad(dR_da, dR_dlen2, dR_dy, factors, dR_dW, grad.n_extrapolated)


def _add(one: PenaltyGrad, two: PenaltyGrad) -> PenaltyGrad:
    """Return one + two: None means zero, factors are joined, counts are added."""
    pairs: Iterable[tuple[Any, Any]] = zip(one, two, strict=True)
    return PenaltyGrad(*(b if a is None else a if b is None else a + b for a, b in pairs))


TAYLOR = WeightedSum(((1.0, MDAE), (1.0, CrossTerm()), (1.0, ResidualTerm())))
CAE_H = WeightedSum(((1.0, CAE), (1.0, HessianTerm())))
