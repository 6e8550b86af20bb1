"""Which corollary applies to an activation and a penalty, checked numerically, and what it predicts.

The conditions of the theory, (a) on s_e and (b) on the penalty, are checked in `conditions` on a grid out to +-1e4. A
condition that fails has a witness, the point where it fails. The grid can miss a narrower violation, and "on the left"
ends at -1e4. So a certificate is evidence, not a proof.

    (c) sign of dR/db_e_j as a function of a, for one sample and ||W_j|| = 1:  f'(h) h'  or  q h'^(q-1) h''
    (d) Cor. 1 or Cor. 2 applies if its conditions hold. Then the mean pre-activation is pushed down wherever (c) is
        positive, and not changed where it is 0; lower means sparser by Thm 2, if h -> 0 on the left.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np

from numpy_rae import _contracts, _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation, FullJet
from numpy_rae.autoencoder import Params
from numpy_rae.certificates.conditions import (  # fmt: skip
    FAR,
    USEFUL,
    Condition,
    Witness,
    accuracy,
    activation_conditions,
    evaluate,
    grid,
    penalty_conditions,
)
from numpy_rae.penalties import PENALTIES, JacobianPenalty, MeanActivationPenalty, Penalty, WeightDecay
from numpy_rae.registry import find_activation
from numpy_rae.theory.theorem_1 import penalty_path

SPARSER, UNAFFECTED, UNDETERMINED = "sparser with lambda", "unaffected", "undetermined"
NARROW = 1e-3
OUTSIDE = {
    "jumprelu": "h = a 1{a > theta} jumps by theta, so no slope in [0, 1] and no Lemma 1; the gradient of the loss "
    "does not depend on theta, which is trained with an estimate of its own.",
    "topk": "h_j depends on how a_j ranks among the units of the sample, so it is not a function of a_j alone; "
    "k sets the sparsity at any lambda.",
}
MAXOUT = "Maxout is not a function of one pre-activation, and the unit max(a, -a) grows without bound on the left."


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


@dataclass(frozen=True)
class Certificate:
    """Hold the verdict on one activation with one penalty.

    Attributes
    ----------
    activation : str
        Name of the activation.
    penalty : str
        Name of the penalty.
    conditions : tuple of Condition
        The conditions of the theory.
    corollary : str
        The corollary that applies: "Cor. 1", "Cor. 2" or "none".
    theorem_2 : bool
        Whether Thm 2's premises on s_e hold.
    signs : tuple of Interval
        Intervals of a from left to right, each with the sign of the bias gradient. Empty if the penalty refuses the
        activation.
    prediction : str
        The prediction for lambda: SPARSER, UNAFFECTED or UNDETERMINED.
    reason : str
        The reason in one or two sentences.
    """

    activation: str
    penalty: str
    conditions: tuple[Condition, ...]
    corollary: str
    theorem_2: bool
    signs: tuple[Interval, ...]
    prediction: str
    reason: str

    @property
    def failing(self) -> dict[str, Witness]:
        """Return the conditions that fail.

        Returns
        -------
        dict
            Names of the conditions with their witnesses.
        """
        return {c.name: c.witness for c in self.conditions if c.witness}

    def to_dict(self) -> dict[str, Any]:
        """Return the certificate as values that `json` can write.

        Returns
        -------
        dict
            The content, which `from_dict` reads.
        """
        content = asdict(self)
        for entry, condition in zip(content["conditions"], self.conditions, strict=True):
            entry["holds"] = condition.holds
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Certificate":
        """Make a certificate from the result of `to_dict`.

        Parameters
        ----------
        content : dict
            Result of `to_dict`.

        Returns
        -------
        Certificate
            The certificate.
        """
        conditions = tuple(
            Condition(c["name"], c["asks"], tuple(c["asked_by"]), c["witness"] and Witness(**c["witness"]))
            for c in content["conditions"]
        )
        return cls(**{**content, "conditions": conditions, "signs": tuple(Interval(**i) for i in content["signs"])})

    def __str__(self) -> str:
        lines = [f"{self.activation} x {self.penalty}: {self.prediction}", f"  {self.reason}", "  asked for:"]
        for c in self.conditions:
            verdict = "holds" if c.holds else f"FAILS: {c.witness}"
            lines.append(f"    {c.asks:<28} ({', '.join(c.asked_by)}): {verdict}")
        thm_2 = "hold" if self.theorem_2 else "fail"
        lines.append(f"  corollary that applies: {self.corollary}; Thm 2's premises {thm_2}")
        lines.append(f"  sign of dR/db: {', '.join(map(str, self.signs)) or 'not available'}")
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        """The certificate as a notebook shows it."""
        lines = [f"**{self.activation} with {self.penalty}: {self.prediction}**", "", self.reason, ""]
        lines += ["| condition | asked by | verdict |", "|---|---|---|"]
        for c in self.conditions:
            verdict = "holds" if c.holds else f"**fails**: {c.witness}"
            lines.append("| {} | {} | {} |".format(*map(_cell, (c.asks, ", ".join(c.asked_by), verdict))))
        thm_2 = "hold" if self.theorem_2 else "fail"
        lines += ["", f"Corollary that applies: {self.corollary}. The premises of Thm 2 {thm_2}."]
        lines += [f"Sign of dR/db: {', '.join(map(str, self.signs)) or 'not available'}."]
        return "\n".join(lines)


def _cell(text: str) -> str:
    """The text as a cell of a table in Markdown."""
    return text.replace("|", "\\|")


@_validation.tiny_is_zero
def certify(
    activation: str | Activation | Callable[..., Any], penalty: str | Penalty, name: str | None = None
) -> Certificate:
    """Check an activation and a penalty against the conditions of the theory, and derive a prediction.

    Parameters
    ----------
    activation : str, Activation or callable
        A name in `registry.ACTIVATIONS`, an activation, or a function a -> h.
    penalty : str or Penalty
        A name in `penalties.PENALTIES`, or a penalty.
    name : str, optional
        Name of the penalty in the certificate. The default is its name in the table, or its powers, or its type.

    Returns
    -------
    Certificate
        The conditions, the signs of the bias gradient and the prediction.

    Raises
    ------
    ValueError
        If a name is unknown, a function is not finite on [-50, 50], or the penalty is not a penalty.
    """
    penalty = find_penalty(penalty)
    activation = find_activation(activation)
    a = grid(activation, penalty)
    jet = evaluate(activation, a)
    of_s_e = activation_conditions(a, jet, accuracy(activation))
    of_R = penalty_conditions(penalty, a, jet.h)
    conditions = {c.name: c for c in (*of_s_e, *of_R)}
    signs = () if "in_domain" in conditions and not conditions["in_domain"].holds else intervals(activation, penalty, a)
    asked = [c.holds for c in conditions.values() if family(penalty) in c.asked_by]
    corollary = family(penalty) if asked and all(asked) else "none"
    theorem_2 = all(c.holds for c in conditions.values() if "Thm 2" in c.asked_by)
    zero = "exactly 0" if not any(accuracy(activation)) else "0 within the accuracy of the numeric derivatives"
    verdict = predict(penalty, conditions, corollary, signs, zero)
    name, listed = name or penalty_name(penalty), tuple(conditions.values())
    return Certificate(activation.name, name, listed, corollary, theorem_2, signs, *verdict)


def find_penalty(penalty: str | Penalty) -> Penalty:
    """Return the penalty that a name or a penalty means.

    Parameters
    ----------
    penalty : str or Penalty
        A name in `penalties.PENALTIES`, or a penalty.

    Returns
    -------
    Penalty
        The penalty.

    Raises
    ------
    ValueError
        If the name is unknown, or the value is not a penalty.
    """
    if isinstance(penalty, str):
        return PENALTIES[_validation.one_of("penalty", penalty, PENALTIES)]
    _contracts.check_penalty(penalty)
    return penalty


def family(penalty: Penalty) -> str:
    """Return the corollary about the family of a penalty.

    Parameters
    ----------
    penalty : Penalty
        The penalty.

    Returns
    -------
    str
        "Cor. 1", "Cor. 2", or "none" for a penalty of neither family.
    """
    families = {MeanActivationPenalty: "Cor. 1", JacobianPenalty: "Cor. 2"}
    return next((corollary for kind, corollary in families.items() if isinstance(penalty, kind)), "none")


def penalty_name(penalty: Penalty) -> str:
    """Return a name for a penalty.

    Parameters
    ----------
    penalty : Penalty
        The penalty.

    Returns
    -------
    str
        Its name in `PENALTIES`, or else its powers, or else its type.
    """
    known = [name for name, listed in PENALTIES.items() if listed == penalty]
    if isinstance(penalty, JacobianPenalty):
        known.append(f"h'^{penalty.q} ||W||^{penalty.p}")
    return (known or [type(penalty).__name__])[0]


def bias_gradient(activation: Activation, penalty: Penalty, a: Array) -> Array:
    """Compute (c) with the penalty's own code: unit j has W_j = 1 and b_j = a_j, and x = 0.

    A penalty of neither family can couple the units, so each call then has one unit.

    Parameters
    ----------
    activation : Activation
        The activation.
    penalty : Penalty
        The penalty.
    a : ndarray, shape (k,)
        Pre-activations.

    Returns
    -------
    ndarray, shape (k,)
        The gradient dR/db_e_j at each of them.
    """
    activation = replace(activation, non_negative=True)
    parts = [a] if family(penalty) != "none" else np.split(a, len(a))
    rng, x = np.random.default_rng(0), np.zeros((1, 1))
    with np.errstate(all="ignore"):
        g = [penalty_path(penalty, Params(np.ones((len(b), 1)), b), activation, x, rng) for b in parts]
    return np.concatenate(g)


def sign(activation: Activation, penalty: Penalty, a: Array) -> tuple[Array, Array]:
    """Compute the sign of (c).

    Parameters
    ----------
    activation : Activation
        The activation.
    penalty : Penalty
        The penalty.
    a : ndarray, shape (k,)
        Pre-activations.

    Returns
    -------
    signs : ndarray of int, shape (k,)
        The signs. They are 0 where the accuracy of the jet does not decide.
    g : ndarray, shape (k,)
        The values of (c).
    """
    g = bias_gradient(activation, penalty, a)
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


def intervals(activation: Activation, penalty: Penalty, a: Array) -> tuple[Interval, ...]:
    """Divide the grid into intervals on which (c) has one sign. Bisection finds their ends.

    Parameters
    ----------
    activation : Activation
        The activation.
    penalty : Penalty
        The penalty.
    a : ndarray, shape (k,)
        The grid.

    Returns
    -------
    tuple of Interval
        The intervals from left to right. A zero narrower than NARROW between two signs counts as a point.
    """
    if family(penalty) == "none":
        a = np.linspace(-USEFUL, USEFUL, 401)
    signs, g = sign(activation, penalty, a)
    cells = np.flatnonzero(np.diff(signs))
    low, high = a[cells], a[cells + 1]
    for _ in range(60 if family(penalty) != "none" and len(cells) else 0):
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


def predict(
    penalty: Penalty, conditions: dict[str, Condition], corollary: str, signs: tuple[Interval, ...], zero: str
) -> tuple[str, str]:
    """Apply (d).

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
    if family(penalty) == "none":
        return of_neither_family(penalty, by_sign)
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


def of_neither_family(penalty: Penalty, by_sign: dict[int, Interval]) -> tuple[str, str]:
    """Return the prediction for a penalty of neither family.

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    by_sign : dict
        For each sign, the interval with the largest gradient.

    Returns
    -------
    prediction : str
        The prediction.
    reason : str
        The reason in a sentence.
    """
    if isinstance(penalty, WeightDecay):
        return UNAFFECTED, "The penalty does not depend on the encoder's bias."
    seen = " and ".join(f"{'-0+'[s + 1]} at a = {i.at:.4g}" for s, i in by_sign.items())
    return UNDETERMINED, f"The penalty is of neither family; for one unit and one sample the bias gradient is {seen}."


def maxout_certificate(penalty: Penalty, witness: tuple[tuple[Array, Array], Array, Array]) -> Certificate:
    """Return the certificate of Maxout, by the structural argument, which holds for any penalty.

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    witness : baselines.maxout.Witness
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
