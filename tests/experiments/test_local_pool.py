"""The pool survives its workers, stops them when told, and they end with it. It never imports the main module."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, as_completed

import pytest

from numpy_rae import _blas
from numpy_rae.experiments import local_pool as pool_module
from numpy_rae.experiments import scheduler
from numpy_rae.experiments.local_pool import WorkerDied, WorkerNeverStarted, local_pool
from numpy_rae.experiments.pickled_calls import NotSendable

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals")


def wait_until(condition, seconds: float = 30.0) -> None:
    """Return as soon as `condition()` is true, and fail after some seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_after_a_workers_death_the_next_call_starts_anew():
    with local_pool(1) as pool:
        first = pool.submit(os.getpid).result()
        with pytest.raises(WorkerDied, match=r"^a worker process died \(exit code -9, SIGKILL\); SIGKILL often means"):
            pool.submit(signal.raise_signal, signal.SIGKILL).result()
        second = pool.submit(os.getpid).result()
        assert second != first and pool.submit(os.getpid).result() == second


def test_stop_ends_a_worker_at_work_and_the_pool_can_go_on():
    with local_pool(1) as pool:
        pool.submit(os.getpid).result()
        busy, start = pool.submit(time.sleep, 60), time.monotonic()
        wait_until(busy.running)
        pool.stop()
        with pytest.raises(WorkerDied, match="SIGTERM"):
            busy.result(20)
        assert time.monotonic() - start < 20
        assert pool.submit(abs, -1).result() == 1


def saving(path: str, seconds: float) -> None:
    """When SIGTERM comes, save for `seconds` and then end."""

    def save(*_):
        time.sleep(seconds)
        open(f"{path}.saved", "x").close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, save)
    open(path, "x").close()
    time.sleep(60)


def test_when_one_worker_ends_the_others_are_not_killed_before_they_have_saved(tmp_path):
    """loky's own executor would kill the others."""
    with local_pool(2) as pool:
        futures = [pool.submit(saving, str(tmp_path / f"{seconds}"), seconds) for seconds in (0, 1)]
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        pool.stop()
        for future in futures:
            assert isinstance(future.exception(20), BrokenExecutor)
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1", "0.saved", "1.saved"}


def test_workers_leave_interrupts_and_hangups_to_the_parent(request):
    # Background jobs and their workers ignore interrupts already.
    for number in (signal.SIGINT, signal.SIGHUP):
        otherwise = signal.signal(number, signal.default_int_handler)
        request.addfinalizer(lambda number=number, otherwise=otherwise: signal.signal(number, otherwise))
    with local_pool(1) as pool:
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN
        assert pool.submit(signal.getsignal, signal.SIGHUP).result() == signal.SIG_IGN
        assert pool.submit(signal.getsignal, signal.SIGTERM).result() == signal.SIG_DFL


def test_a_worker_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(pool_module, "STOP_TIMEOUT", 0.2)
    with local_pool(1) as pool:
        pool.submit(signal.signal, signal.SIGTERM, signal.SIG_IGN).result()
        deaf = pool.submit(time.sleep, 60)
        wait_until(deaf.running)
        pool.stop()
        with pytest.raises(BrokenExecutor):
            deaf.result(20)


@pytest.mark.parametrize("busy", [True, False])
def test_workers_end_when_their_parent_is_killed(busy):
    """The worker can be at work or idle. The pipe ends when the last process that holds it has ended."""
    work = "pool.submit(time.sleep, 60), time.sleep(.3)" if busy else "None"
    program = (
        "import os, time; from numpy_rae.experiments.local_pool import local_pool\n"
        f"with local_pool(1) as pool:\n print(pool.submit(os.getpid).result(), flush=True); {work}; time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert int(child.stdout.readline()) != child.pid
    time.sleep(0.5 * busy)
    child.kill()
    start = time.monotonic()
    child.communicate(timeout=30)
    assert child.returncode == -signal.SIGKILL and time.monotonic() - start < 10


def test_a_pool_is_shut_down_in_a_moment():
    with local_pool(2) as pool:
        pool.submit(abs, -1).result()
        start = time.monotonic()
    assert time.monotonic() - start < 3


def test_a_call_that_waits_can_be_cancelled():
    with local_pool(1) as pool:
        futures = [pool.submit(time.sleep, 0.2) for _ in range(6)]
        assert futures[-1].cancel() and futures[-1].cancelled() and futures[-1].done()
        assert len(list(as_completed(futures, 30))) == 6


def test_a_worker_finds_one_blas_thread_whatever_the_user_asks_for(monkeypatch):
    for name in _blas.ONE_THREAD:
        monkeypatch.setenv(name, "5")
    with local_pool(1) as pool:
        assert [pool.submit(os.getenv, name).result() for name in _blas.ONE_THREAD] == ["1"] * len(_blas.ONE_THREAD)
    assert os.environ["OMP_NUM_THREADS"] == "5"


# Workers that never start.


def test_a_worker_that_never_starts_is_told_from_one_that_dies(monkeypatch, tmp_path):
    false = tmp_path / "python"
    false.write_text("#!/bin/sh\nexit 3\n")
    false.chmod(0o700)
    with local_pool(1) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", str(false))
            with pytest.raises(
                WorkerNeverStarted, match=r"^no worker process could start \(exit code 3\); look at what"
            ):
                pool.submit(abs, -1).result()
        assert pool.submit(abs, -1).result() == 1


def test_a_limit_on_processes_is_one_sentence(monkeypatch):
    def refuse(self):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(pool_module._Process, "start", refuse)
    with local_pool(1) as pool, pytest.raises(WorkerNeverStarted, match="^no worker process can be started: Resource"):
        pool.submit(abs, -1)


# Arguments and results of calls.


class Strange(Exception):
    """An exception that cannot be unpickled, because its arguments are not those of `__init__`."""

    def __init__(self, one, two):
        super().__init__("strange")


@pytest.mark.parametrize(
    ("raised", "arguments", "kind", "says"),
    [
        (KeyError, ("x",), KeyError, "x"),
        (MemoryError, ("y",), MemoryError, "y"),
        (Strange, (1, 2), RuntimeError, "Strange: strange"),
    ],
)
def test_an_exception_comes_back_with_its_traceback_and_the_worker_lives(raised, arguments, kind, says):
    def fail():
        raise raised(*arguments)

    with local_pool(1) as pool:
        worker = pool.submit(os.getpid).result()
        with pytest.raises(kind, match=says) as caught:
            pool.submit(fail).result()
        assert "in fail" in str(caught.value.__cause__)
        assert pool.submit(os.getpid).result() == worker


def test_what_cannot_be_pickled_is_refused_at_once(tmp_path):
    with open(tmp_path / "f", "w") as file, local_pool(1) as pool:
        with pytest.raises(NotSendable, match="^test_what_.* cannot be sent to a worker process: Cannot pickle files"):
            pool.submit(lambda: file.name)
        with pytest.raises(NotSendable, match="^abs cannot be sent to a worker process: .*lock"):
            pool.submit(abs, threading.Lock())
        with pytest.raises(NotSendable, match="^the result of .*lock cannot be sent back: cannot pickle"):
            pool.submit(threading.Lock).result()


def test_what_a_worker_cannot_load_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("def f():\n    return 1\n")
    with local_pool(1) as pool:
        pool.submit(abs, -1).result()
        monkeypatch.syspath_prepend(tmp_path)
        import only_here

        with pytest.raises(
            NotSendable, match="^a worker process cannot load what it was sent: No module named 'only_h"
        ):
            pool.submit(only_here.f).result()
        assert pool.submit(abs, -1).result() == 1


# Models of the main module.

PROGRAM = """
print("main begins")
import sys
from pathlib import Path
import numpy as np
from made_runs import SMALL, reference_data, timeless
from numpy_rae.activations import SOFTPLUS, Activation
from numpy_rae.autoencoder import PenaltyGrad
from numpy_rae.experiments import sweep
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.worker import train_run
from numpy_rae.objectives import Objective, Penalised
from dataclasses import dataclass, replace

FACTOR = 3.0

@dataclass(frozen=True)
class Mine:
    order = 1
    def value_and_grad(self, params, activation, fwd, rng=None):
        return FACTOR * float((params.W ** 2).sum()), PenaltyGrad(dR_dlen2=FACTOR * np.ones(len(params.W), params.W.dtype))

def like_softplus(a, order):
    return SOFTPLUS(a, order)

run = Run(Objective("mine", Penalised(Mine())), Activation("like", like_softplus, 0.0), reference_data(), replace(SMALL, sigma2=0.1))
with local_pool(2) as pool:
    (there,) = sweep.sweep([run], pool, Path(sys.argv[1]))
assert timeless([there]) == timeless([train_run(run)])
print("trained", there["model"])
"""


@pytest.mark.parametrize("how", ["file without a guard", "file with a guard", "stdin", "-c", "-m"])
def test_models_of_the_main_module_are_trained(how, tmp_path):
    """A notebook is like `-c`: its main module has no file. The main module must run only once."""
    text = PROGRAM
    if how == "file with a guard":
        text = "if __name__ == '__main__':\n" + "\n".join(f"    {line}" for line in PROGRAM.splitlines())
    (tmp_path / "mine.py").write_text(text)
    words = {"stdin": ["-"], "-c": ["-c", text], "-m": ["-m", "mine"]}.get(how, [str(tmp_path / "mine.py")])
    environment = {**os.environ, **_blas.ONE_THREAD, "NUMPY_RAE_DATA": str(tmp_path / "data")}
    environment["PYTHONPATH"] = os.pathsep.join([*sys.path, str(tmp_path)])
    command = [sys.executable, *words, str(tmp_path / "r.jsonl")]
    done = subprocess.run(command, input=text, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "main begins\ntrained mine\n"), done.stderr


def test_a_library_user_without_standard_streams_can_train(tmp_path):
    program = (
        "import sys; from numpy_rae.experiments.local_pool import local_pool\n"
        "with local_pool(1) as pool:\n open(sys.argv[1], 'w').write(str(pool.submit(abs, -1).result()))"
    )
    closed = 'exec "$0" "$@" >&- 2>&- <&-'
    command = ["sh", "-c", closed, sys.executable, "-c", program, str(tmp_path / "f")]
    assert subprocess.run(command, timeout=60).returncode == 0
    assert (tmp_path / "f").read_text() == "1"


def test_the_reason_of_a_death_is_never_empty():
    assert scheduler.reason(BrokenExecutor()) == "BrokenExecutor" and scheduler.reason(MemoryError()) == "out of memory"
