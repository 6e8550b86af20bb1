"""Worker processes on this machine, with one BLAS thread each. If one of them dies, all are replaced.

The processes are started by loky, because loky's processes do not import the user's main module. They are managed by
the executor of the standard library. If one process ends, this executor sends SIGTERM to the others, so that they save
their runs. loky's own executor sends SIGKILL, and work that is not saved would be lost.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event
from typing import Any

from loky.backend.context import LokyContext
from loky.backend.process import LokyProcess

from numpy_rae import _blas
from numpy_rae.experiments import output_streams, pickled_calls

STOP_TIMEOUT = 20.0
PARENT_CHECK_SECONDS = 0.5
EXIT_CODE_SECONDS = 1.0


class WorkerDied(BrokenExecutor):
    """A worker process ended while it had work. The message gives its exit code."""


class WorkerNeverStarted(BrokenExecutor):
    """A worker process ended before it was ready for work. The message gives its exit code and likely causes."""


class LocalPool(Executor):
    """A pool of processes that can be used again after one of them has died.

    Calls and results are packed by cloudpickle, so functions and classes of `__main__` or of a notebook can be used. If
    a process dies, all calls in flight fail with WorkerDied or WorkerNeverStarted. The next call to `submit` starts new
    processes.

    Parameters
    ----------
    workers : int
        Number of processes.
    """

    packs = True

    def __init__(self, workers: int) -> None:
        output_streams.fill_descriptors()
        self._count = workers
        self._workers = _Workers(workers)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in a worker.

        Parameters
        ----------
        fn : callable
            The function.
        *args, **kwargs
            Its arguments.

        Returns
        -------
        Future
            Future of the function's result.

        Raises
        ------
        NotSendable
            If the function or an argument cannot be pickled.
        """
        call = pickled_calls.pack(fn, args, kwargs)
        try:
            return self._workers.submit(call)
        except BrokenExecutor:
            self._workers.shutdown()
            self._workers = _Workers(self._count)
            return self._workers.submit(call)

    def stop(self) -> None:
        """Make every worker save its run (`checkpoint.CheckpointWriter`) and end. The pending futures fail.

        A worker that does not end within STOP_TIMEOUT seconds is killed. This can happen if BLAS waits for memory.
        """
        processes = self._workers.processes
        for process in processes:
            process.terminate()
        patience = time.monotonic() + STOP_TIMEOUT
        for process in processes:
            process.join(max(0.0, patience - time.monotonic()))
        for process in processes:
            process.kill()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers after their calls are done, as other executors do.

        Parameters
        ----------
        wait : bool, optional
            Whether to wait until the workers have ended.
        cancel_futures : bool, optional
            Whether calls that have not started are cancelled.
        """
        self._workers.shutdown(wait, cancel_futures=cancel_futures)


@contextmanager
def local_pool(workers: int) -> Iterator[LocalPool]:
    """Open a pool whose processes have one BLAS thread each. So results do not depend on the number of processes.

    Parameters
    ----------
    workers : int
        Number of processes.

    Yields
    ------
    LocalPool
        The pool. It is shut down at the end of the context.
    """
    with LocalPool(workers) as pool:
        yield pool


class _Workers:
    """One set of processes with its executor. It is used until one of the processes dies."""

    def __init__(self, count: int) -> None:
        context = _Context()
        self.processes, self.ready = context.processes, context.Event()
        initargs = (os.getpid(), self.ready)
        self.executor = ProcessPoolExecutor(count, context, initializer=_start_worker, initargs=initargs)
        self.shutdown = self.executor.shutdown

    def submit(self, call: bytes) -> Future[Any]:
        """Pass a packed call to the processes."""
        try:
            return _Unpacked(self.executor.submit(pickled_calls.call, call), self.failure)
        except OSError as error:
            raise WorkerNeverStarted(f"no worker process can be started: {error.strerror or error}") from error

    def failure(self) -> BrokenExecutor:
        """Return the error for the broken executor."""
        ended = ", ".join(sorted(map(_described, self.exit_codes()))) or "exit code unknown"
        if self.ready.is_set():
            return WorkerDied(f"a worker process died ({ended}); SIGKILL often means that memory ran out")
        return WorkerNeverStarted(
            f"no worker process could start ({ended}); look at what it printed, and check the free memory, the limits "
            "on processes (ulimit -a), and the folder for modules that are named like standard ones"
        )

    def exit_codes(self) -> set[int]:
        """Return the exit codes of the processes that have ended. The system can report them with a short delay."""
        patience = time.monotonic() + EXIT_CODE_SECONDS
        while not (codes := {process.exitcode for process in self.processes} - {None}) and time.monotonic() < patience:
            time.sleep(0.01)
        return codes


class _Process(LokyProcess):  # type: ignore[misc]  # loky has no types
    """A loky process that can be killed, and that also starts if there are no standard streams."""

    def start(self) -> None:
        """Start the process."""
        with output_streams.present():
            super().start()

    def kill(self) -> None:
        """Send SIGKILL if the process has not ended."""
        if self.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


class _Context(LokyContext):  # type: ignore[misc]  # loky has no types
    """Starts processes with one BLAS thread each, and keeps a list of them."""

    def __init__(self) -> None:
        self.processes: list[_Process] = []

    def Process(self, *args: Any, **more: Any) -> _Process:
        """Make a process."""
        process = _Process(*args, env=_blas.ONE_THREAD, **more)
        self.processes.append(process)
        return process


class _Unpacked(Future[Any]):
    """The future of a packed call. It unpacks the result, and explains why an executor is broken."""

    def __init__(self, inner: Future[Any], failure: Callable[[], BrokenExecutor]) -> None:
        super().__init__()
        self._inner, self._failure = inner, failure
        inner.add_done_callback(self._arrived)

    def cancel(self) -> bool:
        """Cancel the call if it has not started."""
        return self._inner.cancel()

    def running(self) -> bool:
        """Return whether a process works on the call."""
        return self._inner.running()

    def _arrived(self, inner: Future[Any]) -> None:
        """Copy the result, the exception or the cancellation from the packed future."""
        if inner.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
            return
        try:
            self.set_result(pickled_calls.unpack(inner.result()))
        except BrokenExecutor as error:
            failure = self._failure()
            failure.__cause__ = error
            self.set_exception(failure)
        except BaseException as error:
            self.set_exception(error)


def _described(code: int) -> str:
    """Return an exit code with the name of its signal."""
    try:
        return f"exit code {code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"exit code {code}"


def _start_worker(parent: int, ready: Event) -> None:
    """Prepare a worker. It ignores interrupts and hang-ups, which the parent handles, and ends when the parent ends."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.stdout, sys.stderr = output_streams.Output(sys.stdout), output_streams.Output(sys.stderr)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    ready.set()


def _end_with(parent: int) -> None:
    """Wait until the parent has ended, then save the run in progress and end."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_TIMEOUT)
    os._exit(1)
