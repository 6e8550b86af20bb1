"""Examine a penalty of neither Cor. 1's nor Cor. 2's family.

Only the sign of its bias gradient is left to examine. R is the penalty, and g is a function.

    (a) if R is separable (`separability`), dR/db_e_j is a mean of g(a_ij, ||W_j||). The sign of g is evaluated on a
        grid of a, at each of LENGTHS
    (b) if g is never negative and positive somewhere, Thm 1 lowers the mean pre-activation of every unit for a large
        enough lambda, if 0 <= h' <= 1. Lower means sparser by Thm 2, if h -> 0 on the left
    (c) if R is not separable, `counter_example.search` looks for a unit with a negative bias gradient. It ends with a
        counter-example or without one, and the prediction is "undetermined" in both cases
"""

from dataclasses import dataclass, replace

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.certificates.bias_gradient_sign import Interval, bias_gradient, intervals, sign
from numpy_rae.certificates.conditions import USEFUL, Condition, Witness, most_violating_point
from numpy_rae.certificates.counter_example import DRAWS, CounterExample, search
from numpy_rae.certificates.separability import Separability, check_separability
from numpy_rae.certificates.verdict import SPARSER, UNAFFECTED, UNDETERMINED
from numpy_rae.penalties import Penalty

LENGTHS = (1.0, 0.5, 2.0)
NEITHER = "The penalty is of neither family"
NEEDED = ("non_decreasing", "slope_in_unit", "zero_on_left")


@dataclass(frozen=True)
class Finding:
    """Hold what was found about a penalty of neither family.

    Attributes
    ----------
    conditions : tuple of Condition
        Whether the penalty is separable, and whether its bias gradient is nowhere negative.
    signs : tuple of Interval
        Intervals of a with the sign of the bias gradient, for one unit of length 1 on one sample.
    prediction : str
        SPARSER, UNAFFECTED or UNDETERMINED.
    reason : str
        The reason in one or two sentences.
    counter_example : CounterExample or None
        Result of the search, for a penalty that is not separable.
    """

    conditions: tuple[Condition, ...]
    signs: tuple[Interval, ...]
    prediction: str
    reason: str
    counter_example: CounterExample | None = None


def examine(activation: Activation, penalty: Penalty, a: Array, of_s_e: tuple[Condition, ...]) -> Finding:
    """Examine a penalty by the steps (a) to (c) of this module.

    Parameters
    ----------
    activation : Activation
        The activation.
    penalty : Penalty
        The penalty.
    a : ndarray, shape (k,)
        The grid of the conditions.
    of_s_e : tuple of Condition
        The conditions on the activation.

    Returns
    -------
    Finding
        The conditions, signs and prediction.
    """
    activation = replace(activation, non_negative=True)  # the penalty must not refuse it here
    separable = check_separability(activation, penalty)
    if separable.holds:
        return _on_a_grid(activation, penalty, a[np.abs(a) <= USEFUL], separable, of_s_e)
    return _by_search(activation, penalty, a, separable)


def _separable_condition(separable: Separability) -> Condition:
    """Return the condition that the penalty is separable."""
    return Condition("separable", "dR/da_ij is g(a_ij, ||W_j||)", ("sign on a grid",), separable.witness)


def _on_a_grid(
    activation: Activation, penalty: Penalty, a: Array, separable: Separability, of_s_e: tuple[Condition, ...]
) -> Finding:
    """Evaluate (a) and (b)."""
    a = a[np.isfinite([bias_gradient(activation, penalty, a, length) for length in LENGTHS]).all(axis=0)]
    if not a.size:
        raise ValueError("the bias gradient of the penalty is not finite at any point of the grid")
    by_length = {length: sign(activation, penalty, a, length) for length in LENGTHS}
    witness = _negative(a, by_length)
    pushes = Condition("pushes_down", "dR/db_e_j >= 0", ("Thm 1",), witness)
    positive = any((signs > 0).any() for signs, _ in by_length.values())
    conditions = (_separable_condition(separable), pushes)
    verdict = _predict(witness, positive, separable.through_lengths, of_s_e)
    return Finding(conditions, intervals(activation, penalty, a), *verdict)


def _negative(a: Array, by_length: dict[float, tuple[Array, Array]]) -> Witness | None:
    """Return the point with the most negative g at the first of LENGTHS that has one."""
    for length, (signs, g) in by_length.items():
        of = "dR/db" if length == 1 else f"dR/db with ||W_j|| = {length:g}"
        found = most_violating_point(of, a, g, np.where(signs < 0, g, 0.0))
        if found:
            return found
    return None


def _predict(
    negative: Witness | None, positive: bool, through_lengths: bool, of_s_e: tuple[Condition, ...]
) -> tuple[str, str]:
    """Apply (b)."""
    start = f"{NEITHER}. As far as tested, dR/da_ij depends on a_ij and ||W_j|| alone. "
    if negative and positive:
        return UNDETERMINED, f"{start}Its bias gradient has both signs: {negative}."
    if negative:
        return (
            UNDETERMINED,
            f"{start}Its bias gradient is never positive: {negative}. So a gradient step on it raises E[a_j].",
        )
    if not positive and through_lengths:
        return UNAFFECTED, f"{start}Its bias gradient is 0 at every point of the grid."
    if not positive:
        return (
            UNDETERMINED,
            f"{start}Its bias gradient is 0, but it acts on W in other ways than through the row lengths.",
        )
    failing = [f"{c.asks} fails, {c.witness}" for c in of_s_e if c.name in NEEDED and not c.holds]
    if failing:
        return UNDETERMINED, f"{start}Its bias gradient is never negative, but {'; '.join(failing)}."
    return SPARSER, f"{start}Its bias gradient is never negative: a large enough lambda lowers E[a_j] (Thm 1, Thm 2)."


def _by_search(activation: Activation, penalty: Penalty, a: Array, separable: Separability) -> Finding:
    """Evaluate (c)."""
    found = search(activation, penalty)
    signs = intervals(activation, penalty, a, one_by_one=True)
    conditions = (_separable_condition(separable),)
    start = f"{NEITHER}, and dR/da_ij depends on more than a_ij and ||W_j||. "
    if found is None:
        text = f"No counter-example to dR/db_e_j >= 0 in {DRAWS:,} random draws of W, b_e and x. This proves nothing."
        return Finding(conditions, signs, UNDETERMINED, start + text)
    pushes = Condition("pushes_down", "dR/db_e_j >= 0", ("Thm 1",), Witness("dR/db", found.value))
    return Finding((*conditions, pushes), signs, UNDETERMINED, f"{start}Counter-example: {found}.", found)
