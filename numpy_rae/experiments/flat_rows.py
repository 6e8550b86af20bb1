"""Convert records to flat rows: one row per model, sigma^2 and seed, one column per number."""

from collections.abc import Iterable, Iterator
from typing import Any

from numpy_rae.plotting.model_curves import of_model

FIRST = ("model", "activation", "sigma2", "seed", "status", "activation_fraction", "dead_fraction", "loss")
METRICS = ("activation_fraction", "dead_fraction", "loss", "mean_preactivation", "var_preactivation")
COUNTS = ("steps", "diverged_at_step", "first_objective", "peak_objective", "last_finite_objective", "n_extrapolated")


def flat_row(entry: dict[str, Any], model: str) -> dict[str, Any]:
    """Return one record as a row with plain columns.

    Parameters
    ----------
    entry : dict
        A record of a sweep.
    model : str
        Model of the row. It can differ from the model of the record, because at sigma^2 = 0 the record of "AE" gives a
        row for every model.

    Returns
    -------
    dict
        Names, sigma^2, seed, final metrics, configuration, counts and duration. Metrics are None for a run that
        diverged.
    """
    metrics = {**dict.fromkeys(METRICS), **(entry["metrics"] or {})}
    values = {
        "model": model,
        "activation": entry["activation"],
        "status": entry["status"],
        **entry["config"],
        **metrics,
        **{name: entry.get(name) for name in COUNTS},
        "mean_square": entry.get("mean_square"),
        "seconds": entry.get("seconds"),
        "trained_as": entry["model"],
        "data": entry["data"]["source"],
        "hash": entry["hash"],
    }
    return {**{name: values[name] for name in FIRST}, **values}


def flat_rows(records: Iterable[dict[str, Any]], models: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of each model in the order of sigma^2. At sigma^2 = 0 all models share the runs of "AE".

    Parameters
    ----------
    records : iterable of dict
        Records of a sweep.
    models : iterable of str
        The models, in the order of the rows.

    Yields
    ------
    dict
        `flat_row` of each record.
    """
    records = list(records)
    for model in models:
        for entry in of_model(records, model):
            yield flat_row(entry, model)
