"""Estimate the duration of a sweep. A few of its steps are timed on the workers that will run it."""

import math
import time
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from numpy_rae import _validation, metrics
from numpy_rae.autoencoder import init_params
from numpy_rae.data import prepared
from numpy_rae.experiments.run import Run
from numpy_rae.optimizer import zero_velocity
from numpy_rae.train_state import RandomStreams
from numpy_rae.training import HISTORY_SAMPLES, update

STEPS = 100


@_validation.tiny_is_zero
def updates(run: Run) -> int:
    """Return the number of optimiser steps of a run.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    int
        Epochs times batches.
    """
    return run.config.epochs * math.ceil(run.data.shape[0] / run.config.batch_size)


@_validation.tiny_is_zero
def seconds_ahead(runs: list[Run], pool: Executor, workers: int) -> float:
    """Estimate the duration of runs.

    All workers measure at the same time, because they also share the memory bandwidth during the sweep.

    Parameters
    ----------
    runs : list of Run
        The runs.
    pool : Executor
        Executor on which they will run.
    workers : int
        Number of runs at the same time.

    Returns
    -------
    float
        Seconds.
    """
    kinds = {kind(run): run for run in runs}
    timings = {name: [pool.submit(run_seconds, run) for _ in range(workers)] for name, run in kinds.items()}
    per_run = {name: float(np.mean([future.result() for future in futures])) for name, futures in timings.items()}
    return sum(per_run[kind(run)] for run in runs) / min(workers, len(runs))


def kind(run: Run) -> tuple[object, ...]:
    """Return the values that determine the duration of a run: all except sigma^2, seed and eta.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    tuple
        The values. Runs with equal values have the same expected duration.
    """
    config = replace(run.config, sigma2=0.0, seed=0, eta=1.0)
    return run.model.name, run.activation.name, run.data, config


@_validation.tiny_is_zero
def run_seconds(run: Run) -> float:
    """Estimate the duration of one run from STEPS updates and one call of `measure`. This is called in a worker.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    float
        Seconds.
    """
    x, config, generators = prepared.load(run.data), run.config, RandomStreams(run.config.seed)
    params = init_params(config.hidden, x.shape[1], generators.init, x.dtype.type)
    velocity, batch = zero_velocity(params), generators.order.permutation(len(x))[: config.batch_size]
    start = time.perf_counter()
    for _ in range(STEPS):
        _, grad = run.model(params, run.activation, x[batch], config.sigma2, generators.noise)
        update(params, velocity, grad, config)
    step = (time.perf_counter() - start) / STEPS
    probe = x[:HISTORY_SAMPLES]
    start = time.perf_counter()
    metrics.measure(params, run.activation, probe)
    sample = (time.perf_counter() - start) / len(probe)
    return updates(run) * step + (config.epochs * len(probe) + len(x)) * sample
