"""Theorem 2: a lower bound on the probability that a unit is off."""

import math

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation


@_validation.tiny_is_zero
def activation_threshold(activation: Activation, delta_min: float | None = None) -> float:
    """tau = sup{a : s_e(a) <= delta_min}: a unit is off exactly when a_j <= tau. inf if s_e never exceeds delta_min.

    Raises ValueError if s_e exceeds delta_min everywhere, or decreases.
    """
    _validation.instance("activation", activation, Activation)
    level = _validation.number("delta_min", activation.delta_min if delta_min is None else delta_min, -math.inf)

    def excess(a: float) -> float:
        return float(activation(np.array([[a]]), 1).h[0, 0]) - level

    if not activation.non_decreasing:
        raise ValueError(f"activation {activation.name} decreases somewhere; Thm 2 needs a non-decreasing one")
    low, high = -1e4, 1e4
    if excess(low) > 0:
        raise ValueError(f"activation {activation.name} exceeds delta_min {level} everywhere; no unit can be off")
    if excess(high) <= 0:
        return np.inf
    # Bisection down to neighbouring floats: at ReLU's kink tau must be 0 exactly.
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if excess(middle) <= 0 else (low, middle)
    return low


@_validation.tiny_is_zero
def theorem_2_bound(mean_a: np.ndarray, tau: float, c: float) -> np.ndarray:
    """Thm 2: p_j <= Pr(h_j <= delta_min) by the one-sided Chebyshev inequality, (m,).

    p_j = (tau - mu_j)^2 / (c^2 + (tau - mu_j)^2) for mu_j = E[a_j] < tau, else 0, where c bounds the standard deviation
    of a_j, one for all or (m,): ||W_j|| <= c under Assumption 1, 1 on unit rows. Increasing as mu_j falls only while c
    stays fixed.
    """
    _validation.vector("mean_a", mean_a)
    if tau != math.inf:  # as `activation_threshold` has it where a unit is always off
        _validation.number("tau", tau, -math.inf)
    smallest = float(_validation.vector("c", c, len(mean_a)).min()) if isinstance(c, np.ndarray) else c
    _validation.number("c", smallest)
    with np.errstate(over="ignore"):
        gap = np.maximum(float(tau) - mean_a, 0)
        ratio = np.divide(c, gap, out=np.full_like(gap, np.inf), where=gap > 0)
        return 1 / (1 + ratio**2)
