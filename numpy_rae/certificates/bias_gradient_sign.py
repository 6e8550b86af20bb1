"""The sign of the bias gradient as a function of the pre-activation, on a grid.

(c) sign of dR/db_e_j as a function of a, for one sample and ||W_j|| = 1:  f'(h) h'  or  q h'^(q-1) h''
"""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Activation, FullJet
from numpy_rae.autoencoder import Params
from numpy_rae.certificates.conditions import (  # fmt: skip
    USEFUL,
    accuracy,
    evaluate,
)
from numpy_rae.penalties import MeanActivationPenalty, Penalty
from numpy_rae.theory.theorem_1 import penalty_path

NARROW = 1e-3


@dataclass(frozen=True)
class Interval:
    """Hold an interval of pre-activations on which dR/db_e_j has one sign.

    Attributes
    ----------
    low, high : float
        The ends.
    sign : int
        The sign: -1, 0 or 1.
    at : float
        A pre-activation in the interval.
    value : float
        The gradient dR/db_e_j at `at`, which is close to its largest size in the interval.
    """

    low: float
    high: float
    sign: int
    at: float
    value: float

    def __str__(self) -> str:
        return f"{'-0+'[self.sign + 1]} on ({self.low:.4g}, {self.high:.4g})"


def bias_gradient(
    activation: Activation, penalty: Penalty, a: Array, length: float = 1.0, one_by_one: bool = False
) -> Array:
    """Compute (c) with the penalty's own code: unit j has W_j = `length` and b_j = a_j, and x = 0.

    Parameters
    ----------
    activation : Activation
        The activation.
    penalty : Penalty
        The penalty.
    a : ndarray, shape (k,)
        Pre-activations.
    length : float
        Row length of each unit.
    one_by_one : bool
        Whether each call has one unit only. It must be True for a penalty that couples the units.

    Returns
    -------
    ndarray, shape (k,)
        The gradient dR/db_e_j at each of them.
    """
    activation = replace(activation, non_negative=True)
    parts = np.split(a, len(a)) if one_by_one else [a]
    rng, x = np.random.default_rng(0), np.zeros((1, 1))
    with np.errstate(all="ignore"):
        g = [penalty_path(penalty, Params(np.full((len(b), 1), length), b), activation, x, rng) for b in parts]
    return np.concatenate(g)


def sign(
    activation: Activation, penalty: Penalty, a: Array, length: float = 1.0, one_by_one: bool = False
) -> tuple[Array, Array]:
    """Compute the sign of (c).

    Parameters
    ----------
    activation : Activation
        The activation.
    penalty : Penalty
        The penalty.
    a : ndarray, shape (k,)
        Pre-activations.
    length, one_by_one : float, bool
        As for `bias_gradient`.

    Returns
    -------
    signs : ndarray of int, shape (k,)
        The signs. They are 0 where the accuracy of the jet does not decide.
    g : ndarray, shape (k,)
        The values of (c).
    """
    g = bias_gradient(activation, penalty, a, length, one_by_one)
    near = accuracy(activation)
    if not any(near):
        return np.sign(g).astype(int), g
    h, dh_da, d2h_da2, _ = cast(FullJet, evaluate(activation, a))
    if isinstance(penalty, MeanActivationPenalty):
        slack = np.abs(penalty.extrapolated(h, activation.at_most_1)[1]) * near[1]
    else:
        # d(h'^(q-1) h''), with q = 2 for a penalty of neither family.
        q = getattr(penalty, "q", 2)
        dh_da = np.abs(dh_da) + near[1]
        slack = q * dh_da ** (q - 1) * near[2] + q * (q - 1) * dh_da ** max(q - 2, 0) * np.abs(d2h_da2) * near[1]
    return np.where(np.abs(g) <= slack, 0, np.sign(g)).astype(int), g


def intervals(activation: Activation, penalty: Penalty, a: Array, one_by_one: bool = False) -> tuple[Interval, ...]:
    """Divide the grid into intervals on which (c) has one sign. Bisection finds their ends.

    With `one_by_one`, each call is slow, so the grid is coarser and there is no bisection.

    Parameters
    ----------
    activation : Activation
        The activation.
    penalty : Penalty
        The penalty.
    a : ndarray, shape (k,)
        The grid.
    one_by_one : bool
        As for `bias_gradient`.

    Returns
    -------
    tuple of Interval
        The intervals from left to right. A zero narrower than NARROW between two signs counts as a point.
    """
    if one_by_one:
        a = np.linspace(-USEFUL, USEFUL, 401)
    signs, g = sign(activation, penalty, a, one_by_one=one_by_one)
    cells = np.flatnonzero(np.diff(signs))
    low, high = a[cells], a[cells + 1]
    for _ in range(0 if one_by_one or not len(cells) else 60):
        middle = (low + high) / 2
        same = sign(activation, penalty, middle)[0] == signs[cells]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    # The zeros of a numeric jet are known only to its accuracy.
    ends = [a[0], *high.round(6 if any(accuracy(activation)) else 12), a[-1]]
    ends = [float(end) + 0.0 for end in ends]
    runs = list(zip(ends[:-1], ends[1:], signs[np.append(cells, len(a) - 1)].tolist(), strict=True))
    runs = [(low, high, s) for low, high, s in runs if s or high - low >= NARROW]
    return tuple(describe(a, g, run) for run in merge_intervals(runs))


def merge_intervals(runs: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """Close the gaps between runs of one sign.

    Parameters
    ----------
    runs : list of tuple
        Each run is (low, high, sign).

    Returns
    -------
    list of tuple
        Runs without gaps. Neighbours of one sign become one run. Between others, the border is the middle of the gap.
    """
    result = runs[:1]
    for low, high, s in runs[1:]:
        before = result[-1]
        if before[2] == s:
            result[-1] = (before[0], high, s)
        else:
            middle = (before[1] + low) / 2
            result[-1] = (before[0], middle, before[2])
            result.append((middle, high, s))
    return result


def describe(a: Array, g: Array, run: tuple[float, float, int]) -> Interval:
    """Choose a point of an interval at which the gradient is large.

    Parameters
    ----------
    a : ndarray, shape (k,)
        The grid.
    g : ndarray, shape (k,)
        The values of (c) on the grid.
    run : tuple
        A run (low, high, sign).

    Returns
    -------
    Interval
        The run with this point and its gradient.
    """
    low, high, s = run
    if s == 0:
        return Interval(low, high, 0, float(np.clip(0, low, high)), 0.0)
    size = np.where((a >= low) & (a <= high), s * g, -np.inf)
    # Take the middle one of the points that are close to the largest. The first one can be at a kink.
    high_up = np.flatnonzero(size >= 0.99 * size.max())
    i = high_up[len(high_up) // 2]
    return Interval(low, high, s, float(a[i]), float(g[i]))
