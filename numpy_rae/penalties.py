"""Regularisers R(W, b_e) of Eq. (4) with hand-derived gradients.

A penalty is any object with an `order` (the number of derivatives of s_e that it needs) and a method
`value_and_grad(params, activation, fwd, rng) -> (R, PenaltyGrad)`. Most penalties depend on W only through
a = W x + b_e and the squared row lengths len2. Then dR/da and dR/d(len2) describe them fully, and the bias gradient
of Thm 1 is the column sum of dR/da. `autoencoder.backward` applies the chain rule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Protocol, cast

import numpy as np
import scipy  # loads scipy.special at its first use, so that a job starts sooner

from numpy_rae import _validation
from numpy_rae._known_lengths import takes_len2
from numpy_rae._validation import Array
from numpy_rae.activations import Activation, FullJet
from numpy_rae.autoencoder import Forward, Params, PenaltyGrad, batch_sum
from numpy_rae.row_norms import row_len2


class Penalty(Protocol):
    """Protocol of a regulariser R, which `objectives.Penalised` adds to the reconstruction loss."""

    @property
    def order(self) -> int:
        """Return the number of derivatives of s_e that the penalty needs: 1, 2 or 3.

        Returns
        -------
        int
            The order.
        """

    def value_and_grad(
        self, params: Params, activation: Activation, fwd: Forward, rng: np.random.Generator | None, /
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
        rng : numpy.random.Generator or None
            Source of noise, for a penalty that draws some.

        Returns
        -------
        R : float
            The value.
        gradient : PenaltyGrad
            The partial derivatives.
        """


@dataclass(frozen=True)
class MeanActivationPenalty:
    """Penalise the mean activations: R = sum over units of f(rho_j), the family of Cor. 1.

    rho_j is the batch mean of h_j. Outside `domain`, f is replaced by its tangent at the nearest end. If rho were
    clipped instead, the gradient outside `domain` would be 0, and Cor. 1 would not hold there.

    Attributes
    ----------
    f : callable
        Function f(rho) that returns the values and the slopes, each of shape (m,).
    domain : tuple of float
        Interval on which f is used as it is.
    order : int
        Number of derivatives of s_e that the penalty needs.
    domain_at_most_1 : tuple of float or None
        Domain for activations with h <= 1. None means `domain`.

    Raises
    ------
    ValueError
        If `f` is not a function, or a domain is not a pair of increasing numbers.

    Notes
    -----
        (a) rho   = mean over samples of h                   (m,)
        (b) R     = sum_j f(rho_j)
        (c) dR/da = f'(rho) * h' / N                         (N, m)
    """

    f: Callable[[Array], tuple[Array, Array]]
    domain: tuple[float, float] = (-inf, inf)
    order: int = 1
    domain_at_most_1: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        _validation.function("f", self.f)
        check_interval("domain", self.domain)
        if self.domain_at_most_1 is not None:
            check_interval("domain_at_most_1", self.domain_at_most_1)

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

        Raises
        ------
        ValueError
            If the domain is bounded below and the activation has negative values.
        """
        if self.domain[0] > -inf and not activation.non_negative:
            raise ValueError(
                f"activation {activation.name} takes negative values; this penalty needs a mean above {self.domain[0]}"
            )
        rho = batch_sum(fwd.jet.h) / len(fwd.a)  # (a) (m,)
        f, df, n_extrapolated = self.extrapolated(rho, activation.at_most_1)  # (b) (m,)
        dR_da = df / len(fwd.a) * fwd.jet.dh_da  # (c) (N, m)
        return float(f.sum()), PenaltyGrad(dR_da, n_extrapolated=n_extrapolated)  # (b)

    def extrapolated(self, rho: Array, at_most_1: bool = False) -> tuple[Array, Array, int]:
        """Evaluate f and its slope for any rho, with the tangent outside the domain.

        Parameters
        ----------
        rho : ndarray, shape (m,)
            Mean activations.
        at_most_1 : bool
            Whether the activation satisfies h <= 1.

        Returns
        -------
        f : ndarray, shape (m,)
            Values.
        slope : ndarray, shape (m,)
            Slopes.
        count : int
            Number of entries of rho outside the domain.
        """
        inside = rho.clip(*((at_most_1 and self.domain_at_most_1) or self.domain))
        f, df = self.f(inside)
        return f + df * (rho - inside), df, int((rho != inside).sum())


def check_interval(name: str, ends: tuple[float, float]) -> None:
    """Raise ValueError unless `ends` is a pair of increasing numbers.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    ends : tuple of float
        Lower and upper end.

    Raises
    ------
    ValueError
        If `ends` is not a pair of increasing numbers.
    """
    if not isinstance(ends, tuple) or not all(isinstance(end, (int, float)) for end in ends) or len(ends) != 2:
        raise ValueError(f"{name} is {ends!r}; it must be a pair of numbers")
    if not ends[0] < ends[1]:
        raise ValueError(f"{name} is {ends!r}; its first number must be below the second")


def kl(rho: Array, rho_0: float = 0.0) -> tuple[Array, Array]:
    """Compute the divergence KL(rho_0 || rho) between Bernoulli means, Eq. (12), and its slope.

    With rho_0 = 0 it is -log(1 - rho), Eq. (13).

    Parameters
    ----------
    rho : ndarray, shape (m,)
        Mean activations.
    rho_0 : float
        Target mean activation.

    Returns
    -------
    f : ndarray, shape (m,)
        Values.
    slope : ndarray, shape (m,)
        Derivatives with respect to rho.
    """
    f = scipy.special.rel_entr(1 - rho_0, 1 - rho)
    df = (1 - rho_0) / (1 - rho)
    if rho_0 > 0:
        f, df = f + scipy.special.rel_entr(rho_0, rho), df - rho_0 / rho
    return f, df


def identity(rho: Array) -> tuple[Array, Array]:
    """Return f(rho) = rho and its slope 1.

    For h >= 0, the penalty with this f is the l1 penalty of Eq. (2) on the mean code.

    Parameters
    ----------
    rho : ndarray, shape (m,)
        Mean activations.

    Returns
    -------
    f : ndarray, shape (m,)
        Values.
    slope : ndarray, shape (m,)
        Ones.
    """
    return rho, np.ones_like(rho)


@takes_len2
@dataclass(frozen=True)
class JacobianPenalty:
    """Penalise the encoder's slopes: R = mean over samples of sum_j h'_j^q ||W_j||^p, the family of Cor. 2.

    With q = 2 and p = 2 this is CAE: the squared Frobenius norm of Eq. (8), in the form of Eq. (9) (Rem. 1). With q = 2
    and p = 4 it is mDAE, Eq. (11) (Rem. 2).

    Attributes
    ----------
    q : int
        Power of the slope, at least 1.
    p : int
        Power of the row length, at least 0.
    order : int
        Number of derivatives of s_e that the penalty needs.

    Raises
    ------
    ValueError
        If `q` or `p` is out of range.

    Notes
    -----
        (a) len2       = squared row lengths                           (m,)
        (b) s_j        = mean over samples of h'_j^q                   (m,)
        (c) R          = sum_j s_j len2_j^(p/2)
        (d) dR/da      = q h'^(q-1) h'' len2^(p/2) / N                 (N, m)
        (e) dR/d(len2) = (p/2) s len2^(p/2 - 1)                        (m,)

    For p = 0, (e) is 0. For p = 1 it is infinite at a zero row, and 0 is used there. If h'' is 0 everywhere, (d) is 0
    and is left out.
    """

    q: int = 2
    p: int = 2
    order: int = 2

    def __post_init__(self) -> None:
        _validation.integer("q", self.q)
        _validation.integer("p", self.p, low=0)

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
        q, p, N = self.q, self.p, len(fwd.a)
        _, dh_da, d2h_da2, _ = cast(FullJet, fwd.jet)
        len2 = row_len2(params.W) if len2 is None else len2  # (a) (m,)
        length_p = len2 ** (p / 2)  # (c) (d) (m,)
        power = dh_da if q == 2 else dh_da ** (q - 1)  # (b) (d) h'^(q-1) (N, m)
        s = batch_sum(power * dh_da) / N  # (b) (m,)
        R = float(s @ length_p)  # (c)
        dR_da = None if activation.piecewise_linear else power * d2h_da2 * (q * length_p / N)  # (d) (N, m)
        return R, PenaltyGrad(dR_da, p / 2 * s * lowered_power(len2, p))  # (e) (m,)


def lowered_power(len2: Array, p: int) -> Array:
    """Compute len2^(p/2 - 1), with 0 at a zero row where the power is infinite.

    Parameters
    ----------
    len2 : ndarray, shape (m,)
        Squared row lengths.
    p : int
        Power of the row length in the penalty.

    Returns
    -------
    ndarray, shape (m,)
        The powers.
    """
    if p >= 2:
        return len2 ** (p / 2 - 1)
    tiny = np.finfo(len2.dtype).tiny
    return np.where(len2 > 0, len2.clip(tiny) ** (p / 2 - 1), 0)


@takes_len2
@dataclass(frozen=True)
class WeightDecay:
    """Penalise the row lengths: R = sum_j ||W_j||^2 (Sec. 2.1.1).

    Attributes
    ----------
    order : int
        Number of derivatives of s_e that the penalty needs.

    Notes
    -----
        (a) R          = sum_j len2_j
        (b) dR/d(len2) = 1                                     (m,)

    dR/da is 0, so the penalty has no bias gradient.
    """

    order: int = 1

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
        len2 = row_len2(params.W) if len2 is None else len2
        return float(len2.sum()), PenaltyGrad(dR_dlen2=np.ones_like(len2))  # (a) (b)


# Above rho = 1 - eps, Eq. (13) is replaced by its tangent at 1 - eps. If h <= 1, the mean code stays below 1, and a
# small eps is enough. For the other activations, EPS_ABOVE_1 is the smallest eps with which no run of
# examples/continuation.py breaks down.
EPS = 1e-3
EPS_ABOVE_1 = 0.1
# For a smaller eps, 1 - eps rounds to 1 in float32, where the logarithm is infinite.
LEAST_EPS = 1e-6


def sae(eps: float | None = None) -> MeanActivationPenalty:
    """Return the penalty of SAE, Eq. (13), replaced by its tangent above rho = 1 - eps.

    Eq. (13) is undefined for a mean code rho of 1 or more, and ReLU and softplus can reach such values. Above 1 - eps
    the slope is the constant 1 / eps. With a smaller eps, the penalty equals Eq. (13) on a larger part of [0, 1), and
    its slope above this part is steeper.

    Parameters
    ----------
    eps : float, optional
        Number in [LEAST_EPS, 1]. By default EPS for activations with h <= 1, and EPS_ABOVE_1 for all others. With 1
        the penalty equals L1 wherever rho >= 0.

    Returns
    -------
    MeanActivationPenalty
        The penalty.

    Raises
    ------
    ValueError
        If `eps` is outside [LEAST_EPS, 1].
    """
    if eps is None:
        return MeanActivationPenalty(kl, (-inf, 1 - EPS_ABOVE_1), domain_at_most_1=(-inf, 1 - EPS))
    return MeanActivationPenalty(kl, (-inf, 1 - float(_validation.number("eps", eps, LEAST_EPS, 1))))


SAE = sae()
CAE = JacobianPenalty(q=2, p=2)
MDAE = JacobianPenalty(q=2, p=4)
L1 = MeanActivationPenalty(identity)


def sae_with_target(rho_0: float, eps: float = EPS) -> MeanActivationPenalty:
    """Return the penalty KL(rho_0 || rho) of Eq. (12), for a target mean activation rho_0.

    It increases with rho only where rho is above rho_0.

    Parameters
    ----------
    rho_0 : float
        Target in [eps, 1 - eps].
    eps : float
        Number in [LEAST_EPS, 0.5]. Outside [eps, 1 - eps] the penalty is replaced by its tangent at the nearest end.

    Returns
    -------
    MeanActivationPenalty
        The penalty.

    Raises
    ------
    ValueError
        If `eps` or `rho_0` is out of range.
    """
    _validation.number("eps", eps, LEAST_EPS, 0.5)
    _validation.number("rho_0", rho_0, eps, 1 - eps)
    return MeanActivationPenalty(partial(kl, rho_0=rho_0), domain=(eps, 1 - eps))


PENALTIES: dict[str, Penalty] = {
    "SAE": SAE,
    "CAE": CAE,
    "mDAE": MDAE,
    "L1": L1,
    "KL": sae_with_target(0.05),
    "decay": WeightDecay(),
}
