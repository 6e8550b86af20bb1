"""The estimate of the time that runs will take."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from numpy_rae.activations import RELU
from numpy_rae.batches import shuffled_batches
from numpy_rae.data import data_spec, prepared
from numpy_rae.experiments import time_estimate
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import AE, PAPER_OBJECTIVES, Objective
from numpy_rae.train_config import TrainConfig

pytestmark = pytest.mark.usefixtures("ref")


def run_of(N=40, **config) -> Run:
    """Return a run on made data."""
    x = np.random.default_rng(0).standard_normal((N, 3)).astype(np.float32)
    ref = prepared.store_array(x, data_spec.DataSpec("digits", N))
    return Run(AE, RELU, ref, TrainConfig(**{"hidden": 2, "epochs": 3, "batch_size": 7, **config}))


@pytest.mark.parametrize("N", [1, 6, 7, 8, 40])
def test_updates_counts_what_training_does(N):
    run = run_of(N)
    assert time_estimate.updates(run) == 3 * len(shuffled_batches(N, 7, np.random.default_rng(0)))


def test_a_runs_estimate_counts_updates_and_measurements(monkeypatch):
    """On a made clock, an update takes 2 and the measurement of a sample takes 3."""
    now = [0.0]

    def objective(params, activation, x, sigma2, rng):
        now[0] += 2
        return AE(params, activation, x, sigma2, rng)

    def measure(params, activation, x):
        now[0] += 3 * len(x)

    monkeypatch.setattr(time_estimate.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time_estimate.metrics, "measure", measure)
    monkeypatch.setattr(time_estimate, "HISTORY_SAMPLES", 10)
    run = replace(run_of(), model=Objective("timed", objective))
    assert time_estimate.run_seconds(run) == pytest.approx(18 * 2 + 3 * 10 * 3 + 40 * 3)


@pytest.mark.parametrize(("workers", "expected"), [(1, 40), (2, 20), (3, 40 / 3), (9, 10)])
def test_the_sweeps_estimate_shares_the_runs_among_the_workers(monkeypatch, workers, expected):
    seconds = {"DAE": 4.0, "SAE": 16.0}
    monkeypatch.setattr(time_estimate, "run_seconds", lambda run: seconds[run.model.name])
    run = run_of()
    runs = [replace(run, model=PAPER_OBJECTIVES[model]) for model in ("DAE", "SAE", "DAE", "SAE")]
    with ThreadPoolExecutor(1) as pool:
        assert time_estimate.seconds_ahead(runs, pool, workers) == pytest.approx(expected)
