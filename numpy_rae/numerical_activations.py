"""Activations from any function of a number: derivatives that are not given are computed numerically.

The last derivative g that is given (the function itself if there is none) is differentiated up to three times.

    (a) complex step: g'(a) = Im g(a + i t) / t with t = 1e-20, exact up to rounding if g is analytic
    (b) first:  (g(a + t) - g(a - t)) / 2 t
    (c) second: (g(a + t) - 2 g(a) + g(a - t)) / t^2
    (d) third:  (g(a + 2t) - 2 g(a + t) + 2 g(a - t) - g(a - 2t)) / 2 t^3

If (a) is used, the second and third derivative are (b) and (c) of g'. The formulas (b) to (d) are averages of the
derivative itself over [a - 2t, a + 2t], with positive weights. So if h' >= 0, h' <= 1 or h'' >= 0 holds everywhere, it
also holds for the difference, up to rounding. Formulas of a higher order overshoot at a kink, and would report false
violations.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation, FullJet, Jet

# From arrays to arrays; a user's function may also be one of a single number.
Function: TypeAlias = Callable[[Any], Any]

IMAGINARY = 1e-20
# By order, for (b) to (d): the step t for |a| <= 1, a power of two so that a + t is exact; and the error where h is of
# order one.
STEPS = (2.0**-17, 2.0**-13, 2.0**-10)
ACCURACY = (1e-9, 1e-6, 1e-4)
REACH = 4 * STEPS[-1]
PROBES = np.concatenate([np.linspace(-6.1, 5.9, 41), [-31.7, -17.3, 16.9, 30.1]]) + 0.0137
GRID = np.concatenate([[-1e4, -1e3, -1e2], np.linspace(-50, 50, 4001), [1e2, 1e3, 1e4]])
JUMP = 1e-3


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


@_validation.tiny_is_zero
def from_callable(
    name: str,
    f: Function,
    derivatives: Sequence[Function] = (),
    delta_min: float = 0.1,
    kinks: Sequence[float] | None = None,
    **claims: Any,
) -> Activation:
    """Make an Activation from a function, with numerical derivatives where none are given.

    Parameters
    ----------
    name : str
        Name in records and figures.
    f : callable
        Function f(a) -> h, of an array or of a number.
    derivatives : sequence of callable
        Functions for h', h'' and so on, as many as are known.
    delta_min : float
        Activation threshold of Eq. (14).
    kinks : sequence of float, optional
        Points where f is not differentiable. By default they are searched for: a kink is a jump of h' by more than
        1e-3, and at most one is found in each interval of length 0.025.
    **claims : bool
        Properties of the `Activation`, such as `convex=True`. Those that are not given are read from values on a
        grid. `certificate.certify` checks more points.

    Returns
    -------
    Activation
        The activation.

    Raises
    ------
    ValueError
        If f or a derivative is not callable, if f is not finite and real on [-50, 50], or if `kinks` or `delta_min`
        is no number.

    Notes
    -----
    The errors of h', h'' and h''' are about 1e-14, 1e-9 and 1e-6 with a complex step, and 1e-9, 1e-6 and 1e-4 with
    differences. See `NumericJet.accuracy`.
    """
    for each in (f, *derivatives):
        if not callable(each):
            raise ValueError(f"{name} is given a {type(each).__name__}; it must be a callable of the pre-activation")
    if not isinstance(kinks, Sequence | None):
        raise ValueError(f"kinks is a {type(kinks).__name__}; it must be a sequence of numbers or None")
    for kink in kinks or ():
        _validation.number("kinks", kink, -math.inf)
    _validation.number("delta_min", delta_min, -math.inf)
    known = tuple(on_arrays(each) for each in (f, *derivatives))
    check_finite(name, known[0])
    jet = NumericJet(known, accepts_complex(known[-1]))
    kinks = find_kinks(jet) if kinks is None else tuple(map(float, kinks))
    jet = NumericJet(known, jet.by_complex_step, kinks)
    return Activation(name, jet, delta_min, kinks=kinks, **{**infer_properties(jet), **claims})


def on_arrays(f: Function) -> Function:
    """Return f if it maps arrays to arrays of the same shape, else a function that calls f for each entry.

    Parameters
    ----------
    f : callable
        Function of an array or of a number.

    Returns
    -------
    callable
        Function of an array.
    """
    with np.errstate(all="ignore"):
        try:
            if np.shape(f(PROBES)) == PROBES.shape:
                return f
        except Exception:  # a function of one number may raise anything when it gets an array
            pass
    return np.vectorize(f, otypes=[np.float64])


def check_finite(name: str, f: Function) -> None:
    """Raise ValueError unless f is finite and real on [-50, 50].

    Parameters
    ----------
    name : str
        Name of the activation.
    f : callable
        Function of an array.

    Raises
    ------
    ValueError
        If f fails, or if a value is complex, NaN or infinite.
    """
    a = GRID[np.abs(GRID) <= 50]
    with np.errstate(all="ignore"):
        try:
            h = np.asarray(f(a))
        except Exception as error:  # the user's function may raise anything
            raise ValueError(f"activation {name} cannot be computed on [-50, 50]: {error}") from error
    bad = a if h.dtype.kind != "f" else a[~np.isfinite(h)]
    if bad.size:
        raise ValueError(f"activation {name} is not a finite real float at a = {bad[0]:g}; it must be on [-50, 50]")


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


def find_kinks(jet: NumericJet) -> tuple[float, ...]:
    """Find the points where h' or h jumps.

    Parameters
    ----------
    jet : NumericJet
        Jet without kinks.

    Returns
    -------
    tuple of float
        The kinks, in increasing order.

    Notes
    -----
    Each cell of a grid is halved again and again, towards the greater change of h'. A cell holds a jump if most of the
    change over three times its width lies in the cell. For a smooth h', the change over three times the width is three
    times as large.
    """
    # Most kinks are at round numbers. The shift keeps the edges of the cells away from them.
    low = GRID[3:-4] + math.e / 1000
    high = low + np.diff(GRID[3:-3])
    # A difference spreads a kink over 2 t; a complex step does not.
    least = 0 if jet.by_complex_step else 8 * STEPS[0] * scale(high)
    for _ in range(30):
        middle, wide = (low + high) / 2, high - low > least
        d_low, d_middle, d_high = (jet(point, 1).dh_da for point in (low, middle, high))
        left = np.abs(d_middle - d_low) > np.abs(d_high - d_middle)
        low, high = np.where(wide & ~left, middle, low), np.where(wide & left, middle, high)
        if not wide.any():
            break
    return locate_kinks(jet, low, high)


def locate_kinks(jet: NumericJet, low: Array, high: Array) -> tuple[float, ...]:
    """Select the cells that hold a jump, and locate the kink in each.

    The kink is the point where the tangents from the two sides of the cell meet.

    Parameters
    ----------
    jet : NumericJet
        Jet without kinks.
    low : ndarray
        Left ends of the cells.
    high : ndarray
        Right ends of the cells.

    Returns
    -------
    tuple of float
        The kinks, in increasing order.
    """
    width = high - low
    before, after = low - 0.25 * width, high + 0.25 * width
    (h_0, d_0, *_), (h_1, d_1, *_) = jet(before, 1), jet(after, 1)
    wide = np.abs(jet(high + 1.25 * width, 1).dh_da - jet(low - 1.25 * width, 1).dh_da)
    jumps = (np.abs(d_1 - d_0) > JUMP) & (np.abs(d_1 - d_0) > 0.75 * wide)
    with np.errstate(all="ignore"):
        meeting = (h_1 - h_0 + d_0 * before - d_1 * after) / (d_0 - d_1)
    kinks = np.where((before <= meeting) & (meeting <= after), meeting, (low + high) / 2)[jumps]
    kinks = np.sort(kinks.round(9 if jet.by_complex_step else 4))
    # A kink at the edge of two cells is found in both.
    new = np.diff(kinks, prepend=-np.inf) > 16 * STEPS[0] * scale(kinks)
    return tuple(float(k) + 0.0 for k in kinks[new])


def infer_properties(jet: NumericJet) -> dict[str, bool]:
    """Read the properties of Sec. 2.1.2 from values on a grid.

    Parameters
    ----------
    jet : NumericJet
        Jet of the activation.

    Returns
    -------
    dict of str to bool
        The properties, by their names in `Activation`.
    """
    parts = jet(GRID, 2)
    h, dh_da, d2h_da2 = (part[3:-3] for part in cast(FullJet, parts)[:3])
    _, near_1, near_2, _ = jet.accuracy
    return {
        "non_decreasing": bool((dh_da >= -near_1).all() and (np.diff(h) >= -near_1).all()),
        "slope_in_unit": bool(((dh_da >= -near_1) & (dh_da <= 1 + near_1)).all()),
        "convex": bool((d2h_da2 >= -near_2).all() and (np.diff(dh_da) >= -near_1).all()),
        "zero_on_left": bool(abs(parts.h[0]) < 1e-8),
        "non_negative": bool((h >= 0).all()),
        "at_most_1": bool((h <= 1).all()),
    }
