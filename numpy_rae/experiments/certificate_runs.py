"""The runs that put the certificates to the test: every shipped activation and penalty, small, on two data sets.

Digits are the embedded ones, each 2 x 2 block of pixels averaged (n = 196), standardised as for the figures; "white"
are sums of 4 of 40 random atoms (n = 20), whitened exactly: Assumption 1's second moments hold to rounding.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from numpy_rae import sparsity
from numpy_rae.activations import Activation
from numpy_rae.baselines import dictionary_recovery
from numpy_rae.breakdown import EXPLOSION
from numpy_rae.data import images
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET, as_rows, standardise, whiten
from numpy_rae.experiments import records
from numpy_rae.identity.older_records import CONFIG, identified, old_hash
from numpy_rae.identity.run_identity import digest, of_activation, of_config, of_model
from numpy_rae.objectives import AE, Objective
from numpy_rae.registry import OBJECTIVES
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import TrainResult
from numpy_rae.training import init_state, run_epochs

BATCH = 50
# Both in the paper's range, (0.001, 0.005). Squared ReLU, whose slope has no bound, does not settle with them.
ETA = {"digits": 0.002, "white": 0.005}
SMALLER = {"squared_relu": 0.25}
DECIMALS = 5
DIGITS = 16


@dataclass(frozen=True)
class Preset:
    """Samples, hidden units by data set, coefficients, seeds, and the lengths in epochs at which a run is measured."""

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
    """One run, measured after each of `epochs`."""

    model: Objective
    activation: Activation
    data: str
    samples: int
    epochs: tuple[int, ...]
    config: TrainConfig

    def description(self) -> dict:
        """What is run, as JSON values."""
        names = {"data": self.data, "activation": self.activation.name, "model": self.model.name}
        return {**names, "samples": self.samples, "epochs": list(self.epochs), "config": self.config.description()}

    @cached_property
    def identity(self) -> dict:
        """What decides the numbers, as JSON values: see `identity`."""
        return {
            **self.description(),
            "activation": of_activation(self.activation),
            "model": of_model(self.model),
            "config": of_config(self.config),
        }

    @property
    def hash(self) -> str:
        """Of the identity: the key under which the result is stored."""
        return digest(self.identity)[:DIGITS]

    @property
    def is_first_version(self) -> bool:
        """Whether no formula of the model or the activation has a later version."""
        return not any("formula" in self.identity[part] for part in ("model", "activation"))

    @property
    def old_hash(self) -> str:
        """The key in results files that are older than identities."""
        description = self.description()
        config = {name: description["config"][name] for name in CONFIG}
        return old_hash({**description, "config": config})[:DIGITS]


def all_trials(
    preset: Preset, activations: Sequence[Activation], penalties: Sequence[str], tangent: bool = False
) -> list[Trial]:
    """The plain auto-encoder and each penalty that takes the activation, at every lambda with every seed."""
    return [
        Trial(model, s_e, data, preset.samples, preset.epochs, config(preset, s_e, data, lam, seed, tangent))
        for seed in preset.seeds
        for data in ETA
        for s_e in activations
        for model in (AE, *(OBJECTIVES[name] for name in penalties if takes(name, s_e)))
        for lam in preset.lam
        if (lam == 0) == (model is AE)
    ]


def takes(penalty: str, activation: Activation) -> bool:
    """Whether the penalty is defined for the activation; KL with a target is not where h can be negative."""
    return activation.non_negative or penalty != "KL"


def config(preset: Preset, activation: Activation, data: str, lam: float, seed: int, tangent: bool) -> TrainConfig:
    eta = ETA[data] * SMALLER.get(activation.name, 1)
    return TrainConfig(lam, seed, preset.hidden[data], BATCH, preset.epochs[-1], eta, tangent=tangent)


@lru_cache
def load(data: str, samples: int) -> np.ndarray:
    """The data set by name, float32 (samples, n)."""
    x = digits(samples) if data == "digits" else white(samples)
    return x.astype(np.float32)


def digits(samples: int) -> np.ndarray:
    pixels = as_rows(images.load_sample()[0][:samples])
    blocks = pixels.reshape(samples, 14, 2, 14, 2).mean(axis=(2, 4))
    return standardise(blocks.reshape(samples, 196), MNIST_STD_OFFSET)


def white(samples: int) -> np.ndarray:
    return whiten(dictionary_recovery.mixture(samples, 20, 40, 4, 0.05, np.random.default_rng(0), np.float64).x)


def train_trial(trial: Trial) -> dict:
    """Train one run and make its record; called in a worker. "status" is "ok", "diverged" or "exploded"."""
    x = load(trial.data, trial.samples)
    state, seen = init_state(x.shape[1], trial.config), []
    mean_a = np.zeros(trial.config.hidden)
    for epochs in trial.epochs:
        more = epochs - len(state.history)
        trained = run_epochs(state, x, trial.model, trial.activation, trial.config, more)
        if trained.diverged:
            break
        entry, mean_a = checkpoint(trained, trial.activation, x, mean_a)
        seen.append(entry)
    return record(trial, trained, seen)


def checkpoint(trained: TrainResult, activation: Activation, x: np.ndarray, before: np.ndarray) -> tuple[dict, np.ndarray]:
    """What is measured at one length, with `before` E[a_j] (m,) at the length before, and E[a_j] now."""
    found = sparsity.measure(trained.params, activation, x)
    figures = {
        "fraction": found.density.mean(),
        "near_zero": found.near_zero.mean(),
        "dead": found.dead.mean(),
        "mean_a": found.mean_a.mean(),
        "drift": drift(before, found.mean_a, found.var_a),
        "loss": trained.metrics["loss"],
    }
    rounded = {name: round(float(value), DECIMALS) for name, value in figures.items()}
    return {"steps": trained.steps, **rounded}, found.mean_a


def drift(before: np.ndarray, mean_a: np.ndarray, var_a: np.ndarray) -> float:
    """How far E[a_j] (m,) has moved, beside the pre-activations' own spread: `outcome` (a)."""
    limits = np.finfo(float)
    # Beside a far larger mean the variance is rounding.
    spread2 = max(var_a.mean(), limits.eps * np.square(mean_a).mean(), limits.tiny)
    return float((np.square(mean_a - before).mean() / spread2) ** 0.5)


def record(trial: Trial, trained: TrainResult, seen: Sequence[dict]) -> dict:
    """One line of the results file: a list over the lengths for each figure."""
    exploded = trained.first is not None and trained.peak[0] > EXPLOSION * trained.first
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
        "status": "diverged" if trained.diverged else "exploded" if exploded else "ok",
        "seconds": round(trained.seconds, 2),
        **{name: [entry[name] for entry in seen] for name in (seen[0] if seen else ())},
    }


def stored(results: Path, wanted: Sequence[Trial]) -> dict[str, dict]:
    """The records of a results file by hash, older ones under the hash that the wanted trials have now."""
    older = {trial.old_hash: trial for trial in wanted}
    found = records.records_by_hash(results)
    return {entry["hash"]: entry for entry in (with_identity(entry, older) for entry in found.values())}


def with_identity(entry: dict, older: dict[str, Trial]) -> dict:
    """The record with the identity of its trial, which is found by its old hash; as it is if it has one.

    Old records are of the formulas' first versions.
    """
    trial = older.get(str(entry.get("hash")))
    if trial is None or "identity" in entry or not trial.is_first_version:
        return entry
    return identified(entry, trial.identity, trial.hash)


def run(wanted: Sequence[Trial], pool: Executor, results: Path) -> Iterator[dict]:
    """Yield each record that is not stored yet, as its run ends and once it is appended to `results`."""
    done = stored(results, wanted)
    futures = [pool.submit(train_trial, trial) for trial in wanted if trial.hash not in done]
    try:
        for future in as_completed(futures):
            jsonl.append(results, future.result())
            yield future.result()
    finally:
        for future in futures:
            future.cancel()
