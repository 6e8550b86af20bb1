"""The prediction for lambda with a penalty of Cor. 1's or Cor. 2's family.

It follows from the conditions that hold and from the sign of the bias gradient. `neither_family` predicts for all other
penalties.

(d) Cor. 1 or Cor. 2 applies if its conditions hold. Then the mean pre-activation is pushed down wherever (c) is
    positive, and not changed where it is 0; lower means sparser by Thm 2, if h -> 0 on the left.
"""

from numpy_rae.certificates.bias_gradient_sign import Interval
from numpy_rae.certificates.conditions import (  # fmt: skip
    Condition,
)
from numpy_rae.certificates.penalty_family import family
from numpy_rae.penalties import Penalty

SPARSER, UNAFFECTED, UNDETERMINED = "sparser with lambda", "unaffected", "undetermined"


def predict(
    penalty: Penalty, conditions: dict[str, Condition], corollary: str, signs: tuple[Interval, ...], zero: str
) -> tuple[str, str]:
    """Apply (d) to a penalty of one of the two families.

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    conditions : dict
        The conditions by name.
    corollary : str
        The corollary that applies, or "none".
    signs : tuple of Interval
        Result of `intervals`.
    zero : str
        The words for a zero gradient: exact, or within the accuracy of numeric derivatives.

    Returns
    -------
    prediction : str
        The prediction.
    reason : str
        The reason in a sentence.
    """
    failing = [c for c in conditions.values() if not c.holds]
    by_sign = {i.sign: i for i in sorted(signs, key=lambda i: abs(i.value))}
    if not signs:
        return UNDETERMINED, f"The penalty refuses this activation: {conditions['in_domain'].witness}."
    if set(by_sign) == {0}:
        form = f"{corollary} applies in form, and the" if corollary != "none" else "The"
        return UNAFFECTED, f"{form} bias gradient is {zero} everywhere it exists (Fn. 1); lambda has no effect."
    if corollary != "none" and conditions["zero_on_left"].holds:
        return SPARSER, f"{corollary} pushes the mean pre-activation down, and h -> 0 on the left (Thm 2)."
    if corollary != "none":
        limit = conditions["zero_on_left"].witness
        return UNDETERMINED, f"{corollary} pushes the mean pre-activation down, but lower is not sparser: {limit}."
    why = "; ".join(f"{c.asks} fails, {c.witness}" for c in failing if family(penalty) in c.asked_by)
    if {1, -1} <= set(by_sign):
        up, down = by_sign[1], by_sign[-1]
        both = f"dR/db is {up.value:.3g} at a = {up.at:.4g} and {down.value:.3g} at a = {down.at:.4g}"
        return UNDETERMINED, f"The bias gradient has both signs ({both}): {why}."
    way = "never negative" if 1 in by_sign else "never positive"
    return UNDETERMINED, f"The bias gradient is {way}, but {family(penalty)} does not apply: {why}."
