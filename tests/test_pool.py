"""The pool outlives its workers, stops them when told, and they do not outlive it."""

import os
import signal
import time
from concurrent.futures import BrokenExecutor

import pytest

from numpy_rae import pool as pool_module
from numpy_rae.pool import local_pool

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals")


def test_after_a_workers_death_the_next_call_starts_anew():
    with local_pool(1) as pool:
        first = pool.submit(os.getpid).result()
        with pytest.raises(BrokenExecutor):
            pool.submit(signal.raise_signal, signal.SIGKILL).result()
        second = pool.submit(os.getpid).result()
        assert second != first and pool.submit(os.getpid).result() == second


def test_stop_ends_a_worker_at_work_and_the_pool_can_go_on():
    with local_pool(1) as pool:
        pool.submit(os.getpid).result()
        busy, start = pool.submit(time.sleep, 60), time.monotonic()
        while not busy.running():
            time.sleep(0.01)
        pool.stop()
        with pytest.raises(BrokenExecutor):
            busy.result(20)
        assert time.monotonic() - start < 20
        assert pool.submit(abs, -1).result() == 1


def test_workers_leave_interrupts_to_the_parent(request):
    # A background job ignores interrupts already, and so would its workers.
    otherwise = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, otherwise))
    with local_pool(1) as pool:
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN
        assert pool.submit(signal.getsignal, signal.SIGTERM).result() == signal.SIG_DFL


def test_a_worker_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(pool_module, "GRACE", 0.2)
    with local_pool(1) as pool:
        pool.submit(signal.signal, signal.SIGTERM, signal.SIG_IGN).result()
        deaf = pool.submit(time.sleep, 60)
        while not deaf.running():
            time.sleep(0.01)
        pool.stop()
        with pytest.raises(BrokenExecutor):
            deaf.result(20)
