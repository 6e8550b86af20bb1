"""The record of a run: made when the run ends, and selected when a model was trained more than once."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from typing import Any, TypeAlias

from numpy_rae.experiments.provenance import made, versions
from numpy_rae.experiments.run import Run
from numpy_rae.train_state import TrainResult

Record: TypeAlias = dict[str, Any]
LOG = logging.getLogger(__name__)


def make_record(run: Run, trained: TrainResult) -> Record:
    """Make the record of a finished run.

    Parameters
    ----------
    run : Run
        What was trained.
    trained : TrainResult
        What the training returned.

    Returns
    -------
    dict
        JSON values. "status" is "ok" or "diverged".
    """
    return {
        "hash": run.hash,
        "identity": run.identity,
        **run.description(),
        "status": "diverged" if trained.diverged else "ok",
        "metrics": trained.metrics,
        "history": [_without_nan(entry) for entry in trained.history],
        "steps": trained.steps,
        "diverged_at_step": trained.diverged,
        "first_objective": trained.first,
        "peak_objective": trained.peak and trained.peak[0],
        "peak_step": trained.peak and trained.peak[1],
        "last_finite_objective": trained.last,
        "rho": "batch mean",
        "n_extrapolated": trained.n_extrapolated,
        "seconds": round(trained.seconds, 3),
        "versions": versions(),
        "made": made(),
    }


def _without_nan(entry: dict[str, float]) -> dict[str, float | None]:
    """Return the entry with None for NaN and infinity, which JSON does not have."""
    return {name: value if math.isfinite(value) else None for name, value in entry.items()}


def latest(entries: Iterable[Record]) -> list[Record]:
    """Return the last record of each model, sigma^2 and seed. Warn if there are others, for example of an edited model.

    Parameters
    ----------
    entries : iterable of dict
        Records in the order of their file.

    Returns
    -------
    list of dict
        One record for each model, sigma^2 and seed.
    """
    entries = list(entries)
    last = {(entry["model"], entry["config"]["sigma2"], entry["config"]["seed"]): entry for entry in entries}
    if len(last) < len(entries):
        LOG.warning(
            "%d of %d records are of a run that was trained again later, with another model or activation of that "
            "name; the later records are used", len(entries) - len(last), len(entries),
        )  # fmt: skip
    return list(last.values())
