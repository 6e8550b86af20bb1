"""Activations from any callable: derivatives that nobody derived are taken numerically.

The last derivative g that is given (the function itself if none is) is differentiated up to three times.

    (a) complex step: g'(a) = Im g(a + i t) / t, t = 1e-20, exact to rounding, if g takes complex input and means it
    (b) first:  (g(a + t) - g(a - t)) / 2 t
    (c) second: (g(a + t) - 2 g(a) + g(a - t)) / t^2
    (d) third:  (g(a + 2t) - 2 g(a + t) + 2 g(a - t) - g(a - 2t)) / 2 t^3

With (a), the second and third are (b) and (c) of g'. All of (b) to (d) are averages of the derivative itself over
[a - 2t, a + 2t] with positive weights: where h' >= 0, h' <= 1 or h'' >= 0 everywhere, so it is for the difference, up
to rounding. Formulas of a higher order overshoot at a kink and would report violations that are not there.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation, Jet

IMAGINARY = 1e-20
# Steps at |a| <= 1, powers of two so that a + t is exact, and the accuracy where h is of order one; by order of (b-d).
STEPS = (2.0**-17, 2.0**-13, 2.0**-10)
ACCURACY = (1e-9, 1e-6, 1e-4)
REACH = 4 * STEPS[-1]
PROBES = np.concatenate([np.linspace(-6.1, 5.9, 41), [-31.7, -17.3, 16.9, 30.1]]) + 0.0137
GRID = np.concatenate([[-1e4, -1e3, -1e2], np.linspace(-50, 50, 4001), [1e2, 1e3, 1e4]])
JUMP = 1e-3


@dataclass(frozen=True)
class NumericJet:
    """The jet of `known` = (f, the derivatives that are given), in float64 inside and in a's dtype outside.

    Within `REACH` of a kink, a point counts as one at that distance on its own side, the left one at the kink itself.
    """

    known: tuple[Callable, ...]
    by_complex_step: bool
    kinks: tuple[float, ...] = ()

    @property
    def accuracy(self) -> tuple[float, float, float, float]:
        """How far h, h', h'', h''' may be off where h is of order one: 0 for what is given."""
        numeric = (1e-14, *ACCURACY) if self.by_complex_step else ACCURACY
        return (*[0.0] * len(self.known), *numeric)[:4]

    def __call__(self, a: np.ndarray, order: int = 3) -> Jet:
        exact = np.asarray(a, np.float64)
        clear = self.clear(exact)
        with np.errstate(all="ignore"):
            parts = [self.known[0](exact), *(self.derivative(k, clear) for k in range(1, order + 1))]
        return Jet(*(np.asarray(part).astype(a.dtype) for part in parts))

    def clear(self, a: np.ndarray) -> np.ndarray:
        for kink in self.kinks:
            reach = REACH * max(1, abs(kink))
            a = np.where(np.abs(a - kink) < reach, np.where(a > kink, kink + reach, kink - reach), a)
        return a

    def derivative(self, k: int, a: np.ndarray) -> np.ndarray:
        """h's k-th derivative, k >= 1."""
        if k < len(self.known):
            return self.known[k](a)
        missing, g = k - len(self.known) + 1, self.known[-1]
        if not self.by_complex_step:
            return difference(g, a, missing)
        return complex_step(g, a) if missing == 1 else difference(lambda b: complex_step(g, b), a, missing - 1)


def complex_step(g: Callable, a: np.ndarray) -> np.ndarray:
    return np.imag(g(a + 1j * IMAGINARY)) / IMAGINARY  # (a)


def scale(a: np.ndarray) -> np.ndarray:
    """The power of two at or above |a|, at least 1."""
    return 2.0 ** np.ceil(np.log2(np.maximum(1, np.abs(a))))


def difference(g: Callable, a: np.ndarray, order: int) -> np.ndarray:
    """Central difference of order 1, 2 or 3, the step growing with |a|."""
    t = STEPS[order - 1] * scale(a)
    if order == 1:
        return (g(a + t) - g(a - t)) / (2 * t)  # (b)
    if order == 2:
        return (g(a + t) - 2 * g(a) + g(a - t)) / t**2  # (c)
    return (g(a + 2 * t) - 2 * g(a + t) + 2 * g(a - t) - g(a - 2 * t)) / (2 * t**3)  # (d)


@_validation.tiny_is_zero
def from_callable(
    name: str,
    f: Callable,
    derivatives: Sequence[Callable] = (),
    delta_min: float = 0.1,
    kinks: Sequence[float] | None = None,
    **claims: bool,
) -> Activation:
    """An Activation from f(a) -> h, of an array or of a number, and from h', h'', ... as far as `derivatives` go.

    Accuracy: see `NumericJet.accuracy`; h', h'', h''' are good to 1e-14, 1e-9, 1e-6 by complex step and to 1e-9, 1e-6,
    1e-4 by differences. Kinks not given are looked for, jumps of h' above 1e-3, one to each 0.025 of a.
    Claims not given are read off a grid; `certificate.certify` looks closer.
    Raises ValueError if f is not callable, or not finite and real somewhere in [-50, 50].
    """
    for each in (f, *derivatives):
        if not callable(each):
            raise ValueError(f"{name} is given a {type(each).__name__}; it must be a callable of the pre-activation")
    if not isinstance(kinks, Sequence | None):
        raise ValueError(f"kinks is a {type(kinks).__name__}; it must be a sequence of numbers or None")
    for each in kinks or ():
        _validation.number("kinks", each, -math.inf)
    _validation.number("delta_min", delta_min, -math.inf)
    known = tuple(on_arrays(each) for each in (f, *derivatives))
    check_finite(name, known[0])
    jet = NumericJet(known, accepts_complex(known[-1]))
    kinks = find_kinks(jet) if kinks is None else tuple(map(float, kinks))
    jet = NumericJet(known, jet.by_complex_step, kinks)
    return Activation(name, jet, delta_min, kinks=kinks, **{**infer_properties(jet), **claims})


def on_arrays(f: Callable) -> Callable:
    """f itself if it maps arrays to arrays of their shape, else f entry by entry."""
    with np.errstate(all="ignore"):
        try:
            if np.shape(f(PROBES)) == PROBES.shape:
                return f
        except Exception:  # whatever a function of one number does when it is handed an array
            pass
    return np.vectorize(f, otypes=[np.float64])


def check_finite(name: str, f: Callable) -> None:
    """Raise ValueError unless f is finite and real on the useful range."""
    a = GRID[np.abs(GRID) <= 50]
    with np.errstate(all="ignore"):
        try:
            h = np.asarray(f(a))
        except Exception as error:  # the user's function may raise anything
            raise ValueError(f"activation {name} cannot be computed on [-50, 50]: {error}") from error
    bad = a if h.dtype.kind != "f" else a[~np.isfinite(h)]
    if bad.size:
        raise ValueError(f"activation {name} is not a finite real float at a = {bad[0]:g}; it must be on [-50, 50]")


def accepts_complex(g: Callable) -> bool:
    """Whether the complex step of g agrees with differences: np.abs, for one, drops the imaginary part."""
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
    """Where h' jumps, or h itself: each cell of a grid is halved towards the greater change of h', and the change that
    is left must be most of that over three times the width, where a smooth h' would change three times as much."""
    # Off the round numbers where kinks like to sit, so that none is cut in two by the edge of a cell.
    low = GRID[3:-4] + np.e / 1000
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


def locate_kinks(jet: NumericJet, low: np.ndarray, high: np.ndarray) -> tuple[float, ...]:
    """The cells that hold a jump; in each, the point at which the tangents from its two sides meet."""
    width = high - low
    before, after = low - 0.25 * width, high + 0.25 * width
    (h_0, d_0, *_), (h_1, d_1, *_) = jet(before, 1), jet(after, 1)
    wide = np.abs(jet(high + 1.25 * width, 1).dh_da - jet(low - 1.25 * width, 1).dh_da)
    jumps = (np.abs(d_1 - d_0) > JUMP) & (np.abs(d_1 - d_0) > 0.75 * wide)
    with np.errstate(all="ignore"):
        meeting = (h_1 - h_0 + d_0 * before - d_1 * after) / (d_0 - d_1)
    kinks = np.where((before <= meeting) & (meeting <= after), meeting, (low + high) / 2)[jumps]
    kinks = np.sort(kinks.round(9 if jet.by_complex_step else 4))
    # At the edge of two cells both have found it.
    new = np.diff(kinks, prepend=-np.inf) > 16 * STEPS[0] * scale(kinks)
    return tuple(float(k) + 0.0 for k in kinks[new])


def infer_properties(jet: NumericJet) -> dict[str, bool]:
    """Sec. 2.1.2's claims as a grid shows them."""
    parts = jet(GRID, 2)
    h, dh_da, d2h_da2 = (part[3:-3] for part in parts[:3])
    _, near_1, near_2, _ = jet.accuracy
    return {
        "non_decreasing": bool((dh_da >= -near_1).all() and (np.diff(h) >= -near_1).all()),
        "slope_in_unit": bool(((dh_da >= -near_1) & (dh_da <= 1 + near_1)).all()),
        "convex": bool((d2h_da2 >= -near_2).all() and (np.diff(dh_da) >= -near_1).all()),
        "zero_on_left": bool(abs(parts.h[0]) < 1e-8),
        "non_negative": bool((h >= 0).all()),
        "at_most_1": bool((h <= 1).all()),
    }
