"""Activations beyond the paper's four, as jets with hand-derived derivatives, and the table of all of them.

delta_min is 0 where the activation has hard zeros and 0.1 elsewhere. `kinks` are the points where h, h' or h'' jumps.
"""

from functools import partial

import numpy as np
from scipy.special import expit, ndtr

from numpy_rae import _validation
from numpy_rae.activations import Activation, Jet, sigmoid

LEAK = 0.01


def sharp_softplus(a: np.ndarray, order: int = 3, *, beta: float) -> Jet:
    """log(1 + exp(beta a)) / beta: softplus at beta = 1, ReLU in the limit of a large beta.

    With z = beta a and g the softplus, h = g(z) / beta; every derivative in a brings one factor beta:
    h' = g'(z), h'' = beta g''(z), h''' = beta^2 g'''(z), and g' is the sigmoid.
    """
    z = beta * a
    slope = sigmoid(z, order - 1)
    return Jet(
        np.logaddexp(z, 0) / beta,
        slope.h,
        d2h_da2=beta * slope.dh_da if order > 1 else None,
        d3h_da3=beta**2 * slope.d2h_da2 if order > 2 else None,
    )


def softplus_beta(beta: float) -> Activation:
    """Softplus of sharpness beta in [1e-9, 1e9], where no power of beta overflows. Raises ValueError for another."""
    beta = float(_validation.number("beta", beta, 1e-9, 1e9))
    jet = partial(sharp_softplus, beta=beta)
    return Activation(f"softplus(beta={beta:g})", jet, 0.1, convex=True, zero_on_left=True, non_negative=True)


def elu(a: np.ndarray, order: int = 3) -> Jet:
    """a for a > 0, exp(a) - 1 otherwise; on the left every derivative is exp(a), on the right 1, then 0.

    h' is continuous at 0 and h'' falls from 1 to 0 there. It saturates at -1, outside Thm 2.
    """
    left = np.minimum(a, 0)
    dh_da = np.exp(left)
    curved = dh_da * (a <= 0) if order > 1 else None
    return Jet(np.where(a > 0, a, np.expm1(left)), dh_da, curved, curved if order > 2 else None)


def gelu(a: np.ndarray, order: int = 3) -> Jet:
    """a Phi(a), Phi and phi the normal distribution function and its density. With phi' = -a phi:

    h' = Phi + a phi, h'' = 2 phi - a^2 phi = (2 - a^2) phi, h''' = -2 a phi - a (2 - a^2) phi = a (a^2 - 4) phi.
    h' runs from -0.129 at -sqrt(2) to 1.129 at sqrt(2): neither non-decreasing nor of a slope in [0, 1].
    """
    Phi = ndtr(a)
    h, a = a * Phi, np.clip(a, -50, 50)  # where phi is 0 the square of a may overflow
    phi = np.exp(a * a / -2) / (2 * np.pi) ** 0.5
    return Jet(
        h,
        Phi + a * phi,
        d2h_da2=(2 - a * a) * phi if order > 1 else None,
        d3h_da3=a * (a * a - 4) * phi if order > 2 else None,
    )


def silu(a: np.ndarray, order: int = 3) -> Jet:
    """a s with s the sigmoid; c = 1 - s is its mirror image, computed as such because 1 - s cancels on the right.

    s' = s c and c - s = 1 - 2 s give s'' = s c (c - s), s''' = s c (1 - 6 s c), hence
    h' = s + a s' = s (1 + a c), h'' = 2 s' + a s'' = s c (2 + a (c - s)),
    h''' = 3 s'' + a s''' = s c (3 (c - s) + a (1 - 6 s c)). h' runs from -0.0998 to 1.0998.
    """
    s, c = expit(a), expit(-a)
    return Jet(
        a * s,
        s * (1 + a * c),
        d2h_da2=s * c * (2 + a * (c - s)) if order > 1 else None,
        d3h_da3=s * c * (3 * (c - s) + a * (1 - 6 * s * c)) if order > 2 else None,
    )


def leaky_relu(a: np.ndarray, order: int = 3) -> Jet:
    """max(a, 0.01 a): convex, and without bound on the left."""
    flat = np.zeros_like(a) if order > 1 else None
    dh_da = np.where(a > 0, 1, LEAK).astype(a.dtype)
    return Jet(np.maximum(a, LEAK * a), dh_da, flat, flat if order > 2 else None)


def hard_sigmoid(a: np.ndarray, order: int = 3) -> Jet:
    """a / 6 + 1/2 cut off at 0 and 1: slope 1/6 on (-3, 3). h'' is 0 where it exists, yet the slope falls at 3."""
    flat = np.zeros_like(a) if order > 1 else None
    rising = (a > -3) & (a <= 3)
    return Jet(np.clip(a / 6 + 0.5, 0, 1), rising.astype(a.dtype) / 6, flat, flat if order > 2 else None)


def squared_relu(a: np.ndarray, order: int = 3) -> Jet:
    """max(0, a)^2; h' = 2 max(0, a) passes 1 at a = 1/2, h'' jumps from 0 to 2 at 0."""
    right = np.maximum(a, 0)
    return Jet(
        right * right,
        2 * right,
        d2h_da2=2 * (a > 0).astype(a.dtype) if order > 1 else None,
        d3h_da3=np.zeros_like(a) if order > 2 else None,
    )


SOFTPLUS_4 = softplus_beta(4)
ELU = Activation("elu", elu, 0.1, convex=True, kinks=(0.0,))
GELU = Activation("gelu", gelu, 0.1, non_decreasing=False, slope_in_unit=False, zero_on_left=True)
SILU = Activation("silu", silu, 0.1, non_decreasing=False, slope_in_unit=False, zero_on_left=True)
LEAKY_RELU = Activation("leaky_relu", leaky_relu, 0.1, convex=True, kinks=(0.0,), piecewise_linear=True)
HARD_SIGMOID = Activation(
    "hard_sigmoid", hard_sigmoid, 0.0, zero_on_left=True, non_negative=True, at_most_1=True, kinks=(-3.0, 3.0),
    piecewise_linear=True,
)
SQUARED_RELU = Activation(
    "squared_relu", squared_relu, 0.0, slope_in_unit=False, convex=True, zero_on_left=True, non_negative=True,
    kinks=(0.0,),
)  # fmt: skip

EXTRA_ACTIVATIONS = {
    s.name: s for s in (SOFTPLUS_4, ELU, GELU, SILU, LEAKY_RELU, HARD_SIGMOID, SQUARED_RELU)
}
