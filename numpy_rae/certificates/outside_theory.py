"""Activations that the theory does not cover, each with the reason: JumpReLU, top-k and Maxout."""

from numpy_rae._validation import Array
from numpy_rae.certificates.certificate import Certificate
from numpy_rae.certificates.conditions import (  # fmt: skip
    FAR,
    Condition,
    Witness,
)
from numpy_rae.certificates.penalty_family import penalty_name
from numpy_rae.certificates.verdict import UNDETERMINED
from numpy_rae.penalties import Penalty

OUTSIDE = {
    "jumprelu": "h = a 1{a > theta} jumps by theta, so its slope is not in [0, 1], and Lemma 1 does not apply. On a "
    "batch the derivative of the loss with respect to theta is 0 wherever it exists. So theta is trained with a "
    "separate (straight-through) estimate.",
    "topk": "h_j depends on how a_j ranks among the units of the sample, so it is not a function of a_j alone; "
    "k sets the sparsity at any lambda.",
}
MAXOUT = "Maxout is not a function of one pre-activation, and the unit max(a, -a) grows without bound on the left."


def maxout_certificate(penalty: Penalty, witness: tuple[tuple[Array, Array], Array, Array]) -> Certificate:
    """Return the certificate of Maxout, by the structural argument, which holds for any penalty.

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    witness : baselines.maxout_left_limit.Witness
        A unit that grows on the left.

    Returns
    -------
    Certificate
        The certificate. Its prediction is UNDETERMINED.
    """
    (W, b_e), direction, limit = witness
    h = float((-FAR * W[0] @ direction + b_e[0]).max())
    left = None if limit[0] == 0 else Witness("h", h, -FAR)
    pieces = Witness("number of pieces", W.shape[1])
    conditions = (
        Condition("one_preactivation", "h is a function of one a", ("Cor. 1", "Cor. 2"), pieces),
        Condition("zero_on_left", "h -> 0 as a -> -inf", ("Thm 2",), left),
    )
    return Certificate("maxout", penalty_name(penalty), conditions, "none", left is None, (), UNDETERMINED, MAXOUT)
