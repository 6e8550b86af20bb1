"""Regularisers R(W, b_e) of Eq. (4) with hand-derived gradients.

A penalty is any value with an `order` (how many derivatives of s_e it needs) and a method
`value_and_grad(params, activation, fwd, rng) -> (R, PenaltyGrad)`. Most see W only through a = W x + b_e and the
squared row lengths len2, so dR/da and dR/d(len2) describe them fully; `autoencoder.backward` has the chain rule.
For these the bias gradient of Thm 1 is the column sum of dR/da.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Protocol

import numpy as np
from scipy.special import rel_entr

from numpy_rae import _validation
from numpy_rae._known_lengths import takes_len2
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Forward, Params, PenaltyGrad, batch_sum
from numpy_rae.row_norms import row_len2


class Penalty(Protocol):
    """What `objectives.Penalised` asks of a regulariser."""

    order: int

    def value_and_grad(
        self, params: Params, activation: Activation, fwd: Forward, rng: np.random.Generator | None
    ) -> tuple[float, PenaltyGrad]: ...


@dataclass(frozen=True)
class MeanActivationPenalty:
    """R = sum over units of f(rho_j), rho_j = the batch mean of h_j: Cor. 1's family.

        (a) rho   = mean over samples of h                   (m,)
        (b) R     = sum_j f(rho_j)
        (c) dR/da = f'(rho) * h' / N                         (N, m)

    `f(rho) -> (value, slope)`. Beyond `domain` f goes on along its tangent: clipping rho instead would remove the
    gradient where Cor. 1 needs it. Raises ValueError for an activation with negative values if the domain is
    bounded below. `domain_at_most_1`, if given, is the domain for activations whose values are at most 1.
    """

    f: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    domain: tuple[float, float] = (-inf, inf)
    order: int = 1
    domain_at_most_1: tuple[float, float] | None = None

    def __post_init__(self):
        _validation.function("f", self.f)
        check_interval("domain", self.domain)
        if self.domain_at_most_1 is not None:
            check_interval("domain_at_most_1", self.domain_at_most_1)

    def value_and_grad(self, params, activation, fwd, rng=None):
        if self.domain[0] > -inf and not activation.non_negative:
            raise ValueError(
                f"activation {activation.name} takes negative values; this penalty needs a mean above {self.domain[0]}"
            )
        rho = batch_sum(fwd.jet.h) / len(fwd.a)  # (a) (m,)
        f, df, n_extrapolated = self.extrapolated(rho, activation.at_most_1)
        dR_da = df / len(fwd.a) * fwd.jet.dh_da  # (c) (N, m)
        return float(f.sum()), PenaltyGrad(dR_da, n_extrapolated=n_extrapolated)  # (b)

    def extrapolated(self, rho: np.ndarray, at_most_1: bool = False) -> tuple[np.ndarray, np.ndarray, int]:
        """f and its slope on the whole line, and at how many entries of rho the tangent stood in for f."""
        inside = rho.clip(*(at_most_1 and self.domain_at_most_1 or self.domain))
        f, df = self.f(inside)
        return f + df * (rho - inside), df, int((rho != inside).sum())


def check_interval(name: str, ends: tuple[float, float]) -> None:
    """Raise ValueError unless `ends` is a pair of increasing numbers."""
    if not isinstance(ends, tuple) or not all(isinstance(end, (int, float)) for end in ends) or len(ends) != 2:
        raise ValueError(f"{name} is {ends!r}; it must be a pair of numbers")
    if not ends[0] < ends[1]:
        raise ValueError(f"{name} is {ends!r}; its first number must be below the second")


def kl(rho: np.ndarray, rho_0: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """KL(rho_0 || rho) between Bernoulli means, Eq. (12), and its slope; -log(1 - rho), Eq. (13), at rho_0 = 0."""
    f = rel_entr(1 - rho_0, 1 - rho)
    df = (1 - rho_0) / (1 - rho)
    if rho_0 > 0:
        f, df = f + rel_entr(rho_0, rho), df - rho_0 / rho
    return f, df


def identity(rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f(rho) = rho: the l1 penalty of Eq. (2) on the mean code, where h >= 0."""
    return rho, np.ones_like(rho)


@takes_len2
@dataclass(frozen=True)
class JacobianPenalty:
    """R = mean over samples of sum_j h'_j^q ||W_j||^p: Cor. 2's family.

    q = 2, p = 2 is CAE, the squared Frobenius norm of Eq. (8) in the form of Eq. (9) (Rem. 1); q = 2, p = 4 is mDAE,
    Eq. (11) (Rem. 2).

        (a) len2       = squared row lengths                           (m,)
        (b) s_j        = mean over samples of h'_j^q                   (m,)
        (c) R          = sum_j s_j len2_j^(p/2)
        (d) dR/da      = q h'^(q-1) h'' len2^(p/2) / N                 (N, m)
        (e) dR/d(len2) = (p/2) s len2^(p/2 - 1)                        (m,)

    At a zero row (e) is 0 for p = 1, and for p = 0 everywhere. If h'' is 0 everywhere, so is (d), and it is left out.
    """

    q: int = 2
    p: int = 2
    order: int = 2

    def __post_init__(self):
        _validation.integer("q", self.q)
        _validation.integer("p", self.p, low=0)

    def value_and_grad(self, params, activation, fwd, rng=None, len2=None):
        q, p, N = self.q, self.p, len(fwd.a)
        _, dh_da, d2h_da2, _ = fwd.jet
        len2 = row_len2(params.W) if len2 is None else len2  # (a) (m,)
        length_p = len2 ** (p / 2)  # (m,)
        power = dh_da if q == 2 else dh_da ** (q - 1)  # h'^(q-1) (N, m)
        s = batch_sum(power * dh_da) / N  # (b) (m,)
        R = float(s @ length_p)  # (c)
        dR_da = None if activation.piecewise_linear else power * d2h_da2 * (q * length_p / N)  # (d) (N, m)
        return R, PenaltyGrad(dR_da, p / 2 * s * lowered_power(len2, p))  # (e) (m,)


def lowered_power(len2: np.ndarray, p: int) -> np.ndarray:
    """len2^(p/2 - 1), with 0 at a zero row where that is infinite."""
    if p >= 2:
        return len2 ** (p / 2 - 1)
    tiny = np.finfo(len2.dtype).tiny
    return np.where(len2 > 0, len2.clip(tiny) ** (p / 2 - 1), 0)


@takes_len2
@dataclass(frozen=True)
class WeightDecay:
    """R = sum_j ||W_j||^2 (Sec. 2.1.1): dR/d(len2) = 1, and no bias gradient."""

    order: int = 1

    def value_and_grad(self, params, activation, fwd, rng=None, len2=None):
        len2 = row_len2(params.W) if len2 is None else len2
        return float(len2.sum()), PenaltyGrad(dR_dlen2=np.ones_like(len2))


# Eq. (13) is continued along its tangent beyond rho = 1 - eps. With h <= 1 the mean code stays below 1, and a small eps
# is never reached. For the other activations examples/continuation.py decides which eps is used.
EPS = 1e-3
EPS_ABOVE_1 = 1e-3
# Below it 1 - eps rounds to 1 in float32, where the logarithm ends.
LEAST_EPS = 1e-6


def sae(eps: float | None = None) -> MeanActivationPenalty:
    """Return SAE's penalty, Eq. (13), continued along its tangent beyond rho = 1 - eps.

    Eq. (13) is undefined where the mean code rho reaches 1, which ReLU and softplus allow. Beyond 1 - eps the slope is
    the constant 1 / eps: a small eps stays close to Eq. (13) below 1, and pushes harder above it.

    Parameters
    ----------
    eps : float, optional
        In [LEAST_EPS, 1]. By default EPS for activations with h <= 1 and EPS_ABOVE_1 for all others. With 1 the
        penalty is L1 wherever rho >= 0.

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
    """Eq. (12): KL to the target mean activation rho_0 in [eps, 1 - eps], increasing in rho only above it."""
    _validation.number("eps", eps, LEAST_EPS, 0.5)
    _validation.number("rho_0", rho_0, eps, 1 - eps)
    return MeanActivationPenalty(partial(kl, rho_0=rho_0), domain=(eps, 1 - eps))


PENALTIES = {"SAE": SAE, "CAE": CAE, "mDAE": MDAE, "L1": L1, "KL": sae_with_target(0.05), "decay": WeightDecay()}
