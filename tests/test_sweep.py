"""Sweeps: each run once, nothing lost by any kind of end."""

import dataclasses
import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from numpy_rae import blas, checkpoint, datasets, store, sweep
from numpy_rae.activations import ACTIVATIONS, RELU, SIGMOID
from numpy_rae.checkpoint import Checkpoints
from numpy_rae.objectives import AE, MODELS, Model
from numpy_rae.pool import local_pool
from numpy_rae.sweep import Run, RunsLost, distinct, execute
from numpy_rae.training import TrainConfig

SMALL = TrainConfig(hidden=7, batch_size=16, epochs=2)


def reference_data() -> datasets.DataRef:
    """A made matrix in the data folder; any process that calls this makes the same."""
    x = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
    return datasets.store_array(x, datasets.DataSpec("digits", 40))


@pytest.fixture(scope="module", autouse=True)
def ref(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_RAE_DATA", str(tmp_path_factory.mktemp("data")))
        yield reference_data()


@pytest.fixture(scope="module")
def pools(ref):
    """Real pools of one and of two processes."""
    with local_pool(1) as one, local_pool(2) as two:
        yield one, two


@pytest.fixture(scope="module")
def thread(ref):
    """An executor that costs nothing, for what does not depend on processes."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def grid(ref, config=SMALL, models=("DAE", "CAE", "SAE"), sigma2=(0.0, 0.1, 1.0), seeds=(0, 1)) -> list[Run]:
    """Runs in which all models coincide at sigma^2 = 0."""
    return [
        Run(MODELS[model], RELU, ref, replace(config, sigma2=s, seed=seed))
        for seed in seeds
        for s in sigma2
        for model in models
    ]


def timeless(records) -> dict[str, dict]:
    """Records by hash without their duration."""
    return {record["hash"]: {**record, "seconds": None} for record in records}


def lines(path: Path) -> list[str]:
    """The hashes in a results file, in order."""
    return [record["hash"] for record in store.read(path)]


def test_runs_that_coincide_run_once(ref, thread, tmp_path):
    runs = grid(ref)
    records = list(sweep.sweep([*runs, *runs], thread, tmp_path / "r.jsonl"))
    assert len(runs) == 18 and len(records) == len(lines(tmp_path / "r.jsonl")) == 14
    at_zero = [record for record in records if record["config"]["sigma2"] == 0]
    assert sorted((record["model"], record["config"]["seed"]) for record in at_zero) == [("AE", 0), ("AE", 1)]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_coincides_with_the_auto_encoder_at_zero(ref, model):
    """What `Run.canonical` relies on, bit for bit."""
    run = Run(MODELS[model], SIGMOID, ref, replace(SMALL, sigma2=0.0))
    plain = execute(replace(run, model=AE))
    assert timeless([execute(run.canonical())]) == timeless([plain])
    assert execute(run)["metrics"] == plain["metrics"]


def test_workers_have_one_blas_thread_and_the_parent_its_environment(pools):
    one, _ = pools
    assert [one.submit(os.getenv, name).result() for name in blas.ONE_THREAD] == ["1"] * 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "5")
        patch.delenv("MKL_NUM_THREADS", raising=False)
        before = dict(os.environ)
        with local_pool(1):
            assert os.environ["OMP_NUM_THREADS"] == "1"
        assert dict(os.environ) == before


def test_a_second_sweep_yields_the_stored_and_trains_nothing(ref, thread, tmp_path, monkeypatch):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    first = list(sweep.sweep(runs, thread, path))
    content = path.read_bytes()
    monkeypatch.setattr(sweep, "execute", None)
    assert timeless(sweep.sweep(runs, thread, path)) == timeless(first)
    assert path.read_bytes() == content


@pytest.mark.parametrize("taken", [1, 2, 13])
def test_a_closed_sweep_resumes_with_nothing_lost_or_repeated(ref, thread, tmp_path, taken):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    records = sweep.sweep(runs, thread, path)
    seen = [next(records)["hash"] for _ in range(taken)]
    records.close()
    stopped = path.read_bytes()
    assert lines(path)[:taken] == seen
    resumed = list(sweep.sweep(runs, thread, path))
    assert path.read_bytes().startswith(stopped)
    assert sorted(lines(path)) == sorted(distinct(runs)) == sorted(r["hash"] for r in resumed)


def test_the_run_in_flight_when_a_sweep_is_closed_is_stored_and_no_other_starts(ref, thread, tmp_path, monkeypatch):
    runs, started, closing = grid(ref), [], threading.Event()
    hold = [threading.Event(), closing]

    def held(run, *_):
        started.append(run.hash)
        hold[len(started) - 1].wait()
        return execute(run)

    monkeypatch.setattr(sweep, "execute", held)
    records = sweep.sweep(runs, thread, tmp_path / "r.jsonl")
    hold[0].set()
    next(records)
    while len(started) < 2:
        time.sleep(0.001)
    threading.Timer(0.1, closing.set).start()
    records.close()
    assert lines(tmp_path / "r.jsonl") == started and len(started) == 2


def test_a_failing_run_ends_the_sweep_and_keeps_the_finished_ones(ref, thread, tmp_path):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    bad = replace(runs[-1], data=replace(ref, sha256="0" * 64))
    with pytest.raises(Exception, match="other data than the sweep's"):
        list(sweep.sweep([*runs[:4], bad], thread, path))
    assert sorted(lines(path)) == sorted(distinct(runs[:4]))


def dying(params, activation, x, sigma2, rng):
    """An objective whose worker is killed, as for want of memory."""
    if sigma2:
        signal.raise_signal(signal.SIGKILL)
    return MODELS["DAE"](params, activation, x, sigma2, rng)


def hungry(params, activation, x, sigma2, rng):
    """An objective for which there is no memory."""
    return np.empty(2**48), None


LOST = "^given up after 3 deaths of their worker without progress .*: {} sigma\\^2=1 seed=0; all others are stored"


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize(("name", "objective"), [("dying", dying), ("hungry", hungry)])
def test_a_run_that_kills_its_worker_is_given_up_and_costs_no_other(ref, pools, tmp_path, name, objective):
    """The run beside it falls with the pool, and is started again each time."""
    runs = grid(ref, models=("DAE", "CAE"), sigma2=(1.0,))
    bad = Run(Model(name, objective), RELU, ref, replace(SMALL, sigma2=1.0))
    records = sweep.sweep([bad, *runs], pools[1], tmp_path / "r.jsonl", at_once=2)
    with pytest.raises(RunsLost, match=LOST.format(name)):
        list(records)
    assert sorted(lines(tmp_path / "r.jsonl")) == sorted(distinct(runs))


class Counted(Executor):
    """Runs a call at once; the first `falls` of them fail as when a worker dies, after `work` has been done."""

    def __init__(self, falls, work=lambda: None):
        self.falls, self.work, self.calls = falls, work, 0

    def submit(self, fn, /, *args):
        self.calls += 1
        future = Future()
        if self.calls <= self.falls:
            self.work()
            future.set_exception(BrokenExecutor("died"))
        else:
            future.set_result(fn(*args))
        return future


def test_two_deaths_are_forgiven_and_three_only_if_there_was_progress(ref, tmp_path):
    (run,) = distinct(grid(ref, models=["DAE"], sigma2=[1.0], seeds=[0])).values()
    assert len(list(sweep.sweep([run], Counted(2), tmp_path / "two.jsonl"))) == 1
    with pytest.raises(RunsLost):
        list(sweep.sweep([run], Counted(3), tmp_path / "three.jsonl"))
    kept = Checkpoints(tmp_path / "kept")

    def progress():
        kept.folder.mkdir(exist_ok=True)
        kept.path(run.hash).unlink(missing_ok=True)
        kept.path(run.hash).write_bytes(os.urandom(8))  # no checkpoint, but a new file

    records = list(sweep.sweep([run], Counted(9, progress), tmp_path / "nine.jsonl", None, kept))
    assert timeless(records) == timeless([execute(run)]) and not kept.folder.exists()


def test_a_sweep_goes_on_from_its_checkpoints_and_removes_them(ref, thread, tmp_path, monkeypatch):
    """A run left in its second epoch is not begun again: only the updates that were missing are made."""
    monkeypatch.setattr(checkpoint, "SHARE", math.inf)  # written after every update, whatever it costs
    kept, updates = Checkpoints(tmp_path / "kept", 0.0), []

    def counted(params, activation, x, sigma2, rng):
        updates.append(len(x))
        if len(updates) == 4:
            raise BrokenExecutor("the fourth update of six")
        return MODELS["DAE"](params, activation, x, sigma2, rng)

    run = Run(Model("DAE", counted), RELU, ref, replace(SMALL, sigma2=0.1))
    records = list(sweep.sweep([run], thread, tmp_path / "r.jsonl", None, kept))
    assert updates == [16, 16, 8, 16, 16, 16, 8]
    assert timeless(records) == timeless([execute(Run(MODELS["DAE"], RELU, ref, run.config))])
    assert not kept.folder.exists()


def test_a_checkpoint_that_cannot_be_used_costs_its_run_alone(ref, thread, tmp_path, caplog):
    (run,) = distinct(grid(ref, models=["DAE"], sigma2=[1.0], seeds=[0])).values()
    kept = Checkpoints(tmp_path / "kept")
    kept.folder.mkdir()
    kept.path(run.hash).write_bytes(b"no checkpoint")
    records = list(sweep.sweep([run], thread, tmp_path / "r.jsonl", None, kept))
    assert timeless(records) == timeless([execute(run)])
    assert "cannot be used: File is not a zip file; the run starts from its beginning" in caplog.text


def test_a_second_sweep_on_the_same_file_is_refused_while_the_first_is_at_work(ref, thread, tmp_path):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    first = sweep.sweep(runs, thread, path)
    next(first)
    with pytest.raises(store.StoreError, match="r.jsonl is in use by another sweep; wait for its end"):
        next(sweep.sweep(runs, thread, path))
    assert len(list(first)) == 13
    assert len(list(sweep.sweep(runs, thread, path))) == 14
    assert [p.name for p in tmp_path.iterdir()] == ["r.jsonl"]


MANY = {"config": replace(SMALL, epochs=100), "seeds": tuple(range(8))}


def endless(path: str) -> None:
    """A sweep to be killed: far more runs than are waited for."""
    with local_pool(2) as pool:
        for _ in sweep.sweep(grid(reference_data(), **MANY), pool, Path(path)):
            pass


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_sweep_resumes_with_nothing_lost_or_repeated(ref, pools, tmp_path):
    path = tmp_path / "r.jsonl"
    path.touch()
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys, test_sweep; test_sweep.endless(sys.argv[1])", str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    while path.read_bytes().count(b"\n") < 3 and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    # The pipe ends when nobody holds it any more: the workers have gone too.
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    before, runs = store.read(path), grid(ref, **MANY)
    assert 3 <= len(before) < len(distinct(runs))
    list(sweep.sweep(runs, pools[1], path))
    after = store.read(path)
    assert after[: len(before)] == before
    assert sorted(record["hash"] for record in after) == sorted(distinct(runs))


def strict(path: Path) -> list[dict]:
    """The records of a file that must hold no NaN or Infinity."""

    def refuse(constant):
        raise AssertionError(f"{constant} in {path}")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]


def test_diverged_runs_are_stored_with_step_and_last_finite_objective(ref, thread, tmp_path):
    """Of runs that differ in length alone the shorter ones know the last finite objective of the longer ones."""
    config = TrainConfig(sigma2=0.1, hidden=7, eta=1e5, constraint="free")
    runs = [Run(MODELS["DAE"], RELU, ref, replace(config, epochs=epochs)) for epochs in (1, 2, 5, 6)]
    list(sweep.sweep(runs, thread, tmp_path / "r.jsonl"))
    records = strict(tmp_path / "r.jsonl")
    by_epochs = {record["config"]["epochs"]: record for record in records}
    assert by_epochs[1]["status"] == "ok" and by_epochs[1]["metrics"]["loss"] > 1e6
    for record in (by_epochs[5], by_epochs[6]):
        assert record["status"] == "diverged" and record["metrics"] is None
        step = record["diverged_at_step"]
        assert record["steps"] == step - 1 == len(record["history"]) < 5
        last = record["last_finite_objective"]
        assert math.isfinite(last) and last > 1e6 * record["first_objective"]
        assert last == by_epochs[2]["last_finite_objective"]
        assert record["peak_objective"] == last and record["peak_step"] == step - 1


@pytest.mark.parametrize(("constraint", "eta"), [("free", 1e10), ("free", 1e38), ("unit", 1e30)])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_run_that_the_last_update_breaks_has_diverged_too(ref, thread, tmp_path, constraint, eta, epochs):
    config = TrainConfig(sigma2=0.1, hidden=7, eta=eta, constraint=constraint, epochs=epochs)
    list(sweep.sweep([Run(MODELS["DAE"], RELU, ref, config)], thread, tmp_path / "r.jsonl"))
    (record,) = strict(tmp_path / "r.jsonl")
    finite = record["metrics"] is not None and all(math.isfinite(value) for value in record["metrics"].values())
    assert record["status"] == ("ok" if finite else "diverged")
    assert record["diverged_at_step"] == (None if finite else record["steps"] + 1)
    assert constraint == "unit" or not finite


def test_every_model_gives_a_record_that_json_carries(ref, thread, tmp_path):
    runs = [Run(model, SIGMOID, ref, replace(SMALL, sigma2=0.1)) for model in MODELS.values()]
    records = list(sweep.sweep(runs, thread, tmp_path / "r.jsonl"))
    assert strict(tmp_path / "r.jsonl") == records
    assert {record["model"] for record in records} == set(MODELS)
    for record in records:
        assert record["status"] == "ok" and record["steps"] == 2 * math.ceil(40 / 16)
        assert [entry["epoch"] for entry in record["history"]] == [1, 2]
        assert set(record["versions"]) == {"python", "numpy-rae", "numpy", "scipy"}


OTHER = {
    "sigma2": 0.2, "seed": 1, "hidden": 8, "batch_size": 17, "epochs": 3, "eta": 0.002, "momentum": 0.8,
    "constraint": "free", "radius": 2.0, "tangent": True, "dtype": "float64",
}  # fmt: skip


def test_the_hash_changes_with_every_part_of_a_run(ref):
    assert set(OTHER) == {field.name for field in dataclasses.fields(TrainConfig)}
    run = Run(MODELS["DAE"], RELU, ref, replace(SMALL, sigma2=0.1))
    others = [replace(run, config=replace(run.config, **{name: value})) for name, value in OTHER.items()]
    others += [replace(run, model=MODELS["CAE"]), replace(run, activation=ACTIVATIONS["tanh"])]
    others += [replace(run, data=replace(ref, sha256="0" * 64))]
    others += [replace(run, data=replace(ref, spec=replace(ref.spec, **part))) for part in ({"count": 9}, {"seed": 9})]
    hashes = [run.hash, *(other.hash for other in others)]
    assert len(set(hashes)) == len(hashes)
    assert Run(MODELS["DAE"], RELU, ref, replace(SMALL, sigma2=0.1)).hash == run.hash


def test_the_hash_of_a_record_is_that_of_its_stored_configuration(ref, thread, tmp_path):
    list(sweep.sweep(grid(ref), thread, tmp_path / "r.jsonl"))
    for record in store.read(tmp_path / "r.jsonl"):
        described = {name: record[name] for name in ("model", "activation", "data", "config")}
        assert hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest() == record["hash"]


def test_a_file_that_is_no_sweeps_is_refused(ref, thread, tmp_path):
    store.append(tmp_path / "r.jsonl", {"some": "thing"})
    with pytest.raises(store.StoreError, match="r.jsonl holds a record without a hash; it is not a sweep's"):
        next(sweep.sweep(grid(ref), thread, tmp_path / "r.jsonl"))
