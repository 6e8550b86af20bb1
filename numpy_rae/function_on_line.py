"""A user's function on a line through a point: its values, its slopes, its rounding and its kinks."""

import math
from collections.abc import Callable

import numpy as np

from numpy_rae import _contracts, _validation
from numpy_rae._validation import Array

EPS = float(np.finfo(float).eps)
ROUNDINGS = 100 * EPS
Function = Callable[[Array], tuple[float, Array]]


class Probe:
    """Evaluate a function on the line point + t direction, and record the largest |f|.

    Parameters
    ----------
    f : callable
        `f(vector) -> (value, gradient)`.
    point, direction : ndarray, shape (k,), float64
        The line.
    """

    def __init__(self, f: Function, point: Array, direction: Array):
        self.f, self.point, self.direction, self.largest = f, point, direction, 0.0

    def __call__(self, t: float = 0.0) -> tuple[float, float]:
        """Return f and its derivative g.d at point + t direction."""
        value, gradient = self.both(t)
        return value, float(gradient @ self.direction)

    def both(self, t: float = 0.0) -> tuple[float, Array]:
        """Compute f and its gradient at point + t direction, and check both.

        Parameters
        ----------
        t : float
            Position on the line.

        Returns
        -------
        value : float
            The value of f.
        gradient : ndarray, shape (k,)
            A copy of its gradient.
        """
        value, gradient = _contracts.pair("f", self.f(self.point + t * self.direction), "(value, gradient)")
        value = _contracts.real("f", value)
        gradient = _contracts.array("f", "a gradient", gradient, self.point.shape, self.point.dtype).copy()
        if math.isfinite(value):
            self.largest = max(self.largest, abs(value))
        return value, gradient

    def rounding(self) -> float:
        """Estimate how much rounding can change a value of f.

        Returns
        -------
        float
            Rounding of the value itself, plus the effect of rounding the point.
        """
        moved = float(np.abs(self.both()[1]) @ np.abs(self.point))
        return ROUNDINGS * max(self.largest, float(np.finfo(float).tiny)) + EPS * moved

    def noise(self, t: float, slope_error: float) -> float | None:
        """Compare two results at one point, both at t = 0 and at another t.

        Parameters
        ----------
        t : float
            Position of the second point.
        slope_error : float
            Difference of slopes that counts as rounding.

        Returns
        -------
        float or None
            How much the results differ. None if they agree up to rounding.
        """
        for where in (0.0, t):
            (value, slope), (value_2, slope_2) = self(where), self(where)
            if abs(value - value_2) > ROUNDINGS * self.largest:
                return abs(value - value_2)
            if abs(slope - slope_2) > slope_error:
                return abs(slope - slope_2)
        return None


def check_line(f: Function, point: Array, direction: Array) -> Probe:
    """Return f on a line, after a check that it is finite at the point.

    Parameters
    ----------
    f : callable
        `f(vector) -> (value, gradient)`.
    point, direction : ndarray, shape (k,), float64
        The line.

    Returns
    -------
    Probe
        The function of t.

    Raises
    ------
    ValueError
        If f is not finite at the point, or does not return a real number and a float64 gradient of the vector's shape.
    """
    _validation.function("f", f)
    _validation.like("point", _validation.vector("point", point), point.shape, np.dtype(np.float64))
    _validation.vector("direction", _validation.like("direction", direction, point.shape, point.dtype))
    probe = Probe(f, point, direction)
    with np.errstate(all="ignore"):
        value, gradient = probe.both()
    if not np.isfinite(value) or not np.isfinite(gradient).all():
        raise ValueError("f or its gradient is not finite at the point; they must be finite there")
    return probe


def one_sided(probe: Probe, step: float, rounding: float) -> tuple[float | None, float | None]:
    """Compute the one-sided derivatives at the point, if they differ as they do at a kink.

    A smooth f has one-sided differences that approach each other as the step falls. At a kink, their difference is as
    large over a hundredth of the step.

    Parameters
    ----------
    probe : Probe
        The function of t.
    step : float
        The step t.
    rounding : float
        What rounding can change in a value of f.

    Returns
    -------
    left, right : float or None
        The derivatives. Both are None if there is no kink.
    """
    value = probe()[0]
    slopes = {t: ((value - probe(-t)[0]) / t, (probe(t)[0] - value) / t) for t in (step, step / 100)}
    (wide, near), (left, right) = ([r - l for l, r in slopes.values()], slopes[step / 100])
    kink = abs(near) > abs(wide) / 10 and abs(near) > 100 * rounding / step
    return (left, right) if kink else (None, None)
