"""A real Dask scheduler with two worker processes on loopback: same records as the local pool, and a killed worker."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest

from numpy_rae import _blas
from numpy_rae.activations import RELU
from numpy_rae.data import data_spec, prepared
from numpy_rae.experiments import dask_cluster, figure_script, pickled_calls, sweep, tables
from numpy_rae.experiments.dask_cluster import dask_pool
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.protocol import Protocol
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig

distributed = pytest.importorskip("distributed")
# Dask's profiler, which no test reads, takes a sample of every process each 10 ms.
NO_PROFILER = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.mark.parametrize("address", ["", "x", "host:port", "ftp://host:1", "tcp://[::1"])
def test_what_is_no_address_is_refused_before_a_client_is_made(address, monkeypatch):
    """A client without a connection would keep the process for 20 s and end with a traceback."""
    monkeypatch.setattr(distributed, "Client", lambda *args, **more: pytest.fail("a client was made"))
    with pytest.raises(ValueError, match="^--scheduler is .*; it must be a running scheduler's address"):
        with dask_pool(address):
            pass


def test_nobody_at_the_address(monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ValueError, match="^--scheduler is 'tcp://127.0.0.1:9'; it must be a running scheduler's"):
        with dask_pool("tcp://127.0.0.1:9"):
            pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Give the address of a cluster of two worker processes, with one thread and one BLAS thread each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_RAE_DATA", str(tmp_path_factory.mktemp("data")))
        for name, value in {**_blas.ONE_THREAD, **NO_PROFILER}.items():
            patch.setenv(name, value)
        options = {
            "host": "127.0.0.1",
            "dashboard_address": "127.0.0.1:0",
            "local_directory": tmp_path_factory.mktemp("dask"),
        }
        off = distributed.client.dask.config.set({"distributed.worker.profile.enabled": False})
        with off, distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as running:
            yield running.scheduler_address


def runs(epochs=2, models=("DAE", "CAE", "SAE")):
    data = prepared.prepare(data_spec.DataSpec("digits", 100, 0.1))
    configs = [TrainConfig(sigma2=s, hidden=8, epochs=epochs) for s in (0.0, 0.25, 1.0)]
    return [Run(PAPER_OBJECTIVES[model], RELU, data, config) for config in configs for model in models]


def timeless(records):
    kept = ({k: v for k, v in record.items() if k not in ("seconds", "made")} for record in records)
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
        shapes = client.run(lambda ref: prepared.load(ref).shape, run.data)
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
    assert sorted(record["hash"] for record in seen) == sorted(deduplicate(todo))
    assert timeless(jsonl.read(tmp_path / "r.jsonl")) == timeless(seen)


def dask(name: str, *words: str, log) -> subprocess.Popen:
    """Start a process of Dask: `scheduler` or `worker`."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *words]
    return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **_blas.ONE_THREAD, **NO_PROFILER})


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """Give the process of a scheduler without workers, and its address. The last test that uses it kills it."""
    path = tmp_path_factory.mktemp("scheduler") / "scheduler.log"
    with open(path, "w") as log:
        process = dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", log=log)
    while "Scheduler at:" not in path.read_text():
        assert process.poll() is None, path.read_text()
        time.sleep(0.05)
    yield process, path.read_text().split("Scheduler at:")[1].split()[0]
    process.kill()
    process.wait()


def test_a_scheduler_without_workers_is_reported_at_once_and_refused(scheduler, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dask_cluster, "WORKERS_SECONDS", 2)
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    _, address = scheduler
    protocol, start = Protocol("f", "t", "mnist", "relu", ("CAE",)), time.monotonic()
    arguments = ["--preset", "tiny", "--epochs", "1", "--out", str(tmp_path / "out"), "--scheduler", address]
    assert figure_script.main(protocol, arguments) == 2
    assert time.monotonic() - start < 30
    first, last = capsys.readouterr().err.splitlines()
    assert first == f"--scheduler {address} has no workers; waiting 2 s for the first"
    assert last == (
        f"f: --scheduler is '{address}'; no worker has joined it within 2 s: start one with `dask worker {address}`"
    )


def test_a_worker_that_joins_in_time_is_used_and_a_scheduler_that_dies_is_one_sentence(
    scheduler, tmp_path, monkeypatch, capsys
):
    """What is stored before the scheduler dies stays."""
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    process, address = scheduler
    with open(tmp_path / "worker.log", "w") as log:
        worker = dask("worker", address, "--no-nanny", "--nthreads", "1", "--local-directory", str(tmp_path), log=log)
    with dask_pool(address) as (pool, count):
        assert count == 1 and pool.submit(abs, -1).result() == 1
    assert "has no workers" in capsys.readouterr().err
    one_line = tables.one_line
    monkeypatch.setattr(tables, "one_line", lambda entry: process.kill() or one_line(entry))
    protocol = Protocol("f", "t", "mnist", "relu", ("CAE", "DAE"))
    long = ["--epochs", "300", "--hidden", "8"]  # the other runs are not done when the first one is
    arguments = ["--preset", "tiny", *long, "--out", str(tmp_path / "out"), "--scheduler", address]
    with distributed.client.dask.config.set({"distributed.comm.timeouts.connect": "2s"}):  # how long Dask tries again
        code = figure_script.main(protocol, arguments)
    worker.kill()
    worker.wait()
    assert code == figure_script.BAD_INPUT
    assert "f: the connection to the scheduler is lost" in capsys.readouterr().err
    assert len(jsonl.read(tmp_path / "out" / "f-tiny.jsonl")) >= 1


PROGRAM = """
import sys
from pathlib import Path
from numpy_rae.activations import RELU
from numpy_rae.data import prepared
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.experiments import sweep
from numpy_rae.experiments.dask_cluster import dask_pool
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective
from numpy_rae.train_config import TrainConfig

FACTOR = 2.0

def mine(params, activation, x, sigma2, rng):
    return PAPER_OBJECTIVES["DAE"](params, activation, x, FACTOR * sigma2, rng)

data = prepared.prepare(DataSpec("digits", 100, 0.1))
run = Run(Objective("mine", mine), RELU, data, TrainConfig(sigma2=0.1, hidden=8, epochs=1))
with dask_pool(sys.argv[1]) as (pool, _):
    (record,) = sweep.sweep([run], pool, Path(sys.argv[3]))
print(record["model"])
"""


OWN_SWEEP = """
import sys
import numpy as np
import numpy_rae as rae

class Mine:
    order = 2
    def value_and_grad(self, params, activation, fwd, rng=None):
        return float(fwd.jet.dh_da.mean(axis=0).sum()), rae.PenaltyGrad(dR_da=fwd.jet.d2h_da2 / len(fwd.a))

def my_activation(a):
    return (a + np.sqrt(a * a + 1)) / 2

X = np.random.default_rng(0).standard_normal((60, 12))
given = {"sigma2": [0, .1], "seeds": range(2), "hidden": 5, "epochs": 2, "progress": False, "keep_models": True}
there = rae.sweep(X, ["SAE", Mine()], my_activation, scheduler=sys.argv[1], results=sys.argv[2], **given)
here = rae.sweep(X, ["SAE", Mine()], my_activation, workers=1, **given)
print([e["metrics"] for e in there.records] == [e["metrics"] for e in here.records], len(there.records))
print(there.model("Mine", .1, 1).params.W.shape)
"""


@pytest.mark.parametrize("how", ["script", "stdin"])
def test_an_own_sweep_and_a_run_of_the_main_module_are_the_local_ones(how, address, tmp_path):
    """No worker can import a program that is read from stdin."""
    program = OWN_SWEEP + PROGRAM
    (tmp_path / "own.py").write_text(program)
    name, code = ("own.py", None) if how == "script" else ("-", program)
    words = [sys.executable, "-W", "ignore", name, address, "mine.jsonl", "r.jsonl"]
    environment = {
        **os.environ, **_blas.ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path), "NUMPY_RAE_DATA": str(tmp_path)
    }  # fmt: skip
    options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run(words, input=code, **options)
    assert (done.returncode, done.stdout) == (0, "True 6\n(5, 12)\nmine\n"), done.stderr


def test_a_model_that_cannot_be_sent_is_named(address, tmp_path):
    lock = threading.Lock()
    bad = Run(Objective("locked", lambda *given: lock), RELU, runs()[0].data, TrainConfig(sigma2=0.1))
    with (
        dask_pool(address) as (pool, _),
        pytest.raises(pickled_calls.NotSendable, match="^model 'locked' cannot be sent"),
    ):
        list(sweep.sweep([bad], pool, tmp_path / "r.jsonl"))
