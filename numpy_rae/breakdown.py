"""The rule for runs that broke down: a high peak of the objective, and a high final loss.

The thresholds are relative to E||x||^2. This is the loss if every unit is dead, and it depends only on the data. The
rule does not count runs that recover. If units died in a run that broke down, this does not show that the penalty makes
codes sparse.

Records of older releases do not contain E||x||^2. `mean_square_of` computes it from the preprocessing where this is
possible. It is not possible for standardised data with a positive `std_offset`. In this case `finished_broken` returns
False. The older records of `certificates.training_outcome` have no peak objective. Their status is not changed.
"""

from typing import Any

PEAK = 10.0
LOSS = 0.25


def broken_down(entry: dict[str, Any], mean_square: float | None = None) -> bool:
    """Return whether the run of a record broke down.

    A run breaks down if it diverges, or if its largest minibatch objective is above PEAK times E||x||^2 and its final
    loss on the training set is above LOSS times E||x||^2. The condition on the peak alone would also count runs that
    recover: scaling the initial rows to length 1 can multiply the objective by 20 in one step. This does not last.

    Parameters
    ----------
    entry : dict
        A record of a sweep.
    mean_square : float, optional
        E||x||^2 of the run's data, for records that were written without "mean_square".

    Returns
    -------
    bool
        True if the run broke down.

    Raises
    ------
    ValueError
        If E||x||^2 is not in the record and `mean_square` is not given.
    """
    if entry["status"] == "diverged":
        return True
    scale = entry.get("mean_square", mean_square)
    if scale is None:
        raise ValueError(f"record {entry['hash'][:16]!r} has no mean_square; it must be given")
    return bool(entry["peak_objective"] > PEAK * scale and entry["metrics"]["loss"] > LOSS * scale)


def mean_square_of(entry: dict[str, Any]) -> float | None:
    """Return E||x||^2 of the data of a record.

    Parameters
    ----------
    entry : dict
        A record of a sweep.

    Returns
    -------
    float or None
        "mean_square" of the record. If the record has none: the number of features if every feature has mean 0 and
        variance 1, otherwise None.
    """
    data: dict[str, Any] = entry.get("data", {})
    unit_variance = data.get("std_offset") == 0 and "shape" in data
    scale: float | None = entry.get("mean_square") or (data["shape"][1] if unit_variance else None)
    return scale


def finished_broken(entry: dict[str, Any]) -> bool:
    """Return whether a run finished and broke down.

    Parameters
    ----------
    entry : dict
        A record of a sweep.

    Returns
    -------
    bool
        True if the run finished and broke down. False if it diverged, if it did not break down, or if E||x||^2 is
        unknown.
    """
    scale = mean_square_of(entry)
    return entry["status"] == "ok" and scale is not None and broken_down({**entry, "mean_square": scale})
