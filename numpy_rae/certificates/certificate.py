"""Which corollary covers an activation and a penalty, checked numerically, and what it predicts.

What the theory asks, (a) of s_e and (b) of the penalty, is checked in `conditions` on a grid out to +-1e4. A condition
that fails names its witness, the point where it does. What is narrower than the grid can be missed, and "on the left"
ends at -1e4: a certificate is evidence, no proof.

    (c) sign of dR/db_e_j as a function of a, for one sample and ||W_j|| = 1:  f'(h) h'  or  q h'^(q-1) h''
    (d) Cor. 1 or Cor. 2 applies if its conditions hold. Then the mean pre-activation is pushed down wherever (c) is
        positive, and left alone where it is 0; lower means sparser by Thm 2, if h -> 0 on the left.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from numpy_rae import _contracts, _validation
from numpy_rae.activations import Activation
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
from numpy_rae.numerical_activations import from_callable
from numpy_rae.penalties import PENALTIES, JacobianPenalty, MeanActivationPenalty, Penalty, WeightDecay
from numpy_rae.theory.theorem_1 import penalty_path

SPARSER, UNAFFECTED, UNDETERMINED = "sparser with lambda", "unaffected", "undetermined"
NARROW = 1e-3
OUTSIDE = {
    "jumprelu": "h = a 1{a > theta} jumps by theta, so no slope in [0, 1] and no Lemma 1; the gradient of the loss "
    "does not see theta at all, which is trained by an estimate of its own.",
    "topk": "h_j depends on how a_j ranks among the units of the sample, so it is no function of a_j alone; "
    "k sets the sparsity whatever lambda is.",
}
MAXOUT = "Maxout is no function of one pre-activation, and the unit max(a, -a) grows without bound on the left."


@dataclass(frozen=True)
class Interval:
    """dR/db_e_j has this sign on (low, high); `value` is about its largest there, taken at a = `at`."""

    low: float
    high: float
    sign: int
    at: float
    value: float

    def __str__(self) -> str:
        return f"{'-0+'[self.sign + 1]} on ({self.low:.4g}, {self.high:.4g})"


@dataclass(frozen=True)
class Certificate:
    """The verdict on one pair.

    `corollary` is "Cor. 1", "Cor. 2" or "none"; `theorem_2` says whether Thm 2's premises on s_e hold; `signs` are the
    intervals of a from the left to the right, none if the penalty refuses the activation.
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
        """Names of the conditions that fail, with their witnesses."""
        return {c.name: c.witness for c in self.conditions if not c.holds}

    def to_dict(self) -> dict:
        """What `json` can write and `from_dict` reads back."""
        content = asdict(self)
        for entry, condition in zip(content["conditions"], self.conditions, strict=True):
            entry["holds"] = condition.holds
        return content

    @classmethod
    def from_dict(cls, content: dict) -> "Certificate":
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
def certify(activation: Activation | Callable, penalty: Penalty, name: str | None = None) -> Certificate:
    """Certificate of an activation, or of any callable a -> h, with a penalty; `name` overrides the penalty's.

    Raises ValueError for a callable that is not finite on [-50, 50], and for what is no penalty.
    """
    _contracts.check_penalty(penalty)
    if not isinstance(activation, Activation):
        activation = from_callable(getattr(activation, "__name__", type(activation).__name__), activation)
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


def family(penalty: Penalty) -> str:
    """The corollary whose family the penalty is of, "none" for any other."""
    families = {MeanActivationPenalty: "Cor. 1", JacobianPenalty: "Cor. 2"}
    return next((corollary for kind, corollary in families.items() if isinstance(penalty, kind)), "none")


def penalty_name(penalty: Penalty) -> str:
    """Its name in the table, else its powers, else its type."""
    known = [name for name, listed in PENALTIES.items() if listed == penalty]
    if isinstance(penalty, JacobianPenalty):
        known.append(f"h'^{penalty.q} ||W||^{penalty.p}")
    return (known or [type(penalty).__name__])[0]


def bias_gradient(activation: Activation, penalty: Penalty, a: np.ndarray) -> np.ndarray:
    """(c), (k,), as the penalty's own code gives it: unit j has W_j = 1 and b_j = a_j, and x = 0.

    A penalty of neither family may couple the units, so it sees them one at a time.
    """
    activation = replace(activation, non_negative=True)
    parts = [a] if family(penalty) != "none" else np.split(a, len(a))
    rng, x = np.random.default_rng(0), np.zeros((1, 1))
    with np.errstate(all="ignore"):
        g = [penalty_path(penalty, Params(np.ones((len(b), 1)), b), activation, x, rng) for b in parts]
    return np.concatenate(g)


def sign(activation: Activation, penalty: Penalty, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sign of (c), 0 where the jet's accuracy leaves it open, and (c) itself."""
    g = bias_gradient(activation, penalty, a)
    near = accuracy(activation)
    if not any(near):
        return np.sign(g).astype(int), g
    h, dh_da, d2h_da2, _ = evaluate(activation, a)
    if isinstance(penalty, MeanActivationPenalty):
        slack = np.abs(penalty.extrapolated(h)[1]) * near[1]
    else:
        # d(h'^(q-1) h''), with q = 2 standing in for a penalty of neither family.
        q = getattr(penalty, "q", 2)
        dh_da = np.abs(dh_da) + near[1]
        slack = q * dh_da ** (q - 1) * near[2] + q * (q - 1) * dh_da ** max(q - 2, 0) * np.abs(d2h_da2) * near[1]
    return np.where(np.abs(g) <= slack, 0, np.sign(g)).astype(int), g


def intervals(activation: Activation, penalty: Penalty, a: np.ndarray) -> tuple[Interval, ...]:
    """Runs of one sign, their ends found by halving; a zero narrower than NARROW between two signs is a point."""
    if family(penalty) == "none":
        a = np.linspace(-USEFUL, USEFUL, 401)
    signs, g = sign(activation, penalty, a)
    cells = np.flatnonzero(np.diff(signs))
    low, high = a[cells], a[cells + 1]
    for _ in range(60 if family(penalty) != "none" and len(cells) else 0):
        middle = (low + high) / 2
        same = sign(activation, penalty, middle)[0] == signs[cells]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    # Of a numeric jet the zeros are only known to its accuracy.
    ends = [a[0], *high.round(6 if any(accuracy(activation)) else 12), a[-1]]
    ends = [float(end) + 0.0 for end in ends]
    runs = list(zip(ends[:-1], ends[1:], signs[np.append(cells, len(a) - 1)].tolist(), strict=True))
    runs = [(low, high, s) for low, high, s in runs if s or high - low >= NARROW]
    return tuple(describe(a, g, run) for run in merge_intervals(runs))


def merge_intervals(runs: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """Runs without gaps: neighbours of one sign become one, others meet in the middle of what was left out."""
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


def describe(a: np.ndarray, g: np.ndarray, run: tuple[float, float, int]) -> Interval:
    low, high, s = run
    if s == 0:
        return Interval(low, high, 0, float(np.clip(0, low, high)), 0.0)
    size = np.where((a >= low) & (a <= high), s * g, -np.inf)
    # The middle one of the points that come close to the largest, not the first beside a kink.
    high_up = np.flatnonzero(size >= 0.99 * size.max())
    i = high_up[len(high_up) // 2]
    return Interval(low, high, s, float(a[i]), float(g[i]))


def predict(
    penalty: Penalty, conditions: dict[str, Condition], corollary: str, signs: tuple[Interval, ...], zero: str
) -> tuple[str, str]:
    """(d): the prediction and one sentence of reason."""
    failing = [c for c in conditions.values() if not c.holds]
    by_sign = {i.sign: i for i in sorted(signs, key=lambda i: abs(i.value))}
    if not signs:
        return UNDETERMINED, f"The penalty refuses this activation: {conditions['in_domain'].witness}."
    if family(penalty) == "none":
        return of_neither_family(penalty, by_sign)
    if set(by_sign) == {0}:
        form = f"{corollary} applies in form, and the" if corollary != "none" else "The"
        return UNAFFECTED, f"{form} bias gradient is {zero} everywhere it exists (Fn. 1); lambda has no say."
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
    if isinstance(penalty, WeightDecay):
        return UNAFFECTED, "The penalty does not see the encoder's bias."
    seen = " and ".join(f"{'-0+'[s + 1]} at a = {i.at:.4g}" for s, i in by_sign.items())
    return UNDETERMINED, f"The penalty is of neither family; for one unit and one sample the bias gradient is {seen}."


def maxout_certificate(penalty: Penalty, witness) -> Certificate:
    """The structural argument, for any penalty: `witness`, a `maxout.Witness`, is a unit that grows on the left."""
    (W, b_e), direction, limit = witness
    h = float((-FAR * W[0] @ direction + b_e[0]).max())
    left = None if limit[0] == 0 else Witness("h", h, -FAR)
    pieces = Witness("number of pieces", W.shape[1])
    conditions = (
        Condition("one_preactivation", "h is a function of one a", ("Cor. 1", "Cor. 2"), pieces),
        Condition("zero_on_left", "h -> 0 as a -> -inf", ("Thm 2",), left),
    )
    return Certificate("maxout", penalty_name(penalty), conditions, "none", left is None, (), UNDETERMINED, MAXOUT)
