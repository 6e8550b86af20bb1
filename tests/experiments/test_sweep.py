"""Sweeps: each run is trained once, and no end of a sweep loses a record."""

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
from made_runs import SMALL, grid, lines, reference_data, timeless

from numpy_rae import _blas
from numpy_rae.activations import RELU
from numpy_rae.experiments import checkpoint, pickled_calls, sweep
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.scheduler import RunsLost
from numpy_rae.experiments.worker import train_run
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective
from numpy_rae.storage import jsonl


@pytest.fixture(scope="module")
def pools(ref):
    """Give real pools of one and of two processes."""
    with local_pool(1) as one, local_pool(2) as two:
        yield one, two


def test_runs_that_coincide_run_once(ref, thread, tmp_path):
    runs = grid(ref)
    records = list(sweep.sweep([*runs, *runs], thread, tmp_path / "r.jsonl"))
    assert len(runs) == 18 and len(records) == len(lines(tmp_path / "r.jsonl")) == 14
    at_zero = [record for record in records if record["config"]["sigma2"] == 0]
    assert sorted((record["model"], record["config"]["seed"]) for record in at_zero) == [("AE", 0), ("AE", 1)]


def test_workers_have_one_blas_thread_and_the_parent_its_environment(pools):
    one, _ = pools
    assert [one.submit(os.getenv, name).result() for name in _blas.ONE_THREAD] == ["1"] * 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "5")
        patch.delenv("MKL_NUM_THREADS", raising=False)
        before = dict(os.environ)
        with local_pool(1) as pool:
            assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
            assert dict(os.environ) == before


def test_a_second_sweep_yields_the_stored_and_trains_nothing(ref, thread, tmp_path, monkeypatch):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    first = list(sweep.sweep(runs, thread, path))
    content = path.read_bytes()
    monkeypatch.setattr(sweep, "train_run", None)
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
    assert sorted(lines(path)) == sorted(deduplicate(runs)) == sorted(r["hash"] for r in resumed)


def test_the_run_in_flight_when_a_sweep_is_closed_is_stored_and_no_other_starts(ref, thread, tmp_path, monkeypatch):
    runs, started, closing = grid(ref), [], threading.Event()
    hold = [threading.Event(), closing]

    def held(run, *_):
        started.append(run.hash)
        hold[len(started) - 1].wait()
        return train_run(run)

    monkeypatch.setattr(sweep, "train_run", held)
    records = sweep.sweep(runs, thread, tmp_path / "r.jsonl")
    hold[0].set()
    next(records)
    while len(started) < 2:
        time.sleep(0.001)
    threading.Timer(0.1, closing.set).start()
    records.close()
    assert lines(tmp_path / "r.jsonl") == started and len(started) == 2


def test_a_sweep_that_is_closed_in_a_thread_of_its_executor_does_not_wait_for_its_runs(ref, tmp_path, monkeypatch):
    """The garbage collector can close the sweep in the thread that must do the work.

    Closing must not wait for that work.
    """
    path, hold, started = tmp_path / "r.jsonl", threading.Event(), []

    def held(run, *_):
        if started:
            hold.wait(60)
        started.append(run.hash)
        return train_run(run)

    monkeypatch.setattr(sweep, "train_run", held)
    with ThreadPoolExecutor(1) as executor:
        records = sweep.sweep(grid(ref), executor, path)
        next(records)
        closing = threading.Thread(target=records.close)
        closing.start()
        closing.join(30)
        ended = not closing.is_alive()
        hold.set()
    assert ended and lines(path) == started[:1]


def test_a_failing_run_ends_the_sweep_and_keeps_the_finished_ones(ref, thread, tmp_path):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    bad = replace(runs[-1], data=replace(ref, sha256="0" * 64))
    with pytest.raises(Exception, match="other data than the sweep's"):
        list(sweep.sweep([*runs[:4], bad], thread, path))
    assert sorted(lines(path)) == sorted(deduplicate(runs[:4]))


def dying(params, activation, x, sigma2, rng):
    """An objective that kills its worker, as a lack of memory does."""
    if sigma2:
        signal.raise_signal(signal.SIGKILL)
    return PAPER_OBJECTIVES["DAE"](params, activation, x, sigma2, rng)


def hungry(params, activation, x, sigma2, rng):
    """An objective that needs more memory than there is."""
    return np.empty(2**48), None


LOST = "^given up after 3 deaths of their worker without progress .*: {} sigma\\^2=1 seed=0; all others are stored"


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize(("name", "objective"), [("dying", dying), ("hungry", hungry)])
def test_a_run_that_kills_its_worker_is_given_up_and_costs_no_other(ref, pools, tmp_path, name, objective):
    """The run beside it fails with the pool, and is started again each time."""
    runs = grid(ref, models=("DAE", "CAE"), sigma2=(1.0,))
    bad = Run(Objective(name, objective, version=1), RELU, ref, replace(SMALL, sigma2=1.0))
    records = sweep.sweep([bad, *runs], pools[1], tmp_path / "r.jsonl", at_once=2)
    with pytest.raises(RunsLost, match=LOST.format(name)):
        list(records)
    assert sorted(lines(tmp_path / "r.jsonl")) == sorted(deduplicate(runs))


class Counted(Executor):
    """Run each call at once. The first `falls` calls do `work` and fail as if a worker had died."""

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
    (run,) = deduplicate(grid(ref, models=["DAE"], sigma2=[1.0], seeds=[0])).values()
    assert len(list(sweep.sweep([run], Counted(2), tmp_path / "two.jsonl"))) == 1
    with pytest.raises(RunsLost):
        list(sweep.sweep([run], Counted(3), tmp_path / "three.jsonl"))
    kept = Checkpoints(tmp_path / "kept")

    def progress():
        kept.folder.mkdir(exist_ok=True)
        kept.path(run.hash).unlink(missing_ok=True)
        kept.path(run.hash).write_bytes(os.urandom(8))  # this is not a checkpoint, but it is a new file

    records = list(sweep.sweep([run], Counted(9, progress), tmp_path / "nine.jsonl", None, kept))
    assert timeless(records) == timeless([train_run(run)]) and not kept.folder.exists()


def test_a_sweep_goes_on_from_its_checkpoints_and_removes_them(ref, thread, tmp_path, monkeypatch):
    """A run that stopped in its second epoch must not start again. Only the missing updates are made."""
    monkeypatch.setattr(checkpoint, "SHARE", math.inf)  # a checkpoint is written after every update, at any cost
    kept, updates = Checkpoints(tmp_path / "kept", 0.0), []

    def counted(params, activation, x, sigma2, rng):
        updates.append(len(x))
        if len(updates) == 4:
            raise BrokenExecutor("the fourth update of six")
        return PAPER_OBJECTIVES["DAE"](params, activation, x, sigma2, rng)

    run = Run(Objective("DAE", counted, version=1), RELU, ref, replace(SMALL, sigma2=0.1))
    records = list(sweep.sweep([run], thread, tmp_path / "r.jsonl", None, kept))
    assert updates == [16, 16, 8, 16, 16, 16, 8]
    alone = train_run(Run(PAPER_OBJECTIVES["DAE"], RELU, ref, run.config))
    assert all(records[0][name] == alone[name] for name in alone if name not in ("hash", "identity", "seconds", "made"))
    assert not kept.folder.exists()


def test_a_second_sweep_on_the_same_file_is_refused_while_the_first_is_at_work(ref, thread, tmp_path):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    first = sweep.sweep(runs, thread, path)
    next(first)
    with pytest.raises(jsonl.StoreError, match="r.jsonl is in use by another sweep; wait for its end"):
        next(sweep.sweep(runs, thread, path))
    assert len(list(first)) == 13
    assert len(list(sweep.sweep(runs, thread, path))) == 14
    assert [p.name for p in tmp_path.iterdir()] == ["r.jsonl"]


MANY = {"config": replace(SMALL, epochs=100), "seeds": tuple(range(8))}


def endless(path: str) -> None:
    """Run a sweep that will be killed. It has far more runs than the test waits for."""
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
    # The pipe ends when no process holds it any more, so the workers have ended, too.
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    before, runs = jsonl.read(path), grid(ref, **MANY)
    assert 3 <= len(before) < len(deduplicate(runs))
    list(sweep.sweep(runs, pools[1], path))
    after = jsonl.read(path)
    assert after[: len(before)] == before
    assert sorted(record["hash"] for record in after) == sorted(deduplicate(runs))


@pytest.mark.skipif(os.name != "posix", reason="needs a shell script")
def test_where_no_worker_starts_all_runs_are_given_up_with_the_reason(ref, tmp_path, monkeypatch):
    """Records that are already stored must stay, and the next sweep trains the other runs."""
    false = tmp_path / "python"
    false.write_text("#!/bin/sh\nexit 3\n")
    false.chmod(0o700)
    runs, path = grid(ref, models=("DAE", "CAE"), sigma2=(1.0,)), tmp_path / "r.jsonl"
    with local_pool(1) as pool:
        list(sweep.sweep(runs[:1], pool, path))
    with local_pool(1) as pool, monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(false))
        with pytest.raises(
            RunsLost, match=r"^given up after 3 attempts to start a worker \(no worker process could start "
        ):
            list(sweep.sweep(runs, pool, path, at_once=1))
        assert len(lines(path)) == 1
        with pytest.raises(
            RunsLost, match="CAE sigma.2=1 seed=0, DAE sigma.2=1 seed=1, CAE sigma.2=1 seed=1; all others"
        ):
            list(sweep.sweep(runs, pool, path, at_once=1))


def test_a_model_that_cannot_be_sent_is_named_before_any_run(ref, pools, tmp_path):
    lock = threading.Lock()

    def locked(params, activation, x, sigma2, rng):
        with lock:
            return PAPER_OBJECTIVES["DAE"](params, activation, x, sigma2, rng)

    bad = Run(Objective("locked", locked), RELU, ref, replace(SMALL, sigma2=1.0))
    with pytest.raises(
        pickled_calls.NotSendable, match="^model 'locked' cannot be sent to a worker process: cannot pickle .*lock"
    ):
        list(sweep.sweep([*grid(ref), bad], pools[0], tmp_path / "r.jsonl"))
    curved = Run(
        PAPER_OBJECTIVES["CAE"],
        replace(RELU, name="curved", jet=lambda a, order: lock and RELU(a, order)),
        ref,
        bad.config,
    )
    with pytest.raises(pickled_calls.NotSendable, match="^activation 'curved' cannot be sent to a worker process"):
        list(sweep.sweep([curved], pools[0], tmp_path / "r.jsonl"))
    assert [path.name for path in tmp_path.iterdir()] == []
