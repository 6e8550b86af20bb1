"""The lines of a penalty: its value R, and each of its partial derivatives next to a finite difference of R."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numpy_rae._known_lengths import known
from numpy_rae._validation import Array
from numpy_rae.autoencoder import Forward, Params, PenaltyGrad
from numpy_rae.penalties import JacobianPenalty, MeanActivationPenalty, Penalty, WeightDecay
from numpy_rae.row_norms import row_len2
from numpy_rae.taylor_penalties import CrossTerm, HessianTerm, MarginalisedPenalty, ResidualTerm, WeightedSum
from numpy_rae.walkthrough.line import Line
from numpy_rae.walkthrough.one_pass import OnePass

# Letters of the steps that compute dR/da, dR/d(len2), dR/dy, dR/dW and R, in this order.
STEPS: dict[type, tuple[str, str, str, str, str, str]] = {
    MeanActivationPenalty: ("MeanActivationPenalty", "c", "", "", "", "b"),
    JacobianPenalty: ("JacobianPenalty", "d", "e", "", "", "c"),
    CrossTerm: ("CrossTerm", "d", "", "", "f", "c"),
    ResidualTerm: ("ResidualTerm", "c", "d", "f", "g", "b"),
    MarginalisedPenalty: ("MarginalisedPenalty", "d", "e", "", "f", "c"),
    HessianTerm: ("hessian_term", "d", "e", "", "f", "c"),
    WeightDecay: ("WeightDecay", "", "b", "", "", "a"),
}


@dataclass(frozen=True)
class Part:
    """Give R as a function of a, of len2, of y or of W. The other three stay fixed.

    Attributes
    ----------
    of : OnePass
        The pass that the penalty belongs to.
    penalty : Penalty
        The penalty, or one part of a sum.
    """

    of: OnePass
    penalty: Penalty

    def R(self, fwd: Forward, W: Array, len2: Array) -> float:
        """Compute R alone.

        Parameters
        ----------
        fwd : Forward
            Forward pass.
        W : ndarray, shape (m, n)
            Weights, as far as they enter R directly.
        len2 : ndarray, shape (m,)
            Squared row lengths.

        Returns
        -------
        float
            R.
        """
        return self.both(fwd, W, len2)[0]

    def both(self, fwd: Forward, W: Array, len2: Array) -> tuple[float, PenaltyGrad]:
        """Compute R and its partial derivatives.

        Parameters
        ----------
        fwd : Forward
            Forward pass.
        W : ndarray, shape (m, n)
            Weights, as far as they enter R directly.
        len2 : ndarray, shape (m,)
            Squared row lengths.

        Returns
        -------
        R : float
            The value.
        gradient : PenaltyGrad
            The partial derivatives.
        """
        setting, more = self.of.setting, known(self.penalty, len2)
        params = Params(W, setting.params.b_e)
        return self.penalty.value_and_grad(params, setting.activation, fwd, setting.rng(), **more)

    def points(self) -> list[tuple[str, Array, Callable[[Array], float]]]:
        """Return the four arguments of R: the name of the derivative, the point and the function.

        Returns
        -------
        list of tuple
            One entry each for a, len2, y and W.
        """
        fwd, W = self.of.fwd, self.of.setting.params.W
        len2, s_e, order = row_len2(W), self.of.setting.activation, self.of.order
        return [
            ("dR/da", fwd.a, lambda a: self.R(Forward(fwd.x, a, s_e(a, order), fwd.y), W, len2)),
            ("dR/d(len2)", len2, lambda len2: self.R(fwd, W, len2)),
            ("dR/dy", fwd.y, lambda y: self.R(Forward(fwd.x, fwd.a, fwd.jet, y), W, len2)),
            ("dR/dW", W, lambda W: self.R(fwd, W, len2)),
        ]


def penalty_lines(of: OnePass) -> list[Line]:
    """Return the lines of the penalty of a pass. For a sum of penalties, return the lines of each part.

    Parameters
    ----------
    of : OnePass
        The pass.

    Returns
    -------
    list of Line
        The lines. Empty without a penalty.
    """
    if of.penalty is None:
        return []
    parts = of.penalty.parts if isinstance(of.penalty, WeightedSum) else ((1.0, of.penalty),)
    lines = [line for _, penalty in parts for line in _part_lines(Part(of, penalty))]
    return [Line("row_len2", "len2 = |W_j|^2", row_len2(of.setting.params.W)), *lines]


def _part_lines(part: Part) -> list[Line]:
    """Return the lines of one penalty that is not a sum."""
    W = part.of.setting.params.W
    R, grad = part.both(part.of.fwd, W, row_len2(W))
    name, *letters, of_R = STEPS.get(type(part.penalty), (type(part.penalty).__name__, "", "", "", "", ""))
    lines = [
        Line(_source(name, letter), symbol, value, f, at)
        for letter, value, (symbol, at, f) in zip(letters, _partials(grad, W), part.points(), strict=True)
        if value is not None
    ]
    return [*_inner_lines(part), Line(_source(name, of_R), "R", R), *lines]


def _source(name: str, letter: str) -> str:
    """Return the name of a derivation with the letter of a step, if there is one."""
    return f"{name} ({letter})" if letter else name


def _partials(grad: PenaltyGrad, W: Array) -> tuple[Array | None, ...]:
    """Return dR/da, dR/d(len2), dR/dy and the whole dR/dW."""
    if grad.dR_dW is None and not grad.factors:
        return grad.dR_da, grad.dR_dlen2, grad.dR_dy, None
    dense = np.zeros_like(W) if grad.dR_dW is None else grad.dR_dW
    return grad.dR_da, grad.dR_dlen2, grad.dR_dy, dense + sum(left.T @ right for left, right in grad.factors)


def _inner_lines(part: Part) -> list[Line]:
    """Return the lines of the intermediate values of the penalty."""
    penalty, jet = part.penalty, part.of.fwd.jet
    if isinstance(penalty, MeanActivationPenalty):
        rho, at_most_1 = jet.h.mean(axis=0), part.of.setting.activation.at_most_1
        slope = penalty.extrapolated(rho, at_most_1)[1]
        f = lambda rho: float(penalty.extrapolated(rho, at_most_1)[0].sum())
        source = "MeanActivationPenalty (a)"
        return [Line(source, "rho = mean of h", rho), Line("MeanActivationPenalty", "f'(rho)", slope, f, rho)]
    if isinstance(penalty, JacobianPenalty):
        return [Line("JacobianPenalty (b)", f"s = mean of h'^{penalty.q}", (jet.dh_da**penalty.q).mean(axis=0))]
    if isinstance(penalty, HessianTerm):
        z = part.of.setting.rng().standard_normal(part.of.x.shape)
        return [Line("HessianTerm", f"eps = {penalty.noise} z", penalty.noise * z)]
    return []
