"""The rule that says whether a run broke down: its objective exploded, and the run did not recover.

Every threshold is relative to E||x||^2, the loss of an all-dead code. It does not depend on the model, the
initialisation or sigma^2, as a run's first objective does.
"""

PEAK = 10.0
LOSS = 0.25


def broken_down(entry: dict, mean_square: float | None = None) -> bool:
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

    Raises
    ------
    ValueError
        If E||x||^2 is neither in the record nor given.
    """
    if entry["status"] == "diverged":
        return True
    scale = entry.get("mean_square", mean_square)
    if scale is None:
        raise ValueError(f"record {entry['hash'][:16]!r} holds no mean_square; it must be given")
    return entry["peak_objective"] > PEAK * scale and entry["metrics"]["loss"] > LOSS * scale
