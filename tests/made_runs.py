"""Small runs on made data, for tests of sweeps, records and workers."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from numpy_rae.activations import RELU
from numpy_rae.data import data_spec, prepared
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import PAPER_OBJECTIVES
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig

SMALL = TrainConfig(hidden=7, batch_size=16, epochs=2)


def reference_data() -> data_spec.DataRef:
    """Store a made matrix in the data folder. Every process that calls this makes the same matrix."""
    x = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
    return prepared.store_array(x, data_spec.DataSpec("digits", 40))


def grid(ref, config=SMALL, models=("DAE", "CAE", "SAE"), sigma2=(0.0, 0.1, 1.0), seeds=(0, 1)) -> list[Run]:
    """Return a grid of runs. All models coincide at sigma^2 = 0."""
    return [
        Run(PAPER_OBJECTIVES[model], RELU, ref, replace(config, sigma2=s, seed=seed))
        for seed in seeds
        for s in sigma2
        for model in models
    ]


@contextmanager
def one_thread(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool like `local_pool`, but with one thread instead of processes."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def timeless(records) -> dict[str, dict]:
    """Return records by hash, without their duration and without the place and time at which they were made."""
    return {record["hash"]: {**record, "seconds": None, "made": None} for record in records}


def lines(path: Path) -> list[str]:
    """Return the hashes in a results file, in order."""
    return [record["hash"] for record in jsonl.read(path)]


def strict(path: Path) -> list[dict]:
    """Return the records of a file, which must hold no NaN or Infinity."""

    def refuse(constant):
        raise AssertionError(f"{constant} in {path}")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]
