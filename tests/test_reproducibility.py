"""Pools of 1, 2 and 4 workers and a process without a pool give the same records, and no global generator is used."""

import importlib
import json
import os
import pkgutil
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import numpy_rae
from numpy_rae import _blas
from numpy_rae.activations import RELU
from numpy_rae.data import data_spec, prepared
from numpy_rae.experiments import sweep
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.worker import train_run
from numpy_rae.registry import OBJECTIVES
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig

N, n = 100, 784  # As many features as a digit has. With 64, two OpenBLAS threads give other bits than one.
CONFIG = TrainConfig(sigma2=0.1, hidden=64, batch_size=32, epochs=2)
POOLS = (1, 2, 4)
EXTRAS = {"distributed", "sklearn"}


def grid() -> list[Run]:
    """Return a run of every model at a positive sigma^2, and one run of the plain auto-encoder at sigma^2 = 0.

    The plain auto-encoder does not use sigma^2, so a sweep trains only one of its two runs.
    """
    x = np.random.default_rng(0).standard_normal((N, n)).astype(np.float32)
    ref = prepared.store_array(x, data_spec.DataSpec("digits", N))
    runs = [Run(model, RELU, ref, CONFIG) for model in OBJECTIVES.values()]
    return [*runs, replace(runs[0], config=replace(CONFIG, sigma2=0.0))]


def timeless(records) -> dict[str, dict]:
    """Return records by hash, as JSON reads them, without their duration and without place and time."""
    return {record["hash"]: {**json.loads(json.dumps(record)), "seconds": None, "made": None} for record in records}


def global_states() -> list:
    """Return the states of both global generators as values that can be compared."""
    kind, keys, *rest = np.random.get_state()
    return [random.getstate(), kind, keys.tolist(), rest]


def import_everything() -> None:
    """Import every module of the package. Only an optional extra may be missing."""
    for module in pkgutil.iter_modules(numpy_rae.__path__, "numpy_rae."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            assert error.name.split(".")[0] in EXTRAS, error


def print_records() -> None:
    """Import everything, train every distinct run, check the global generators, and print the records.

    A new process calls this.
    """
    before = global_states()
    import_everything()
    records = [train_run(run) for run in deduplicate(grid()).values()]
    assert global_states() == before
    print(json.dumps(records))


def meet(folder: Path, count: int) -> int:
    """Wait until `count` processes are here, so that each task runs in another process."""
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < count:
        time.sleep(0.01)
    return os.getpid()


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Use a new data folder, and a user's setting of two BLAS threads, which no worker may use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_RAE_DATA", str(tmp_path_factory.mktemp("data")))
        for name in _blas.ONE_THREAD:
            patch.setenv(name, "2")
        yield {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture(scope="module")
def pools(environment, tmp_path_factory):
    """Give real pools by their number of workers. All workers have started."""
    with ExitStack() as stack:
        pools, met = {count: stack.enter_context(local_pool(count)) for count in POOLS}, {}
        for count, pool in pools.items():
            folder = tmp_path_factory.mktemp("met")
            met[count] = [pool.submit(meet, folder, count) for _ in range(count)]
        assert {count: len({future.result() for future in met[count]}) for count in POOLS} == {1: 1, 2: 2, 4: 4}
        yield pools


@pytest.fixture(scope="module")
def in_process(environment) -> dict[str, dict]:
    """Give the records of a new process that trains all runs. One BLAS thread was set before it imported NumPy."""
    command = [sys.executable, "-c", "import test_reproducibility; test_reproducibility.print_records()"]
    child = subprocess.run(command, env={**environment, **_blas.ONE_THREAD}, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    return timeless(json.loads(child.stdout))


@pytest.mark.parametrize("workers", POOLS)
def test_the_same_record_from_the_pool_and_in_process(pools, in_process, tmp_path, workers):
    """The pool gets the runs in the opposite order.

    Every process has other global generators, which must change no record.
    """
    records = list(sweep.sweep(grid()[::-1], pools[workers], tmp_path / "r.jsonl"))
    assert len(records) == len(OBJECTIVES) == len(grid()) - 1  # one run of AE: it does not depend on sigma^2
    assert [entry["config"]["sigma2"] for entry in records if entry["model"] == "AE"] == [0.0]
    assert timeless(records) == timeless(jsonl.read(tmp_path / "r.jsonl")) == in_process
