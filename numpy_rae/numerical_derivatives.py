"""Derivatives of any function of a number, by a complex step or by central differences.

g is the last derivative that the user gave, or the function itself without any. g is differentiated up to three times.

    (a) complex step: g'(a) = Im g(a + i t) / t with t = 1e-20, exact up to rounding if g is analytic
    (b) first:  (g(a + t) - g(a - t)) / 2 t
    (c) second: (g(a + t) - 2 g(a) + g(a - t)) / t^2
    (d) third:  (g(a + 2t) - 2 g(a + t) + 2 g(a - t) - g(a - 2t)) / 2 t^3

If (a) is used, the second and third derivative are (b) and (c) of g'. The formulas (b) to (d) are averages of the
derivative itself over [a - 2t, a + 2t], with positive weights. So if h' >= 0, h' <= 1 or h'' >= 0 holds everywhere, it
also holds for the difference, up to rounding. Formulas of a higher order overshoot at a kink, and would report false
violations.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Jet

# A function of arrays. The function of a user can also take a single number.
Function: TypeAlias = Callable[[Any], Any]
IMAGINARY = 1e-20
# STEPS: the step t of (b), (c) and (d) for |a| <= 1, a power of two so that a + t is exact.
# ACCURACY: their errors where h is of order one.
STEPS = (2.0**-17, 2.0**-13, 2.0**-10)
ACCURACY = (1e-9, 1e-6, 1e-4)
REACH = 4 * STEPS[-1]
PROBES = np.concatenate([np.linspace(-6.1, 5.9, 41), [-31.7, -17.3, 16.9, 30.1]]) + 0.0137


@dataclass(frozen=True)
class NumericJet:
    """Jet of a function, with numerical derivatives where none are given.

    It computes in float64 and returns the dtype of a. Derivatives near a kink are computed at a distance `REACH` from
    it, on the side of the point. The kink itself counts as on its left.

    Attributes
    ----------
    known : tuple of callable
        The function, then the derivatives that are given: h', h'' and so on.
    by_complex_step : bool
        Whether the last of them is differentiated by a complex step.
    kinks : tuple of float
        Points where a derivative jumps.
    """

    known: tuple[Function, ...]
    by_complex_step: bool
    kinks: tuple[float, ...] = ()

    @property
    def accuracy(self) -> tuple[float, float, float, float]:
        """Return how much h, h', h'' and h''' can be wrong where h is of order one; 0 for what is given.

        Returns
        -------
        tuple of float
            The four errors.
        """
        numeric = (1e-14, *ACCURACY) if self.by_complex_step else ACCURACY
        return (*[0.0] * len(self.known), *numeric)[:4]

    def __call__(self, a: Array, order: int = 3) -> Jet:
        exact = np.asarray(a, np.float64)
        clear = self.clear(exact)
        with np.errstate(all="ignore"):
            parts = [self.known[0](exact), *(self.derivative(k, clear) for k in range(1, order + 1))]
        return Jet(*(np.asarray(part).astype(a.dtype) for part in parts))

    def clear(self, a: Array) -> Array:
        """Move points off the kinks, each to its own side.

        Parameters
        ----------
        a : ndarray
            Pre-activations.

        Returns
        -------
        ndarray
            The points, at a distance of at least `REACH` from each kink.
        """
        for kink in self.kinks:
            reach = REACH * max(1, abs(kink))
            a = np.where(np.abs(a - kink) < reach, np.where(a > kink, kink + reach, kink - reach), a)
        return a

    def derivative(self, k: int, a: Array) -> Array:
        """Compute the k-th derivative of h.

        Parameters
        ----------
        k : int
            Order, at least 1.
        a : ndarray
            Pre-activations.

        Returns
        -------
        ndarray
            The derivative.
        """
        if k < len(self.known):
            given: Array = self.known[k](a)
            return given
        missing, g = k - len(self.known) + 1, self.known[-1]
        if not self.by_complex_step:
            return difference(g, a, missing)
        return complex_step(g, a) if missing == 1 else difference(lambda b: complex_step(g, b), a, missing - 1)


def complex_step(g: Function, a: Array) -> Array:
    """Compute a first derivative by a complex step, formula (a).

    Parameters
    ----------
    g : callable
        Function of an array.
    a : ndarray
        Pre-activations.

    Returns
    -------
    ndarray
        The derivative.
    """
    derivative: Array = np.imag(g(a + 1j * IMAGINARY)) / IMAGINARY  # (a)
    return derivative


def scale(a: Array) -> Array:
    """Return the smallest power of two that is at least |a|, and at least 1.

    Parameters
    ----------
    a : ndarray
        Pre-activations.

    Returns
    -------
    ndarray
        The powers of two.
    """
    power: Array = 2.0 ** np.ceil(np.log2(np.maximum(1, np.abs(a))))
    return power


def difference(g: Function, a: Array, order: int) -> Array:
    """Compute a derivative by central differences, formulas (b) to (d).

    The step grows with |a|.

    Parameters
    ----------
    g : callable
        Function of an array.
    a : ndarray
        Pre-activations.
    order : {1, 2, 3}
        Order of the derivative.

    Returns
    -------
    ndarray
        The derivative.
    """
    t = STEPS[order - 1] * scale(a)
    derivative: Array
    if order == 1:
        derivative = (g(a + t) - g(a - t)) / (2 * t)  # (b)
    elif order == 2:
        derivative = (g(a + t) - 2 * g(a) + g(a - t)) / t**2  # (c)
    else:
        derivative = (g(a + 2 * t) - 2 * g(a + t) + 2 * g(a - t) - g(a - 2 * t)) / (2 * t**3)  # (d)
    return derivative


def accepts_complex(g: Function) -> bool:
    """Say whether the complex step of g agrees with differences.

    For some functions it does not. For example, np.abs drops the imaginary part.

    Parameters
    ----------
    g : callable
        Function of an array.

    Returns
    -------
    bool
        Whether they agree.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            stepped = complex_step(g, PROBES)
            same = np.abs(np.real(g(PROBES + 1j * IMAGINARY)) - g(PROBES)) <= 1e-12 * np.maximum(1, np.abs(PROBES))
        except Exception:  # expit and logaddexp raise TypeError; a user's function may raise anything
            return False
        rough = difference(g, PROBES, 1)
    return bool(same.all() and (np.abs(stepped - rough) <= 1e-6 * np.maximum(1, np.abs(rough))).all())
