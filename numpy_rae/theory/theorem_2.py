"""Theorem 2: compute a lower bound on the probability that a unit is off."""

import math

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation


@_validation.tiny_is_zero
def activation_threshold(activation: Activation, delta_min: float | None = None) -> float:
    """Compute tau = sup{a : s_e(a) <= delta_min}. A unit is inactive ("off") if and only if a_j <= tau.

    Parameters
    ----------
    activation : Activation
        A non-decreasing encoder activation.
    delta_min : float, optional
        Threshold of h. The default is `activation.delta_min`.

    Returns
    -------
    float
        The threshold tau. It is inf if s_e never exceeds delta_min.

    Raises
    ------
    ValueError
        If s_e exceeds delta_min everywhere, or decreases somewhere.
    """
    _validation.instance("activation", activation, Activation)
    level = _validation.number("delta_min", activation.delta_min if delta_min is None else delta_min, -math.inf)

    def _excess(a: float) -> float:
        """Compute s_e(a) - delta_min."""
        return float(activation(np.array([[a]]), 1).h[0, 0]) - level

    if not activation.non_decreasing:
        raise ValueError(f"activation {activation.name} decreases somewhere; Thm 2 needs a non-decreasing one")
    low, high = -1e4, 1e4
    if _excess(low) > 0:
        raise ValueError(f"activation {activation.name} exceeds delta_min {level} everywhere; no unit can be off")
    if _excess(high) <= 0:
        return np.inf
    # The bisection ends at two neighbouring floats, because tau of ReLU must be exactly 0.
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _excess(middle) <= 0 else (low, middle)
    return low


@_validation.tiny_is_zero
def theorem_2_bound(mean_a: Array, tau: float, c: float) -> Array:
    """Compute the bound of Thm 2, p_j <= Pr(h_j <= delta_min), by the one-sided Chebyshev inequality.

    Parameters
    ----------
    mean_a : ndarray, shape (m,)
        E[a_j], called mu_j below.
    tau : float
        Result of `activation_threshold`.
    c : float or ndarray, shape (m,)
        Bound on the standard deviation of a_j, one for all units or one per unit. Under Assumption 1 it is ||W_j||, so
        it is 1 if the rows of W have length 1.

    Returns
    -------
    ndarray, shape (m,)
        p_j = (tau - mu_j)^2 / (c^2 + (tau - mu_j)^2) where mu_j < tau, else 0. If c is fixed, p_j increases as mu_j
        decreases. If c changes as well, p_j can also decrease.

    Raises
    ------
    ValueError
        If an argument is not finite or c is negative.
    """
    _validation.vector("mean_a", mean_a)
    if tau != math.inf:  # the result of `activation_threshold` for a unit that is always off
        _validation.number("tau", tau, -math.inf)
    smallest = float(_validation.vector("c", c, len(mean_a)).min()) if isinstance(c, np.ndarray) else c
    _validation.number("c", smallest)
    with np.errstate(over="ignore"):
        gap = np.maximum(float(tau) - mean_a, 0)
        ratio = np.divide(c, gap, out=np.full_like(gap, np.inf), where=gap > 0)
        return 1 / (1 + ratio**2)
