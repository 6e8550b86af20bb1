"""Encoder activations s_e as jets: the value and the first three derivatives leave one function.

Sec. 2.1.2 asks four things of an activation: non-decreasing, slope in [0, 1], convex (for Cor. 2), and 0 as
the limit on the left (for Thm 2). Each `Activation` carries these claims as flags, and the tests hold it to them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpy_rae import _validation

# exp and its inverse may leave the range of numbers; the limit, 0 or inf, is then the right value.
LIMITS = {"over": "ignore", "under": "ignore", "divide": "ignore"}


class Jet(NamedTuple):
    """s_e and its derivatives at a, each of a's shape and dtype; None above the order asked for."""

    h: np.ndarray
    dh_da: np.ndarray
    d2h_da2: np.ndarray | None = None
    d3h_da3: np.ndarray | None = None


@dataclass(frozen=True)
class Activation:
    """An encoder activation s_e with what Sec. 2.1.2 claims of it.

    `jet(a, order)` returns a `Jet` filled up to `order` in {1, 2, 3}; `delta_min` is the activation threshold
    of Eq. (14); `kinks` are the points where s_e is not differentiable (the jet takes the left derivative there).
    With a `version`, name and version alone say which records are this activation's (see `identity`).
    `piecewise_linear` says that the jet's h'' is 0 everywhere: the package's penalties then leave out what it multiplies.
    `at_most_1` says that h <= 1 everywhere; Eq. (13) is then defined for every mean code below 1.
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

    def __post_init__(self):
        _validation.version("version", self.version)

    @_validation.tiny_is_zero
    def __call__(self, a: np.ndarray, order: int = 3) -> Jet:
        return self.jet(a, order)


def relu(a: np.ndarray, order: int = 3) -> Jet:
    """max(0, a). Fn. 1: the second derivative is a Dirac at 0, which no sample meets; the jet says 0 everywhere."""
    flat = np.zeros_like(a) if order > 1 else None
    return Jet(
        h=a.clip(0, np.inf),  # NumPy vectorises clip, and maximum with a scalar not
        dh_da=(a > 0).astype(a.dtype),
        d2h_da2=flat,
        d3h_da3=flat if order > 2 else None,
    )


def sigmoid(a: np.ndarray, order: int = 3) -> Jet:
    """1 / (1 + exp(-a)); with rest = 1 - h, h' = h rest, h'' = h' (rest - h), h''' = h' (1 - 6 h').

    `rest` is computed as 1 / (1 + exp(a)), because 1 - h cancels on the right. So h and h' are accurate to a few
    units in the last place, wherever exp(|a|) and its inverse are normal numbers.
    """
    with np.errstate(**LIMITS):
        e = np.exp(a)
        h, rest = 1 / (1 + 1 / e), 1 / (1 + e)
        dh_da = h * rest
        return Jet(
            h,
            dh_da,
            d2h_da2=dh_da * (rest - h) if order > 1 else None,
            d3h_da3=dh_da * (1 - 6 * dh_da) if order > 2 else None,
        )


def softplus(a: np.ndarray, order: int = 3) -> Jet:
    """log(1 + exp(a)) without overflow; its derivatives are the sigmoid's jet, one order up."""
    slope = sigmoid(a, order - 1)
    with np.errstate(**LIMITS):
        h = np.logaddexp(a, 0)
    return Jet(h, slope.h, slope.dh_da if order > 1 else None, slope.d2h_da2)


def tanh(a: np.ndarray, order: int = 3) -> Jet:
    """tanh(a); h' = 1 - h^2, h'' = -2 h h', h''' = h' (6 h^2 - 2). It saturates at -1, outside Thm 2.

    tanh(a) = 2 s(2 a) - 1 with the sigmoid s, so h' is also 4 s'(2 a): 1 - h^2 cancels on both sides.
    """
    with np.errstate(**LIMITS):
        h = np.tanh(a)
        dh_da = 4 * sigmoid(2 * a, order=1).dh_da
        return Jet(
            h,
            dh_da,
            d2h_da2=-2 * h * dh_da if order > 1 else None,
            d3h_da3=dh_da * (6 * h * h - 2) if order > 2 else None,
        )


RELU = Activation(
    "relu", relu, 0.0, convex=True, zero_on_left=True, non_negative=True, kinks=(0.0,), piecewise_linear=True
)
SIGMOID = Activation("sigmoid", sigmoid, 0.1, zero_on_left=True, non_negative=True, at_most_1=True)
SOFTPLUS = Activation("softplus", softplus, 0.1, convex=True, zero_on_left=True, non_negative=True)
TANH = Activation("tanh", tanh, 0.1, at_most_1=True)

PAPER_ACTIVATIONS = {s.name: s for s in (RELU, SIGMOID, SOFTPLUS, TANH)}
