"""Certify an activation with a penalty: which corollary applies, checked numerically, and what it predicts.

The conditions of the theory, (a) on s_e and (b) on the penalty, are checked in `conditions` on a grid out to +-1e4. A
condition that fails has a witness, the point where it fails. The grid can miss a narrower violation, and "on the left"
ends at -1e4. So a certificate is evidence, not a proof.

    (c) `bias_gradient_sign`: the sign of dR/db_e_j as a function of a
    (d) `verdict`: what the corollary that applies predicts for lambda. `neither_family` examines all other penalties
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from numpy_rae import _validation
from numpy_rae.activations import Activation
from numpy_rae.certificates import neither_family
from numpy_rae.certificates.bias_gradient_sign import Interval, intervals
from numpy_rae.certificates.conditions import (  # fmt: skip
    Condition,
    Witness,
    accuracy,
    activation_conditions,
    evaluate,
    grid,
    penalty_conditions,
)
from numpy_rae.certificates.counter_example import CounterExample
from numpy_rae.certificates.penalty_family import family, find_penalty, penalty_name
from numpy_rae.certificates.verdict import predict
from numpy_rae.penalties import Penalty
from numpy_rae.registry import find_activation


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
    counter_example : CounterExample or None
        Parameters and samples with a negative bias gradient, for a penalty that couples units or samples.
    """

    activation: str
    penalty: str
    conditions: tuple[Condition, ...]
    corollary: str
    theorem_2: bool
    signs: tuple[Interval, ...]
    prediction: str
    reason: str
    counter_example: CounterExample | None = None

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
        signs = tuple(Interval(**i) for i in content["signs"])
        found = content.get("counter_example")
        example = CounterExample.from_dict(found) if found else None
        return cls(**{**content, "conditions": conditions, "signs": signs, "counter_example": example})

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
        """Return the certificate as a notebook shows it."""
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
    """Return the text as a cell of a table in Markdown."""
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
    theorem_2 = all(c.holds for c in of_s_e if "Thm 2" in c.asked_by)
    name = name or penalty_name(penalty)
    if family(penalty) == "none":
        found = neither_family.examine(activation, penalty, a, of_s_e)
        listed = (*of_s_e, *found.conditions)
        given = (found.signs, found.prediction, found.reason, found.counter_example)
        return Certificate(activation.name, name, listed, "none", theorem_2, *given)
    of_R = penalty_conditions(penalty, a, jet.h)
    conditions = {c.name: c for c in (*of_s_e, *of_R)}
    signs = () if "in_domain" in conditions and not conditions["in_domain"].holds else intervals(activation, penalty, a)
    asked = [c.holds for c in conditions.values() if family(penalty) in c.asked_by]
    corollary = family(penalty) if asked and all(asked) else "none"
    zero = "exactly 0" if not any(accuracy(activation)) else "0 within the accuracy of the numeric derivatives"
    verdict = predict(penalty, conditions, corollary, signs, zero)
    return Certificate(activation.name, name, tuple(conditions.values()), corollary, theorem_2, signs, *verdict)
