"""More activations than the four of the paper, as jets with hand-derived derivatives, and their table.

delta_min is 0 for an activation that is exactly 0 on an interval, and 0.1 for the others. `kinks` are the points where
h, h' or h'' jumps.
"""

from functools import partial

import numpy as np
import scipy  # loads scipy.special at its first use, so that a job starts sooner

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation, Jet, sigmoid

LEAK = 0.01


def sharp_softplus(a: Array, order: int = 3, *, beta: float) -> Jet:
    """Compute log(1 + exp(beta a)) / beta and its derivatives.

    With beta = 1 this is softplus. For large beta it approaches ReLU.

    Parameters
    ----------
    a : ndarray
        Pre-activations, float32 or float64.
    order : {1, 2, 3}
        Highest derivative.
    beta : float
        Sharpness, positive.

    Returns
    -------
    Jet
        The value and the derivatives.

    Notes
    -----
    Let z = beta a, and let g be the softplus. Its slope g' is the sigmoid. Each derivative with respect to a multiplies
    by one more factor beta:

        h = g(z) / beta, h' = g'(z), h'' = beta g''(z), h''' = beta^2 g'''(z)
    """
    z = beta * a
    slope = sigmoid(z, order - 1)
    return Jet(
        np.logaddexp(z, 0) / beta,
        slope.h,
        d2h_da2=beta * slope.dh_da if order > 1 else None,
        d3h_da3=None if slope.d2h_da2 is None else beta**2 * slope.d2h_da2,
    )


def softplus_beta(beta: float) -> Activation:
    """Return softplus of sharpness beta as an activation.

    Parameters
    ----------
    beta : float
        Sharpness in [1e-9, 1e9]. In this range no power of beta overflows.

    Returns
    -------
    Activation
        The activation, with a name such as "softplus(beta=4)".

    Raises
    ------
    ValueError
        If `beta` is outside [1e-9, 1e9].
    """
    beta = float(_validation.number("beta", beta, 1e-9, 1e9))
    jet = partial(sharp_softplus, beta=beta)
    return Activation(f"softplus(beta={beta:g})", jet, 0.1, convex=True, zero_on_left=True, non_negative=True)


def elu(a: Array, order: int = 3) -> Jet:
    """Compute a for a > 0 and exp(a) - 1 otherwise, and its derivatives.

    Parameters
    ----------
    a : ndarray
        Pre-activations, float32 or float64.
    order : {1, 2, 3}
        Highest derivative.

    Returns
    -------
    Jet
        The value and the derivatives.

    Notes
    -----
    For a <= 0 every derivative is exp(a). For a > 0 the first is 1 and the others are 0. So h' is continuous at 0, and
    h'' falls from 1 to 0 there. The limit on the left is -1, so Thm 2 does not apply.
    """
    left = np.minimum(a, 0)
    dh_da = np.exp(left)
    curved = dh_da * (a <= 0) if order > 1 else None
    return Jet(np.where(a > 0, a, np.expm1(left)), dh_da, curved, curved if order > 2 else None)


def gelu(a: Array, order: int = 3) -> Jet:
    """Compute a Phi(a) and its derivatives, where Phi is the normal distribution function.

    Parameters
    ----------
    a : ndarray
        Pre-activations, float32 or float64.
    order : {1, 2, 3}
        Highest derivative.

    Returns
    -------
    Jet
        The value and the derivatives.

    Notes
    -----
    phi is the normal density, and phi' = -a phi. Hence

        h'   = Phi + a phi
        h''  = 2 phi - a^2 phi = (2 - a^2) phi
        h''' = -2 a phi - a (2 - a^2) phi = a (a^2 - 4) phi

    h' ranges from -0.129 at -sqrt(2) to 1.129 at sqrt(2). So h is not non-decreasing, and its slope is not in [0, 1].
    """
    Phi = scipy.special.ndtr(a)
    h, a = a * Phi, np.clip(a, -50, 50)  # avoids an overflow of a^2; phi is 0 for |a| > 50
    phi = np.exp(a * a / -2) / (2 * np.pi) ** 0.5
    return Jet(
        h,
        Phi + a * phi,
        d2h_da2=(2 - a * a) * phi if order > 1 else None,
        d3h_da3=a * (a * a - 4) * phi if order > 2 else None,
    )


def silu(a: Array, order: int = 3) -> Jet:
    """Compute a s(a) and its derivatives, where s is the sigmoid.

    Parameters
    ----------
    a : ndarray
        Pre-activations, float32 or float64.
    order : {1, 2, 3}
        Highest derivative.

    Returns
    -------
    Jet
        The value and the derivatives.

    Notes
    -----
    c = 1 - s is computed as s(-a), because 1 - s cancels for large a. s' = s c and c - s = 1 - 2 s give s'' = s c (c -
    s) and s''' = s c (1 - 6 s c). Hence

        h'   = s + a s' = s (1 + a c)
        h''  = 2 s' + a s'' = s c (2 + a (c - s))
        h''' = 3 s'' + a s''' = s c (3 (c - s) + a (1 - 6 s c))

    h' ranges from -0.0998 to 1.0998.
    """
    s, c = scipy.special.expit(a), scipy.special.expit(-a)
    return Jet(
        a * s,
        s * (1 + a * c),
        d2h_da2=s * c * (2 + a * (c - s)) if order > 1 else None,
        d3h_da3=s * c * (3 * (c - s) + a * (1 - 6 * s * c)) if order > 2 else None,
    )


def leaky_relu(a: Array, order: int = 3) -> Jet:
    """Compute max(a, 0.01 a) and its derivatives.

    Parameters
    ----------
    a : ndarray
        Pre-activations, float32 or float64.
    order : {1, 2, 3}
        Highest derivative.

    Returns
    -------
    Jet
        The value and the derivatives.

    Notes
    -----
    The activation is convex. It has no lower bound, so Thm 2 does not apply.
    """
    flat = np.zeros_like(a) if order > 1 else None
    dh_da = np.where(a > 0, 1, LEAK).astype(a.dtype)
    return Jet(np.maximum(a, LEAK * a), dh_da, flat, flat if order > 2 else None)


def hard_sigmoid(a: Array, order: int = 3) -> Jet:
    """Compute a / 6 + 1/2, clipped to [0, 1], and its derivatives.

    Parameters
    ----------
    a : ndarray
        Pre-activations, float32 or float64.
    order : {1, 2, 3}
        Highest derivative.

    Returns
    -------
    Jet
        The value and the derivatives.

    Notes
    -----
    The slope is 1/6 on (-3, 3) and 0 elsewhere. h'' is 0 wherever it exists. The activation is not convex, because the
    slope falls at a = 3.
    """
    flat = np.zeros_like(a) if order > 1 else None
    rising = (a > -3) & (a <= 3)
    return Jet(np.clip(a / 6 + 0.5, 0, 1), rising.astype(a.dtype) / 6, flat, flat if order > 2 else None)


def squared_relu(a: Array, order: int = 3) -> Jet:
    """Compute max(0, a)^2 and its derivatives.

    Parameters
    ----------
    a : ndarray
        Pre-activations, float32 or float64.
    order : {1, 2, 3}
        Highest derivative.

    Returns
    -------
    Jet
        The value and the derivatives.

    Notes
    -----
    h' = 2 max(0, a) exceeds 1 for a > 1/2. h'' jumps from 0 to 2 at a = 0.
    """
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
    "hard_sigmoid",
    hard_sigmoid,
    0.0,
    zero_on_left=True,
    non_negative=True,
    at_most_1=True,
    kinks=(-3.0, 3.0),
    piecewise_linear=True,
)
SQUARED_RELU = Activation(
    "squared_relu", squared_relu, 0.0, slope_in_unit=False, convex=True, zero_on_left=True, non_negative=True,
    kinks=(0.0,),
)  # fmt: skip

EXTRA_ACTIVATIONS = {s.name: s for s in (SOFTPLUS_4, ELU, GELU, SILU, LEAKY_RELU, HARD_SIGMOID, SQUARED_RELU)}
