"""Train one trial of the certificates' validation, measure it at several lengths, and make its record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from numpy_rae import sparsity
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params
from numpy_rae.breakdown import broken_down
from numpy_rae.experiments.certificate_data import load
from numpy_rae.experiments.certificate_trials import DIGITS, Trial
from numpy_rae.experiments.records import Record
from numpy_rae.metrics import mean_square
from numpy_rae.train_state import TrainResult
from numpy_rae.training import init_state, run_epochs

DECIMALS = 5


def train_trial(trial: Trial) -> Record:
    """Train one run and make its record. A worker calls this function.

    Parameters
    ----------
    trial : Trial
        The trial to train.

    Returns
    -------
    dict
        JSON values, with a list over the lengths for each figure. "status" is "ok", "diverged" or "broken".
    """
    x = load(trial.data, trial.samples)
    state, seen = init_state(x.shape[1], trial.config), []
    mean_a = np.zeros(trial.config.hidden)
    for epochs in trial.epochs:
        more = epochs - len(state.history)
        trained = run_epochs(state, x, trial.model, trial.activation, trial.config, more)
        if trained.diverged:
            break
        entry, mean_a = _checkpoint(trained, trial.activation, x, mean_a)
        seen.append(entry)
    return _record(trial, trained, seen, _status(trained, x))


def _checkpoint(trained: TrainResult, activation: Activation, x: Array, before: Array) -> tuple[Record, Array]:
    """Return what is measured at one length, and E[a_j] (m,); `before` is E[a_j] at the length before."""
    found = sparsity.measure(trained.params, activation, x)
    figures = {
        "fraction": found.density.mean(),
        "near_zero": found.near_zero.mean(),
        "dead": found.dead.mean(),
        "mean_a": found.mean_a.mean(),
        "drift": _drift(before, found.mean_a, found.var_a),
        "loss": (trained.metrics or {})["loss"],
    }
    rounded = {name: round(float(value), DECIMALS) for name, value in figures.items()}
    return {"steps": trained.steps, **rounded, "params": params_digest(trained.params)}, found.mean_a


def params_digest(params: Params) -> str:
    """Return a short text that is equal for equal parameters.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).

    Returns
    -------
    str
        The first digits of the SHA-256 of W and b_e. A zero has one sign.
    """
    # -0.0 + 0.0 is 0.0, so that equal values have equal bytes.
    content = b"".join((np.ascontiguousarray(values) + values.dtype.type(0)).tobytes() for values in params)
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _drift(before: Array, mean_a: Array, var_a: Array) -> float:
    """Return how far E[a_j] (m,) has moved, in units of the spread of the pre-activations: `training_outcome` (a)."""
    limits = np.finfo(float)
    # If the mean is far larger, the variance is only rounding error.
    spread2 = max(var_a.mean(), limits.eps * np.square(mean_a).mean(), limits.tiny)
    return float((np.square(mean_a - before).mean() / spread2) ** 0.5)


def _status(trained: TrainResult, x: Array) -> str:
    """Return "ok", "diverged", or "broken" for a run that finished and broke down."""
    if trained.diverged:
        return "diverged"
    peak, _ = trained.peak or (0.0, 0)
    entry = {"status": "ok", "peak_objective": peak, "metrics": trained.metrics}
    return "broken" if broken_down(entry, mean_square(x)) else "ok"


def _record(trial: Trial, trained: TrainResult, seen: Sequence[Record], status: str) -> Record:
    """Return the record: a list over the lengths for each figure."""
    return {
        "hash": trial.hash,
        "identity": trial.identity,
        "data": trial.data,
        "activation": trial.activation.name,
        "model": trial.model.name,
        "lambda": trial.config.sigma2,
        "seed": trial.config.seed,
        "eta": trial.config.eta,
        "tangent": trial.config.tangent,
        "status": status,
        "seconds": round(trained.seconds, 2),
        **{name: [entry[name] for entry in seen] for name in (seen[0] if seen else ())},
    }
