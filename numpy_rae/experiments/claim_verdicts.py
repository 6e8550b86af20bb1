"""The verdicts on a claim, and how several verdicts make one.

A rule (`claim_rules`) gives one verdict per learning rate. `worst` keeps the one that decides, and `combined` makes
one verdict of those of several data sets or settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.experiments.claim_differences import Setting
from numpy_rae.experiments.protocol import FIGURES
from numpy_rae.experiments.tables import PAPER_UPDATES

HOLDS, FAILS, OPEN, NOT_RUN, PART = "holds", "does not hold", "no verdict", "not run", "in part"
TOO_SHORT = "too short"
SHOWS_AT = {(each.activation, each.constraint): each.shows_at for group in FIGURES.values() for each in group}


class Result(NamedTuple):
    """Hold what a rule found.

    Attributes
    ----------
    verdict : str
        HOLDS, FAILS, OPEN or NOT_RUN, with a few more words for HOLDS if there is more to say.
    found : ndarray, shape (seeds,), optional
        The differences that decided, one per seed. Empty if no difference decided, as for NOT_RUN.
    where : str, optional
        At which learning rate and sigma^2, and how many sigma^2 were left out because a run broke down.
    plain : float, optional
        Mean activation fraction of the plain auto-encoder there.
    """

    verdict: str
    found: Array = np.empty(0)
    where: str = ""
    plain: float | None = None


def judged(verdict: str, setting: Setting, activation: str, constraint: str) -> str:
    """Return the verdict on an effect, or `TOO_SHORT` where an effect cannot show.

    Parameters
    ----------
    verdict : str
        The verdict of a rule.
    setting : Setting
        The setting.
    activation, constraint : str
        Those of the figure.

    Returns
    -------
    str
        TOO_SHORT for FAILS in short runs of a figure whose effect needs the paper's length (`Protocol.shows_at`).
    """
    late = SHOWS_AT[activation, constraint] >= PAPER_UPDATES
    return TOO_SHORT if verdict == FAILS and setting.length == "short" and late else verdict


def worst(results: Iterable[Result], largest: bool = True) -> Result:
    """Return the result with the worst verdict; of equal ones, that with the largest or the smallest mean difference.

    Parameters
    ----------
    results : iterable of Result
        At least one.
    largest : bool, optional
        True for a claim that there is no difference, False for a claim that there is one.

    Returns
    -------
    Result
        FAILS before PART before OPEN before NOT_RUN before HOLDS.
    """
    order = (FAILS, PART, OPEN, NOT_RUN)

    def _key(result: Result) -> tuple[int, float]:
        rank = order.index(result.verdict) if result.verdict in order else len(order)
        size = float(abs(result.found.mean())) if len(result.found) else 0.0
        return rank, -size if largest else size

    return min(results, key=_key)


def combined(verdicts: Iterable[str]) -> str:
    """Return one verdict for several.

    Parameters
    ----------
    verdicts : iterable of str
        Verdicts, such as those of both data sets.

    Returns
    -------
    str
        The verdict that all share, or PART. "holds exactly" if all that hold do so. NOT_RUN, OPEN and TOO_SHORT do not
        count if there are others.
    """
    given = [verdict for verdict in verdicts if verdict != "-"]
    every = [HOLDS if verdict.startswith(HOLDS) else verdict for verdict in given]
    weak = (OPEN, TOO_SHORT, NOT_RUN)
    counted = {verdict for verdict in every if verdict not in weak}
    if not counted:
        return next((verdict for verdict in weak if verdict in every), NOT_RUN)
    if counted == {HOLDS}:
        return HOLDS if HOLDS in given else f"{HOLDS} exactly"
    return counted.pop() if len(counted) == 1 else PART
