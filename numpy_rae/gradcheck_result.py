"""The result of a gradient check, with its verdict in words."""

from typing import NamedTuple


class Check(NamedTuple):
    """Hold one directional derivative, computed from the gradient and from differences.

    Attributes
    ----------
    analytic : float
        g.d, from the gradient.
    numeric : float
        The fourth-order difference of step `step`.
    uncertainty : float
        How far `numeric` may be from the derivative.
    direction : int
        Index of the random direction.
    step : float
        Step of the difference.
    left, right : float or None
        The one-sided derivatives where they disagree, at a kink.
    noise : float or None
        How much two results at the same point differed, if the function is not deterministic.
    """

    analytic: float
    numeric: float
    uncertainty: float
    direction: int
    step: float
    left: float | None = None
    right: float | None = None
    noise: float | None = None

    @property
    def passed(self) -> bool:
        """Return whether the gradient is right, as far as a difference can tell.

        Returns
        -------
        bool
            True if the verdict is "ok".
        """
        return self.verdict == "ok"

    @property
    def verdict(self) -> str:
        """Return the verdict on the gradient.

        Returns
        -------
        str
            "ok", "WRONG", or why this comparison allows no conclusion.
        """
        if self.noise is not None:
            return (
                f"NOT DETERMINISTIC, two results at the same point differ by {self.noise:.1e}: "
                "use the same noise in every call, for example by a generator made again from one seed"
            )
        if self.left is not None:
            slopes = f"slope {self.left:+.6e} on the left and {self.right:+.6e} on the right"
            return f"AT A KINK, {slopes}: move the point"
        if abs(self.analytic - self.numeric) > self.uncertainty:
            return "WRONG"
        if self.analytic and abs(self.analytic + self.numeric) <= self.uncertainty:
            return (
                "TOO SMALL TO TELL, the opposite sign would agree as well: move the point, or remove a large constant"
            )
        return "ok"

    def __str__(self) -> str:
        return (
            f"direction {self.direction}: analytic {self.analytic:+.12e}, numeric {self.numeric:+.12e} "
            f"+- {self.uncertainty:.1e} (step {self.step:g}): {self.verdict}"
        )


class Checks(list[Check]):
    """The checks of `check_gradient`, one per direction; a notebook shows them as a table."""

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_markdown_(self) -> str:
        head = "| direction | analytic | numeric | uncertainty | verdict |\n|---|---|---|---|---|"
        rows = [
            f"| {c.direction} | {c.analytic:+.9e} | {c.numeric:+.9e} | {c.uncertainty:.1e} | {_bold_unless_passed(c)} |"
            for c in self
        ]
        return "\n".join([head, *rows])


def _bold_unless_passed(check: Check) -> str:
    return check.verdict if check.passed else f"**{check.verdict}**"
