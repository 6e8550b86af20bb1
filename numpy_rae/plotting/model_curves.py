"""Collect the data of each model for a figure against sigma^2: its records, and a metric's values over the seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

Record = dict[str, Any]


def belongs(entry: Record, model: str) -> bool:
    """Return whether a record belongs to a model. The plain auto-encoder at sigma^2 = 0 belongs to every model.

    Parameters
    ----------
    entry : dict
        A record.
    model : str
        Name of the model.

    Returns
    -------
    bool
        True if it does.
    """
    return entry["model"] == model or (entry["model"] == "AE" and _sigma2(entry) == 0)


def of_model(records: Iterable[Record], model: str) -> list[Record]:
    """Return a model's records in the order of sigma^2.

    They include the record of the plain auto-encoder, unless the model has its own record at sigma^2 = 0.

    Parameters
    ----------
    records : iterable of dict
        Records of any models.
    model : str
        Name of the model.

    Returns
    -------
    list of dict
        The model's records.
    """
    mine = [entry for entry in records if belongs(entry, model)]
    has_own = any(entry["model"] == model and _sigma2(entry) == 0 for entry in mine)
    return sorted((entry for entry in mine if entry["model"] == model or not has_own), key=_sigma2)


def spread_plain(
    records: Iterable[Record], models: Iterable[str], sigma2: Iterable[float] | None = None
) -> list[Record]:
    """Return the records that are shown, with a copy of the record of "AE" at every sigma^2.

    The plain auto-encoder "AE" does not depend on sigma^2. It is trained and stored once per seed, at sigma^2 = 0.

    Parameters
    ----------
    records : iterable of dict
        Stored records.
    models : iterable of str
        The models that are shown. Without "AE", nothing is added.
    sigma2 : iterable of float, optional
        The values of sigma^2 that are shown. With None, these are the values in the records.

    Returns
    -------
    list of dict
        The records, then the copies. If "AE" has its own record at a sigma^2, no copy is added there.
    """
    found = list(records)
    grid = sorted(set(map(_sigma2, found) if sigma2 is None else sigma2))
    plain = [entry for entry in found if entry["model"] == "AE" and "AE" in models]
    there = {(_sigma2(entry), entry["config"]["seed"]) for entry in plain}
    copies = [
        {**entry, "config": {**entry["config"], "sigma2": value}}
        for entry in plain
        for value in grid
        if _sigma2(entry) == 0 and (value, entry["config"]["seed"]) not in there
    ]
    return [entry for entry in found if _sigma2(entry) in grid] + copies


def _sigma2(entry: Record) -> float:
    """Return a record's sigma^2."""
    sigma2: float = entry["config"]["sigma2"]
    return sigma2


def by_sigma2(records: Iterable[Record], model: str, key: str) -> Iterator[tuple[float, list[float]]]:
    """Yield each sigma^2 and a metric's values over the seeds, for the finished runs of a model.

    Parameters
    ----------
    records : iterable of dict
        Records of any models.
    model : str
        Name of the model.
    key : str
        Name of the metric.

    Yields
    ------
    tuple of float and list of float
        sigma^2, and the metric of each run.
    """
    finished = (entry for entry in of_model(records, model) if entry["status"] == "ok")
    for sigma2, group in groupby(finished, key=_sigma2):
        yield sigma2, [entry["metrics"][key] for entry in group]


def differences(records: Iterable[Record], model: str, reference: str) -> dict[float, list[float]]:
    """Return a model's activation fraction minus the reference model's with the same sigma^2 and seed.

    Parameters
    ----------
    records : iterable of dict
        Records of any models.
    model : str
        Name of the model.
    reference : str
        Name of the model that is subtracted.

    Returns
    -------
    dict of float to list of float
        The differences by sigma^2. Only positive values of sigma^2 at which both models have a finished run.
    """
    records = list(records)
    value = {
        (entry["model"], _sigma2(entry), entry["config"]["seed"]): entry["metrics"]["activation_fraction"]
        for entry in records
        if entry["status"] == "ok"
    }
    found: dict[float, list[float]] = {}
    for (name, sigma2, seed), mine in sorted(value.items(), key=lambda item: item[0][1:]):
        if name == model and sigma2 > 0 and (reference, sigma2, seed) in value:
            found.setdefault(sigma2, []).append(mine - value[reference, sigma2, seed])
    return found
