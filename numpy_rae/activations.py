"""Encoder activations s_e as jets: one function returns the value and the first three derivatives.

Sec. 2.1.2 has four conditions: an activation is non-decreasing, its slope is in [0, 1], it is convex (for Cor. 2),
and its limit on the left is 0 (for Thm 2). Each `Activation` states as flags which of these hold. The tests check them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array

# exp and its inverse may leave the range of numbers; the limit, 0 or inf, is then the right value.
LIMITS: dict[str, Any] = {"over": "ignore", "under": "ignore", "divide": "ignore"}

# For `cast`: a jet with all derivatives.
FullJet: TypeAlias = tuple[Array, Array, Array, Array]


class Jet(NamedTuple):
    """Value and derivatives of an activation s_e at the pre-activations a.

    Attributes
    ----------
    h : ndarray
        Value s_e(a), of the shape and dtype of a, like the derivatives.
    dh_da : ndarray
        First derivative.
    d2h_da2 : ndarray or None
        Second derivative; None if the requested order is below 2.
    d3h_da3 : ndarray or None
        Third derivative; None if the requested order is below 3.
    """

    h: Array
    dh_da: Array
    d2h_da2: Array | None = None
    d3h_da3: Array | None = None


@dataclass(frozen=True)
class Activation:
    """Describe an encoder activation s_e: its jet, and which of the properties of Sec. 2.1.2 it has.

    Calling an activation with pre-activations `a` and an `order` returns its jet.

    Attributes
    ----------
    name : str
        Name in records and figures.
    jet : callable
        Function `jet(a, order)` that returns a `Jet` with the derivatives up to `order`, which is 1, 2 or 3.
    delta_min : float
        Activation threshold of Eq. (14): a unit is active where h > delta_min.
    non_decreasing : bool
        Whether h' >= 0 everywhere.
    slope_in_unit : bool
        Whether 0 <= h' <= 1 everywhere.
    convex : bool
        Whether h'' >= 0 everywhere.
    zero_on_left : bool
        Whether h tends to 0 as a tends to minus infinity.
    non_negative : bool
        Whether h >= 0 everywhere.
    at_most_1 : bool
        Whether h <= 1 everywhere. Eq. (13) is then defined for every mean code below 1.
    kinks : tuple of float
        Points where s_e is not differentiable. The jet has the left derivative there.
    piecewise_linear : bool
        Whether the second derivative in the jet is 0 everywhere. The penalties of this package then skip its terms.
    version : int, str or None
        If it is given, only the name and the version decide which records belong to this activation (see `identity`).

    Raises
    ------
    ValueError
        If `version` is neither an int, a str nor None.
    """

    name: str
    jet: Callable[..., Jet]
    delta_min: float
    non_decreasing: bool = True
    slope_in_unit: bool = True
    convex: bool = False
    zero_on_left: bool = False
    non_negative: bool = False
    at_most_1: bool = False
    kinks: tuple[float, ...] = ()
    piecewise_linear: bool = False
    version: int | str | None = None

    def __post_init__(self) -> None:
        _validation.version("version", self.version)

    @_validation.tiny_is_zero
    def __call__(self, a: Array, order: int = 3) -> Jet:
        """Return the jet at `a` with the derivatives up to `order`."""
        return self.jet(a, order)


def relu(a: Array, order: int = 3) -> Jet:
    """Compute max(0, a) and its derivatives.

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
        (a) h    = max(0, a)
        (b) h'   = 1 for a > 0, else 0
        (c) h''  = 0
        (d) h''' = 0

    Fn. 1: the second derivative is a Dirac delta at 0. No sample has exactly a = 0, so the jet has 0 everywhere.
    """
    flat = np.zeros_like(a) if order > 1 else None
    return Jet(
        h=a.clip(0, np.inf),  # (a) NumPy vectorises clip, but not maximum with a scalar
        dh_da=(a > 0).astype(a.dtype),  # (b)
        d2h_da2=flat,  # (c)
        d3h_da3=flat if order > 2 else None,  # (d)
    )


def sigmoid(a: Array, order: int = 3) -> Jet:
    """Compute 1 / (1 + exp(-a)) and its derivatives.

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
        (a) h    = 1 / (1 + exp(-a)),  rest = 1 - h
        (b) h'   = h rest
        (c) h''  = h' (rest - h)
        (d) h''' = h' (1 - 6 h')

    `rest` is computed as 1 / (1 + exp(a)), because 1 - h cancels for large a. So h and h' are accurate to a few units
    in the last place, wherever exp(|a|) and its inverse are normal numbers.
    """
    with np.errstate(**LIMITS):
        e = np.exp(a)
        h, rest = 1 / (1 + 1 / e), 1 / (1 + e)  # (a)
        dh_da = h * rest  # (b)
        return Jet(
            h,
            dh_da,
            d2h_da2=dh_da * (rest - h) if order > 1 else None,  # (c)
            d3h_da3=dh_da * (1 - 6 * dh_da) if order > 2 else None,  # (d)
        )


def softplus(a: Array, order: int = 3) -> Jet:
    """Compute log(1 + exp(a)) without overflow, and its derivatives.

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
        (a) h    = log(1 + exp(a))
        (b) h'   = s(a), where s is the sigmoid
        (c) h''  = s'(a)
        (d) h''' = s''(a)
    """
    slope = sigmoid(a, order - 1)
    with np.errstate(**LIMITS):
        h = np.logaddexp(a, 0)  # (a)
    return Jet(
        h,
        slope.h,  # (b)
        slope.dh_da if order > 1 else None,  # (c)
        slope.d2h_da2,  # (d)
    )


def tanh(a: Array, order: int = 3) -> Jet:
    """Compute tanh(a) and its derivatives.

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
        (a) h    = tanh(a)
        (b) h'   = 1 - h^2
        (c) h''  = -2 h h'
        (d) h''' = h' (6 h^2 - 2)

    Its limit on the left is -1, so Thm 2 does not apply.

    1 - h^2 cancels on both sides. With the sigmoid s, tanh(a) = 2 s(2 a) - 1, so h' is computed as 4 s'(2 a).
    """
    with np.errstate(**LIMITS):
        h = np.tanh(a)  # (a)
        dh_da = 4 * sigmoid(2 * a, order=1).dh_da  # (b)
        return Jet(
            h,
            dh_da,
            d2h_da2=-2 * h * dh_da if order > 1 else None,  # (c)
            d3h_da3=dh_da * (6 * h * h - 2) if order > 2 else None,  # (d)
        )


RELU = Activation(
    "relu", relu, 0.0, convex=True, zero_on_left=True, non_negative=True, kinks=(0.0,), piecewise_linear=True
)
SIGMOID = Activation("sigmoid", sigmoid, 0.1, zero_on_left=True, non_negative=True, at_most_1=True)
SOFTPLUS = Activation("softplus", softplus, 0.1, convex=True, zero_on_left=True, non_negative=True)
TANH = Activation("tanh", tanh, 0.1, at_most_1=True)

PAPER_ACTIVATIONS = {s.name: s for s in (RELU, SIGMOID, SOFTPLUS, TANH)}
