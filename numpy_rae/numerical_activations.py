"""Activations from any function of a number: derivatives that are not given are computed numerically.

`from_callable` finds out whether the function takes arrays and complex numbers (`numerical_derivatives`), where its
kinks are (`kinks`), and which properties of Sec. 2.1.2 it has on a grid.
"""

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation, FullJet
from numpy_rae.kinks import GRID, find_kinks
from numpy_rae.numerical_derivatives import PROBES, Function, NumericJet, accepts_complex


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
