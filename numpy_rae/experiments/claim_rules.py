"""The rules that decide a claim about a curve over sigma^2: flat, moves, falls, and the direction of a curve.

A rule takes the differences from the plain auto-encoder by sigma^2 (`claim_differences.shifts`) and returns a verdict
(`claim_verdicts`). `decide` applies a rule to stored runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.experiments import study_rows
from numpy_rae.experiments.claim_differences import Cells, Setting, at, cells, shifts
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, OPEN, PART, Result, worst
from numpy_rae.experiments.study_rows import Row

MARGIN = 0.01
DEVIATIONS = 3.0
Rule: TypeAlias = Callable[[Cells], tuple[str, float]]


def flat(found: Cells) -> tuple[str, float]:
    """Decide "does not depend on sigma^2": no mean difference is larger than `MARGIN`.

    Parameters
    ----------
    found : dict
        Differences by sigma^2, at least one.

    Returns
    -------
    verdict : str
        HOLDS, FAILS, or "holds exactly" if every difference is 0.
    sigma2 : float
        Where the mean difference is largest.
    """
    sigma2 = max(found, key=lambda each: abs(found[each].mean()))
    if not any(each.any() for each in found.values()):
        return f"{HOLDS} exactly", sigma2
    return HOLDS if abs(found[sigma2].mean()) <= MARGIN else FAILS, sigma2


def moves(found: Cells) -> tuple[str, float]:
    """Decide "depends on sigma^2": some mean difference is larger than `MARGIN` and than `DEVIATIONS` deviations.

    Parameters
    ----------
    found : dict
        Differences by sigma^2, at least one.

    Returns
    -------
    verdict : str
        HOLDS or FAILS.
    sigma2 : float
        Where the mean difference is largest.
    """
    sigma2 = max(found, key=lambda each: abs(found[each].mean()))
    return HOLDS if is_clear(found[sigma2]) else FAILS, sigma2


def falls(found: Cells) -> tuple[str, float]:
    """Decide "grows sparser with sigma^2": the last difference is clear, and no step rises by more than `MARGIN`.

    Parameters
    ----------
    found : dict
        Differences by sigma^2 in increasing order, at least one.

    Returns
    -------
    verdict : str
        HOLDS, FAILS, or PART if the last difference is clear and a step rises.
    sigma2 : float
        The last sigma^2.
    """
    last = max(found)
    if found[last].mean() > 0 or not is_clear(found[last]):
        return FAILS, last
    return PART if max(steps(found)) > MARGIN else HOLDS, last


def steps(found: Cells) -> Array:
    """Return the change of the mean difference from each sigma^2 to the next, from 0 at sigma^2 = 0.

    Parameters
    ----------
    found : dict
        Differences by sigma^2.

    Returns
    -------
    ndarray, shape (k,)
        The changes.
    """
    return np.diff([0.0, *(found[sigma2].mean() for sigma2 in sorted(found))])


def direction(found: Cells) -> str:
    """Return where the activation fraction goes with sigma^2.

    Parameters
    ----------
    found : dict
        Differences by sigma^2.

    Returns
    -------
    str
        "rises", "falls", "both" or "flat": steps within `MARGIN` do not count, unless their sum exceeds it.
    """
    path = np.cumsum([0.0, *steps(found)])
    up = (path - np.minimum.accumulate(path)).max() > MARGIN
    down = (np.maximum.accumulate(path) - path).max() > MARGIN
    return {(True, True): "both", (True, False): "rises", (False, True): "falls", (False, False): "flat"}[up, down]


def is_clear(found: Array) -> bool:
    """Return whether a mean difference is larger than `MARGIN` and than `DEVIATIONS` standard deviations.

    Parameters
    ----------
    found : ndarray, shape (k,)
        The differences. One seed has no deviation.

    Returns
    -------
    bool
        True if it is.
    """
    spread = found.std(ddof=1) if len(found) > 1 else 0.0
    return bool(abs(found.mean()) > MARGIN and abs(found.mean()) > DEVIATIONS * spread)


def decide(rows: Sequence[Row], data: str, setting: Setting, model: str, rule: Rule, **values: object) -> Result:
    """Apply a rule at every learning rate of a setting.

    Parameters
    ----------
    rows : sequence of dict
        All rows.
    data : str
        "digits" or "patches".
    setting : Setting
        The setting.
    model : str
        The model.
    rule : callable
        `flat`, `moves` or `falls`.
    **values : object
        Further columns and their values.

    Returns
    -------
    Result
        That of the learning rate with the worst verdict. NOT_RUN if the runs of a learning rate are not stored.
    """
    results = []
    for eta in setting.etas:
        its = at(rows, data, setting, eta, **values)
        found = shifts(its, model)
        if found is None:
            return Result(NOT_RUN)
        plain = float(study_rows.values(study_rows.select(its, model="AE"), "fraction").mean()) if found else None
        if not found:
            results.append(Result(OPEN, where=f"eta {eta:g}: AE or every sigma^2 breaks down"))
            continue
        verdict, sigma2 = rule(found)
        left_out = sum(sigma2 > 0 for sigma2 in cells(its, model)) - len(found)
        where = f"eta {eta:g}, sigma^2 {sigma2:g}" + (f"; {left_out} sigma^2 broken" if left_out else "")
        results.append(Result(verdict, found[sigma2], where, plain))
    return worst(results, largest=rule is flat)
