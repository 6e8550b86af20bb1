"""CAE with ReLU and a gradient that includes the jump of the slope, by a kernel estimate of the Dirac distribution.

For ReLU the slope is h' = 1{a > 0}, so CAE's penalty, Eq. (9), counts active units: R = sum_j ||W_j||^p P(a_j > 0),
with p = 2 (mDAE: p = 4). On unit rows this is m times the activation fraction, Eq. (14). If a_j has a density f_j
that is continuous at 0, then dR/db_j = ||W_j||^p f_j(0) > 0. The batch gradient of R is 0, because the derivative of
the jump is 0 at every sample (Fn. 1). A kernel estimate of the density restores the gradient:

    f_j(0) = lim E[K(a_j / w) / w]  for w -> 0,    K the standard normal density, w the bandwidth.

JumpReLU auto-encoders train their L0 penalty with this straight-through estimate (arXiv 2407.14435). There it changes
only the threshold, and the kernel is a rectangle. Here it is used as dR/da, so it also changes the weights.
"""

from dataclasses import dataclass

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import RELU, Activation
from numpy_rae.autoencoder import Forward, Params, PenaltyGrad
from numpy_rae.objectives import Objective, Penalised
from numpy_rae.row_norms import row_len2

NORMAL = (2 * np.pi) ** -0.5


@dataclass(frozen=True)
class KernelPenalty:
    """Compute R = mean over samples of sum_j h'_j ||W_j||^p for ReLU, with a kernel estimate of its gradient through a.

    Attributes
    ----------
    bandwidth : float
        The bandwidth w, in the units of a. It must be positive.
    p : int
        Power of the row length: 2 for CAE, 4 for mDAE.
    order : int
        Number of derivatives of the activation that the penalty needs.

    Raises
    ------
    ValueError
        If an attribute is outside its range.

    Notes
    -----
        (a) len2       = squared row lengths                          (m,)
        (b) share_j    = mean over samples of h'_j                    (m,)
        (c) R          = sum_j share_j len2_j^(p/2)
        (d) dR/da      = len2^(p/2) K(a / w) / (w N)                  (N, m)
        (e) dR/d(len2) = (p/2) share len2^(p/2 - 1)                   (m,)

    (c) and (e) are exact. (d) is the gradient of the penalty in which the normal distribution function Phi(a / w)
    replaces h'. Its mean is the derivative of P(a_j + w z > 0) with z standard normal.
    """

    bandwidth: float
    p: int = 2
    order: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "bandwidth", float(_validation.number("bandwidth", self.bandwidth, open_low=True)))
        _validation.integer("p", self.p, low=2)

    def value_and_grad(
        self, params: Params, activation: Activation, fwd: Forward, rng: np.random.Generator | None = None
    ) -> tuple[float, PenaltyGrad]:
        """Compute R and its partial derivatives. dR/da is the estimate (d) instead of 0.

        Parameters
        ----------
        params : Params
            W, shape (m, n), and b_e, shape (m,).
        activation : Activation
            ReLU. The penalty is defined only for ReLU.
        fwd : Forward
            The forward pass.
        rng : numpy.random.Generator, optional
            Not used.

        Returns
        -------
        R : float
            The penalty.
        gradient : PenaltyGrad
            Its partial derivatives.

        Raises
        ------
        ValueError
            If the activation is not ReLU.
        """
        if activation.name != RELU.name:
            raise ValueError(f"activation is {activation.name}; the kernel penalty is defined for relu")
        len2 = row_len2(params.W)  # (a) (m,)
        share = fwd.jet.dh_da.mean(axis=0)  # (b) (m,)
        length_p = len2 ** (self.p / 2)
        dR_da = density_at_zero(fwd.a, self.bandwidth) * (length_p / len(fwd.a))  # (d) (N, m)
        dR_dlen2 = self.p / 2 * share * len2 ** (self.p / 2 - 1)  # (e) (m,)
        return float(share @ length_p), PenaltyGrad(dR_da, dR_dlen2)  # (c)


def density_at_zero(a: Array, bandwidth: float) -> Array:
    """Compute K(a / w) / w for each pre-activation. Its mean over samples estimates the density of a_j at 0.

    Parameters
    ----------
    a : ndarray, shape (N, m)
        Pre-activations.
    bandwidth : float
        The bandwidth w > 0, in the units of a.

    Returns
    -------
    ndarray, shape (N, m)
        The values, in the dtype of a.
    """
    z = a / bandwidth
    density: Array = np.exp(-z * z / 2) * (NORMAL / bandwidth)
    return density


def kernel_cae(bandwidth: float) -> Objective:
    """Return the objective J_AE + sigma2 R with `KernelPenalty`.

    Parameters
    ----------
    bandwidth : float
        The bandwidth w > 0, in the units of a.

    Returns
    -------
    Objective
        The objective. Its name contains the bandwidth.
    """
    return Objective(f"CAE-kernel-{float(bandwidth):g}", Penalised(KernelPenalty(bandwidth)))
