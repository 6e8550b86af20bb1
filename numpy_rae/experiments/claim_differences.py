"""How far the stored runs of each model lie from the plain auto-encoder (AE), by sigma^2, in one setting.

Every number is a difference between two runs with the same seed, data and settings: the activation fraction of a model
minus that of AE. A cell holds the runs of one model at one sigma^2, one run per seed. A cell in which a run broke down
(`breakdown`) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.experiments import study_rows
from numpy_rae.experiments.claim_rows import USUAL
from numpy_rae.experiments.study_rows import Row

NEEDED = (0.25, 1.0)
PAPER_ETAS = (0.001, 0.002, 0.003, 0.005)
LONG_ETAS = (0.002, 0.005)  # besides .001, which the figures have


class Setting(NamedTuple):
    """Hold the conditions under which a claim is tested.

    Attributes
    ----------
    name : str
        Name of the column.
    length : str
        "short" for the length of the short presets, "long" for the paper's.
    etas : tuple of float
        The learning rates. The claim must hold at each.
    tangent : bool
        Whether the radial part of the gradient is removed.
    """

    name: str
    length: str
    etas: tuple[float, ...]
    tangent: bool


SETTINGS = (
    Setting("eta .001, short", "short", (0.001,), False),
    Setting("eta .001, long", "long", (0.001,), False),
    Setting("eta .001 to .005, short", "short", PAPER_ETAS, False),
    Setting("tangent gradient, short", "short", PAPER_ETAS, True),
    Setting("eta .002 and .005, long", "long", LONG_ETAS, False),
    Setting("tangent gradient, long", "long", (0.001, *LONG_ETAS), True),
)
Cells: TypeAlias = dict[float, Array]


def at(rows: Iterable[Row], data: str, setting: Setting, eta: float, **values: object) -> list[Row]:
    """Return the rows of one data set, setting and learning rate.

    Parameters
    ----------
    rows : iterable of dict
        The rows.
    data : str
        "digits" or "patches".
    setting : Setting
        The setting.
    eta : float
        The learning rate.
    **values : object
        Further columns and their values, such as the activation and the constraint.

    Returns
    -------
    list of dict
        The rows.
    """
    return study_rows.select(
        rows, data=data, length=setting.length, tangent=setting.tangent, eta=eta, **USUAL, **values
    )


def differences(its: Iterable[Row], others: Iterable[Row], name: str = "fraction") -> Array:
    """Return a column of some runs minus that of others, seed by seed.

    Parameters
    ----------
    its, others : iterable of dict
        Rows, at most one per seed in each.
    name : str, optional
        The column.

    Returns
    -------
    ndarray, shape (k,)
        One difference for every seed that both have, in the order of the seeds. Runs that diverged are left out.
    """
    one, two = ({row["seed"]: row[name] for row in rows if row[name] is not None} for rows in (its, others))
    return np.array([one[seed] - two[seed] for seed in sorted(one) if seed in two], np.float64)


def cells(rows: Iterable[Row], model: str) -> dict[float, list[Row]]:
    """Return the runs of one model by sigma^2.

    Parameters
    ----------
    rows : iterable of dict
        Rows that differ in model, sigma^2 and seed alone.
    model : str
        The model.

    Returns
    -------
    dict
        Rows by sigma^2, in increasing order. "AE" has sigma^2 = 0 alone.
    """
    its = study_rows.select(rows, model=model)
    return {sigma2: study_rows.select(its, sigma2=sigma2) for sigma2 in study_rows.levels(its, "sigma2")}


def sound(rows: Iterable[Row]) -> bool:
    """Return whether there are runs and none of them broke down.

    Parameters
    ----------
    rows : iterable of dict
        The rows of a cell.

    Returns
    -------
    bool
        False for no rows.
    """
    found = list(rows)
    return bool(found) and not any(row["broken"] for row in found)


def shifts(rows: Sequence[Row], model: str) -> Cells | None:
    """Return how far a model lies from the plain auto-encoder.

    Parameters
    ----------
    rows : sequence of dict
        Rows that differ in model, sigma^2 and seed alone.
    model : str
        The model.

    Returns
    -------
    dict or None
        The differences of the activation fraction, one per seed, by sigma^2. Cells with a run that broke down are left
        out; all are if the plain auto-encoder broke down. None if runs at `NEEDED` or the plain ones are not stored.
    """
    plain, its = study_rows.select(rows, model="AE"), cells(rows, model)
    if not plain or not set(NEEDED) <= set(its):
        return None
    if not sound(plain):
        return {}
    found = {sigma2: differences(each, plain) for sigma2, each in its.items() if sigma2 > 0 and sound(each)}
    return {sigma2: each for sigma2, each in found.items() if len(each)}
