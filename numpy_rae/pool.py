"""Worker processes on this machine: fresh ones with one BLAS thread each, replaced when one of them dies."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager

from numpy_rae import blas

GRACE = 20.0


class LocalPool(Executor):
    """A pool of processes that outlives the death of any of them.

    A death fails all the futures in flight with `BrokenExecutor`, as in the standard pool; the next call to `submit`
    starts anew.
    """

    def __init__(self, workers: int):
        self._workers, self._others = workers, set(multiprocessing.active_children())
        self._pool = self._fresh()

    def _fresh(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, initializer=_start_worker)

    def submit(self, fn, /, *args, **kwargs) -> Future:
        """As any executor's."""
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown()
            self._pool = self._fresh()
            return self._pool.submit(fn, *args, **kwargs)

    def stop(self) -> None:
        """Have every worker save what it can (`checkpoint.Keeper`) and end; the futures in flight fail.

        One that does not end within GRACE seconds, as when BLAS waits for memory, is killed.
        """
        ours = set(multiprocessing.active_children()) - self._others
        for process in ours:
            process.terminate()
        patience = time.monotonic() + GRACE
        for process in ours:
            process.join(max(0.0, patience - time.monotonic()))
        for process in ours:
            process.kill()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As any executor's."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


@contextmanager
def local_pool(workers: int) -> Iterator[LocalPool]:
    """A pool whose processes have one BLAS thread each, so that results do not depend on their number."""
    with blas.one_thread(), LocalPool(workers) as pool:
        yield pool


def _start_worker() -> None:
    """Leave interrupts to the parent, and end with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: multiprocessing.Process) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)  # a run in flight is saved first
    time.sleep(GRACE)
    os._exit(1)
