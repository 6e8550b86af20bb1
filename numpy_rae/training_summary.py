"""What a training run reports: the entries of its history, and its result."""

import math
import time
from typing import Any

from numpy_rae import metrics
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params
from numpy_rae.train_state import TrainResult, TrainState


def finalise(state: TrainState, x: Array, activation: Activation) -> TrainResult:
    """Return the result of a run, with metrics over all of x. Metrics that are not finite count as a divergence.

    Parameters
    ----------
    state : TrainState
        The state at the end of the run.
    x : ndarray, shape (N, n)
        Training data.
    activation : Activation
        Encoder activation.

    Returns
    -------
    TrainResult
        Parameters, metrics, history and counters.
    """
    final, steps, start = None, len(state.objectives), time.perf_counter()
    if not state.diverged:
        final = metrics.summary(metrics.measure(state.params, activation, x))
        if not all(map(math.isfinite, final.values())):
            final, state.diverged = None, steps + 1
    first, peak, last = objective_extremes(state.objectives)
    seconds = state.seconds + time.perf_counter() - start
    return TrainResult(
        state.params, final, state.history, steps, state.n_extrapolated, state.diverged, first, peak, last, seconds
    )


def objective_extremes(objectives: list[float]) -> tuple[float | None, tuple[float, int] | None, float | None]:
    """Return the first, the largest and the last of the minibatch objectives.

    Parameters
    ----------
    objectives : list of float
        One objective per update.

    Returns
    -------
    first : float or None
        The first one. All three are None for an empty list.
    peak : tuple of (float, int) or None
        The largest one and its step, from 1.
    last : float or None
        The last one.
    """
    if not objectives:
        return None, None, None
    peak = max(objectives)
    return objectives[0], (peak, objectives.index(peak) + 1), objectives[-1]


def history_entry(
    epoch: int, recent: list[float], params: Params, activation: Activation, probe: Array
) -> dict[str, Any]:
    """Return one entry of the history.

    Parameters
    ----------
    epoch : int
        Number of the epoch, from 1.
    recent : list of float
        The minibatch objectives of the epoch.
    params : Params
        The parameters after the epoch.
    activation : Activation
        Encoder activation.
    probe : ndarray, shape (samples, n)
        The samples of the metrics, the same in every epoch.

    Returns
    -------
    dict
        "epoch", "objective" (the mean of `recent`), and the entries of `metrics.summary`.
    """
    seen = metrics.summary(metrics.measure(params, activation, probe))
    return {"epoch": epoch, "objective": sum(recent) / len(recent), **seen}
