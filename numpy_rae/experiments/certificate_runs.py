"""The runs that put the certificates to the test: every shipped activation and penalty, small, on two data sets.

"digits" are the embedded ones, each 2 x 2 block of pixels averaged (n = 196), standardised as for the figures. "white"
are sums of 4 of 40 random atoms (n = 20), whitened exactly: Assumption 1's second moments hold to rounding.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from numpy_rae import sparsity
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.baselines import dictionary_recovery
from numpy_rae.breakdown import broken_down
from numpy_rae.data import images
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET, as_rows, standardise, whiten
from numpy_rae.experiments.records import Record, StoredRecords, read_results
from numpy_rae.experiments.relative_cost import relative_cost
from numpy_rae.experiments.sweep import run_missing
from numpy_rae.identity import older_records
from numpy_rae.identity.fingerprint import digest
from numpy_rae.identity.older_records import CONFIG, identified, old_hash
from numpy_rae.identity.run_identity import of_activation, of_config, of_model
from numpy_rae.metrics import mean_square
from numpy_rae.objectives import AE, Objective
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import TrainResult
from numpy_rae.training import init_state, run_epochs

BATCH = 50
# Both in the paper's range, (0.001, 0.005). Squared ReLU, whose slope has no bound, does not converge with them.
ETA = {"digits": 0.002, "white": 0.005}
FEATURES = {"digits": 196, "white": 20}
SMALLER = {"squared_relu": 0.25}
DECIMALS = 5
DIGITS = 16


@dataclass(frozen=True)
class Preset:
    """The size of the trials.

    Attributes
    ----------
    samples : int
        Number of samples.
    hidden : dict
        Number of hidden units by data set.
    lam : tuple of float
        The coefficients of the penalties.
    seeds : tuple of int
        The seeds.
    epochs : tuple of int
        The lengths in epochs at which a run is measured.
    """

    samples: int
    hidden: dict[str, int]
    lam: tuple[float, ...]
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]


SAMPLE = Preset(2000, {"digits": 50, "white": 40}, (0.0, 0.1, 0.3, 1.0), (0, 1), (25, 50, 100, 200))
PRESETS = {
    "sample": SAMPLE,
    "long": replace(SAMPLE, epochs=(25, 50, 100, 200, 400, 800)),
    "tiny": Preset(100, {"digits": 6, "white": 8}, (0.0, 1.0), (0, 1), (1, 2, 4)),
}


@dataclass(frozen=True)
class Trial:
    """One run that is measured several times.

    Attributes
    ----------
    model : Objective
        What is minimised.
    activation : Activation
        Encoder activation s_e.
    data : str
        "digits" or "white".
    samples : int
        Number of samples.
    epochs : tuple of int
        The lengths in epochs at which the run is measured.
    config : TrainConfig
        The configuration, with the largest of `epochs`.
    """

    model: Objective
    activation: Activation
    data: str
    samples: int
    epochs: tuple[int, ...]
    config: TrainConfig

    def description(self) -> dict[str, Any]:
        """Return the whole configuration.

        Returns
        -------
        dict
            JSON values.
        """
        names = {"data": self.data, "activation": self.activation.name, "model": self.model.name}
        return {**names, "samples": self.samples, "epochs": list(self.epochs), "config": self.config.description()}

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Return everything that the numbers depend on, see `run_identity`.

        Returns
        -------
        dict
            JSON values.
        """
        return {
            **self.description(),
            "activation": of_activation(self.activation),
            "model": of_model(self.model),
            "config": of_config(self.config),
        }

    @property
    def hash(self) -> str:
        """Return the key under which the result is stored.

        Returns
        -------
        str
            The first digits of the identity's SHA-256.
        """
        return digest(self.identity)[:DIGITS]

    @property
    def label(self) -> str:
        """Return what the trial is called in messages.

        Returns
        -------
        str
            Model, activation, data, lambda and seed.
        """
        what = f"{self.model.name} with {self.activation.name} on {self.data}"
        return f"{what} lambda={self.config.sigma2:g} seed={self.config.seed}"

    @property
    def cost(self) -> float:
        """Return the expected duration.

        Returns
        -------
        float
            In the units of `relative_cost`.
        """
        return relative_cost(self.model, self.config, self.samples, FEATURES[self.data])

    @property
    def is_first_version(self) -> bool:
        """Return whether the model and the activation are of their formulas' first version.

        Returns
        -------
        bool
            False if one of them has a later version.
        """
        return not any("formula" in self.identity[part] for part in ("model", "activation"))

    @property
    def old_hash(self) -> str:
        """Return the key in results files that are older than identities.

        Returns
        -------
        str
            The hash of the names and the configuration.
        """
        description = self.description()
        config = {name: description["config"][name] for name in CONFIG}
        return old_hash({**description, "config": config})[:DIGITS]


def all_trials(
    preset: Preset, activations: Sequence[Activation], penalties: Sequence[str], tangent: bool = False
) -> list[Trial]:
    """Return a trial of the plain auto-encoder and of each penalty, at every lambda with every seed.

    Parameters
    ----------
    preset : Preset
        The size.
    activations : sequence of Activation
        The activations.
    penalties : sequence of str
        Names of the penalties. KL is left out for activations that can be negative.
    tangent : bool, optional
        Whether the gradient is projected on the unit rows' tangent.

    Returns
    -------
    list of Trial
        The trials.
    """
    return [
        Trial(model, s_e, data, preset.samples, preset.epochs, config(preset, s_e, data, lam, seed, tangent))
        for seed in preset.seeds
        for data in ETA
        for s_e in activations
        for model in (AE, *(OBJECTIVES[name] for name in penalties if _takes(name, s_e)))
        for lam in preset.lam
        if (lam == 0) == (model is AE)
    ]


def _takes(penalty: str, activation: Activation) -> bool:
    """Return whether the penalty is defined for the activation; KL is not where h can be negative."""
    return activation.non_negative or penalty != "KL"


def config(preset: Preset, activation: Activation, data: str, lam: float, seed: int, tangent: bool) -> TrainConfig:
    """Return the configuration of one trial.

    Parameters
    ----------
    preset : Preset
        The size.
    activation : Activation
        Decides the learning rate.
    data : str
        "digits" or "white".
    lam : float
        Coefficient of the penalty.
    seed : int
        The seed.
    tangent : bool
        Whether the gradient is projected on the unit rows' tangent.

    Returns
    -------
    TrainConfig
        The configuration.
    """
    eta = ETA[data] * SMALLER.get(activation.name, 1)
    return TrainConfig(lam, seed, preset.hidden[data], BATCH, preset.epochs[-1], eta, tangent=tangent)


@lru_cache
def load(data: str, samples: int) -> Array:
    """Make a data set.

    Parameters
    ----------
    data : str
        "digits" or "white".
    samples : int
        Number of samples.

    Returns
    -------
    ndarray, shape (samples, n), float32
        The samples.
    """
    x = _digits(samples) if data == "digits" else _white(samples)
    return x.astype(np.float32)


def _digits(samples: int) -> Array:
    """Return the embedded digits at half their resolution, standardised."""
    pixels = as_rows(images.load_sample()[0][:samples])
    blocks = pixels.reshape(samples, 14, 2, 14, 2).mean(axis=(2, 4))
    return standardise(blocks.reshape(samples, FEATURES["digits"]), MNIST_STD_OFFSET)


def _white(samples: int) -> Array:
    """Return sums of few random atoms, whitened."""
    rng = np.random.default_rng(0)
    x = dictionary_recovery.mixture(samples, FEATURES["white"], 40, 4, 0.05, rng, np.float64).x
    return whiten(x)


def train_trial(trial: Trial) -> Record:
    """Train one run and make its record; called in a worker.

    Parameters
    ----------
    trial : Trial
        What is trained.

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
    return {"steps": trained.steps, **rounded}, found.mean_a


def _drift(before: Array, mean_a: Array, var_a: Array) -> float:
    """Return how far E[a_j] (m,) has moved, in units of the pre-activations' own spread: `outcome` (a)."""
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


def stored(results: Path, wanted: Iterable[Trial]) -> StoredRecords:
    """Read a results file of trials.

    Parameters
    ----------
    results : Path
        The file. If it does not exist, there are no records.
    wanted : iterable of Trial
        Records of older releases get the hash that these trials have now.

    Returns
    -------
    StoredRecords
        The records.

    Raises
    ------
    StoreError
        If the file cannot be read, or if it is not a sweep's.
    """
    older = {trial.old_hash: trial for trial in wanted}
    return read_results(results, lambda entry: with_identity(older_records.with_identity(entry), older))


def with_identity(entry: Record, older: Mapping[str, Trial]) -> Record:
    """Return the record with the identity of its trial.

    Parameters
    ----------
    entry : dict
        A record.
    older : mapping
        Trials by `Trial.old_hash`. Old records are of the formulas' first versions.

    Returns
    -------
    dict
        The record as it is if it has an identity already, or if its trial is unknown.
    """
    trial = older.get(str(entry.get("hash")))
    if trial is None or "identity" in entry or not trial.is_first_version:
        return entry
    return identified(entry, trial.identity, trial.hash)


def one_line(entry: Record) -> str:
    """Return a record in a few words, for the progress bar.

    Parameters
    ----------
    entry : dict
        The record of a trial.

    Returns
    -------
    str
        What was trained, and its status.
    """
    what = f"{entry['model']} with {entry['activation']} on {entry['data']}"
    return f"{what} lambda={entry['lambda']:g} seed={entry['seed']}: {entry['status']}"


def run(wanted: Iterable[Trial], pool: Executor, found: StoredRecords, at_once: int | None = None) -> Generator[Record]:
    """Yield the record of every trial: first the stored ones, then the others as they end.

    Parameters
    ----------
    wanted : iterable of Trial
        The trials.
    pool : Executor
        Where they are trained.
    found : StoredRecords
        What `stored` has read from the results file, to which each new record is appended.
    at_once : int, optional
        How many trials the executor has at a time. All, if None.

    Yields
    ------
    dict
        A record, see `train_trial`.

    Raises
    ------
    StoreError, NotSendable, RunsLost, ExecutorLost
        As `sweep` does.
    """
    yield from run_missing({trial.hash: trial for trial in wanted}, pool, found, train_trial, at_once=at_once)
