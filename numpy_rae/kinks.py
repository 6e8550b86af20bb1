"""Find the kinks of a function: the points where its derivative, or the function itself, jumps."""

import math

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.numerical_derivatives import STEPS, NumericJet, scale

GRID = np.concatenate([[-1e4, -1e3, -1e2], np.linspace(-50, 50, 4001), [1e2, 1e3, 1e4]])
JUMP = 1e-3


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
