"""Two rules about runs whose objective exploded: `broken_down`, and the older `exploded`.

`broken_down` has two conditions: a high peak, and a high final loss. So it leaves out runs that recover. Its thresholds
are relative to E||x||^2, the loss of an all-dead code, which depends only on the data. Use it for conclusions about
sparsity.

`exploded` has one condition: a peak above EXPLOSION times the first objective of the same run. It also finds runs that
recover. The first objective depends on the model, the initialisation and sigma^2, so the rule differs between models.
The stored records of the certificate runs and the rings in the figures of sweeps use it, so it must not change.
"""

from typing import Any

PEAK = 10.0
LOSS = 0.25


def broken_down(entry: dict[str, Any], mean_square: float | None = None) -> bool:
    """Return whether the run of a record broke down.

    A run breaks down if it diverges, or if its largest minibatch objective is above PEAK times E||x||^2 and its final
    loss on the training set is above LOSS times E||x||^2. The first condition alone also finds runs that recover:
    stretching the initial rows to length 1 can multiply the objective by 20 in one step, without any lasting effect.

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
        If E||x||^2 is neither in the record nor given.
    """
    if entry["status"] == "diverged":
        return True
    scale = entry.get("mean_square", mean_square)
    if scale is None:
        raise ValueError(f"record {entry['hash'][:16]!r} has no mean_square; it must be given")
    return bool(entry["peak_objective"] > PEAK * scale and entry["metrics"]["loss"] > LOSS * scale)


EXPLOSION = 100


def exploded(entry: dict[str, Any]) -> bool:
    """Return whether a run finished, but its objective was once above EXPLOSION times its first value.

    This is the older rule. It also finds runs that recover, and it does not use the final loss, see `broken_down`.

    Parameters
    ----------
    entry : dict
        A record of a sweep.

    Returns
    -------
    bool
        True if the objective exploded. Units that died then do not show that the penalty makes codes sparse.
    """
    return bool(entry["status"] == "ok" and entry["peak_objective"] > EXPLOSION * entry["first_objective"])
