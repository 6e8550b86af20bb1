"""A real Dask scheduler and two worker processes on loopback: same records as the local pool, and a killed worker."""

import os
import pickle
import signal
import time

import pytest

from numpy_rae import blas, cluster, datasets, store, sweep
from numpy_rae.activations import RELU
from numpy_rae.cluster import dask_pool
from numpy_rae.objectives import MODELS
from numpy_rae.pool import local_pool
from numpy_rae.runs import Run, distinct
from numpy_rae.training import TrainConfig

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.mark.parametrize("address", ["", "x", "host:port", "ftp://host:1", "tcp://[::1"])
def test_what_is_no_address_is_refused_before_a_client_is_made(address, monkeypatch):
    """One that could not connect would keep the process for 20 s and end with a traceback."""
    monkeypatch.setattr(distributed, "Client", lambda *args, **more: pytest.fail("a client was made"))
    with pytest.raises(ValueError, match="^--scheduler is .*; it must be a running scheduler's address"):
        with dask_pool(address):
            pass


def test_nobody_at_the_address(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ValueError, match="^--scheduler is 'tcp://127.0.0.1:9'; it must be a running scheduler's"):
        with dask_pool("tcp://127.0.0.1:9"):
            pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Two worker processes with one thread and one BLAS thread each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_RAE_DATA", str(tmp_path_factory.mktemp("data")))
        for name, value in blas.ONE_THREAD.items():
            patch.setenv(name, value)
        options = {"host": "127.0.0.1", "dashboard_address": None, "local_directory": tmp_path_factory.mktemp("dask")}
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as running:
            yield running.scheduler_address


def runs(epochs=2, models=("DAE", "CAE", "SAE")):
    data = datasets.prepare(datasets.DataSpec("digits", 100, 0.1))
    configs = [TrainConfig(sigma2=s, hidden=8, epochs=epochs) for s in (0.0, 0.25, 1.0)]
    return [Run(MODELS[model], RELU, data, config) for config in configs for model in models]


def timeless(records):
    kept = ({k: v for k, v in record.items() if k != "seconds"} for record in records)
    return sorted(kept, key=lambda record: record["hash"])


def test_records_are_the_local_pool_s_bit_for_bit(address, tmp_path):
    with dask_pool(address) as (pool, count):
        assert count == 2
        there = list(sweep.sweep(runs(), pool, tmp_path / "there.jsonl"))
    with local_pool(1) as pool:
        here = list(sweep.sweep(runs(), pool, tmp_path / "here.jsonl"))
    assert timeless(there) == timeless(here) and len(here) == 7


def test_workers_make_the_data_from_its_name_and_hash(address):
    run = runs()[0]
    with distributed.Client(address, set_as_default=False) as client:
        assert len(pickle.dumps(run)) < 5000
        shapes = client.run(lambda ref: datasets.load(ref).shape, run.data)
    assert set(shapes.values()) == {(100, 784)}


def test_a_worker_killed_in_mid_run_loses_nothing(address, tmp_path):
    todo = runs(epochs=400, models=("DAE", "CAE"))
    with dask_pool(address) as (pool, _):
        records = sweep.sweep(todo, pool, tmp_path / "r.jsonl")
        seen = [next(records)]
        victim = pool.submit(os.getpid).result()
        time.sleep(0.05)
        os.kill(victim, signal.SIGKILL)
        seen += list(records)
    assert sorted(record["hash"] for record in seen) == sorted(distinct(todo))
    assert timeless(store.read(tmp_path / "r.jsonl")) == timeless(seen)
