"""Stored runs as evidence: how far each model lies from the plain auto-encoder, and the rules that decide a claim.

Every number is a difference between two runs with the same seed, data and settings: the activation fraction of a model
minus that of the plain auto-encoder (AE). Cells are the runs of one model at one sigma^2, one per seed. A cell in which
a run broke down (`breakdown`) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.breakdown import broken_down, mean_square_of
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET
from numpy_rae.experiments import record_checks, study, study_rows
from numpy_rae.experiments.protocol import FIGURES, PAPER
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.study_rows import Row
from numpy_rae.experiments.tables import PAPER_UPDATES

MARGIN = 0.01
DEVIATIONS = 3.0
NEEDED = (0.25, 1.0)
PAPER_ETAS = (0.001, 0.002, 0.003, 0.005)
HOLDS, FAILS, OPEN, NOT_RUN, PART = "holds", "does not hold", "no verdict", "not run", "in part"
TOO_SHORT = "too short"
# What every run of the protocol has in common.
USUAL = {"hidden": 1000, "batch_size": 50, "momentum": 0.9, "velocity": "classical", "start": "glorot"}
# SAE's default for activations that can exceed 1, under the name that the study of eps gives it.
SAME_MODEL = {"SAE(eps=0.1)": "SAE"}
DATA_NAMES = {source: data for data, source in study.SOURCES.items()}
ONE_RUN = (
    "model", "sigma2", "seed", "source", "samples", "std_offset", "epochs", "activation", "constraint", "tangent",
    "eta", *USUAL,
)  # fmt: skip
SHORT_EPOCHS = {
    (DATA_NAMES[each.source], each.activation, each.constraint): each.sample.epochs
    for group in FIGURES.values()
    for each in group
}
SHOWS_AT = {(each.activation, each.constraint): each.shows_at for group in FIGURES.values() for each in group}


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
    Setting("tangent steps, short", "short", PAPER_ETAS, True),
)


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


Cells: TypeAlias = dict[float, Array]
Rule: TypeAlias = Callable[[Cells], tuple[str, float]]


def load_rows(folder: Path, names: Iterable[str]) -> list[Row]:
    """Return the rows of results files, every run once: of equal runs, the one in the first file.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    names : iterable of str
        Their names without the suffix. A file that does not exist has no rows.

    Returns
    -------
    list of dict
        `study_rows.row` of every record, and more: "length" is "short", "long" or None for other lengths. "silent" is
        the share of units that are active on none of the 1,000 samples of the history. "std_offset" is that of the
        data. "settling" is the change of the activation fraction in the last ten epochs, None in shorter runs.

    Raises
    ------
    StoreError
        If a file cannot be read, or if it is not a sweep's.
    """
    found: dict[str, Record] = {}
    for name in names:
        for entry in record_checks.load_records(folder / f"{name}.jsonl"):
            found.setdefault(entry["hash"], entry)
    scales = {entry["data"]["sha256"]: entry["mean_square"] for entry in found.values() if entry.get("mean_square")}
    rows = [_row(entry, scales) for entry in found.values()]
    return list({tuple(row[name] for name in ONE_RUN): row for row in reversed(rows)}.values())[::-1]


def _row(entry: Record, scales: dict[str, float]) -> Row:
    """Return the row of one record; E||x||^2 of a record without it is that of another record with the same data."""
    row = study_rows.row(entry)
    scale = scales.get(entry["data"].get("sha256")) or mean_square_of(entry)
    judged = scale is not None or entry["status"] == "diverged"
    history = [epoch["activation_fraction"] for epoch in entry["history"]]
    return {
        **row,
        "model": SAME_MODEL.get(row["model"], row["model"]),
        "samples": entry["data"]["count"],
        "broken": broken_down({**entry, "mean_square": scale}) if judged else None,
        "length": _length(entry, row),
        "silent": entry["history"][-1]["dead_fraction"] if entry["history"] else None,
        "std_offset": entry["data"].get("std_offset", 0.0),
        "settling": history[-1] - history[-11] if len(history) > 10 and None not in history else None,
    }


def _length(entry: Record, row: Row) -> str | None:
    """Return whether a run has the length of the paper or of the short preset of its figure."""
    if row["data"] == "digits" and entry["data"].get("std_offset") != MNIST_STD_OFFSET:
        return None
    size = entry["data"]["count"], row["epochs"]
    if size == (PAPER.samples, PAPER.epochs):
        return "long"
    short = SHORT_EPOCHS.get((row["data"], row["activation"], row["constraint"]))
    return "short" if size == (5000, short) else None


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
