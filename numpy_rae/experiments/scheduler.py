"""Run jobs on any `concurrent.futures.Executor`, store each result when its job ends, and restart lost jobs."""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, as_completed
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from numpy_rae.activations import Activation
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.local_pool import WorkerNeverStarted
from numpy_rae.experiments.records import Record
from numpy_rae.objectives import Objective

TRIES = 3

LOG = logging.getLogger(__name__)


class Job(Protocol):
    """Protocol of the jobs of a scheduler: trials and runs."""

    @property
    def hash(self) -> str:
        """Key under which the record is stored."""

    @property
    def label(self) -> str:
        """Short description of the job."""

    @property
    def cost(self) -> float:
        """Expected duration in the units of `relative_cost`."""

    @property
    def model(self) -> Objective:
        """Objective that is minimised."""

    @property
    def activation(self) -> Activation:
        """The encoder's activation."""


J = TypeVar("J", bound=Job)


class RecordStore(Protocol):
    """Protocol of the storage of records: one results file (`StoredRecords`), or several (`ResultFiles`)."""

    def exclusive_lock(self) -> AbstractContextManager[None]:
        """Return a context that locks every file that is written."""

    def finished(self) -> dict[str, Record]:
        """Return the stored records by hash."""

    def append(self, entry: Record) -> None:
        """Store a record.

        Parameters
        ----------
        entry : dict
            The record.
        """


class RunsLost(Exception):
    """Runs were given up because their workers died repeatedly, or never started.

    Parameters
    ----------
    runs : sequence of Job
        The runs that were given up.
    error : Exception
        The last failure.
    """

    def __init__(self, runs: Sequence[Job], error: Exception) -> None:
        names = ", ".join(run.label for run in runs)
        why = f"given up after {TRIES} deaths of their worker without progress ({reason(error)})"
        if isinstance(error, WorkerNeverStarted):
            why = f"given up after {TRIES} attempts to start a worker ({error})"
        super().__init__(f"{why}: {names}; all others are stored, and the next start tries these again")


class ExecutorLost(ConnectionError):
    """The executor has cancelled the runs. Dask does this if the connection to its scheduler is lost."""

    def __init__(self) -> None:
        super().__init__(
            "the connection to the scheduler is lost, and the runs in flight with it; all others are stored, and the "
            "next start tries these again"
        )


def reason(error: Exception) -> str:
    """Return the reason why a worker died.

    Parameters
    ----------
    error : Exception
        Exception that the run's future raised.

    Returns
    -------
    str
        "out of memory", the message, or the error's type if it has no message.
    """
    return "out of memory" if isinstance(error, MemoryError) else str(error) or type(error).__name__


@dataclass
class RunScheduler(Generic[J]):
    """Runs jobs on an executor, and keeps lists of the jobs that wait, that are in flight, and that were given up.

    Attributes
    ----------
    executor : Executor
        Executor on which the jobs run.
    store : RecordStore
        Storage of the records.
    execute : callable
        Called in a worker as `execute(job, *arguments)`. It returns the job's record.
    arguments : tuple
        Further arguments of `execute`.
    waiting : deque of Job
        The jobs in the order in which they start.
    checkpoints : Checkpoints, optional
        Folder where `execute` saves the states of jobs in progress.
    in_flight : dict
        The jobs that were submitted to the executor, by their futures.
    failures : Counter
        Number of failures of each job since its last checkpoint.
    lost : list of Job
        The jobs that were given up.
    error : Exception, optional
        The last failure of a job that was given up.
    thread : int
        The thread that runs the scheduler.
    """

    executor: Executor
    store: RecordStore
    execute: Callable[..., Record]
    arguments: tuple[Any, ...]
    waiting: deque[J]
    checkpoints: Checkpoints | None = None
    in_flight: dict[Future[Record], J] = field(default_factory=dict)
    failures: Counter[tuple[str, object]] = field(default_factory=Counter)
    lost: list[J] = field(default_factory=list)
    error: Exception | None = None
    thread: int = field(default_factory=threading.get_ident)

    def results(self, at_once: int | None = None) -> Iterator[Record]:
        """Start the jobs, and store each record before it is yielded.

        Parameters
        ----------
        at_once : int, optional
            Largest number of jobs that are submitted at the same time. If None, all jobs are submitted at once.

        Yields
        ------
        dict
            The record of a job.

        Raises
        ------
        ExecutorLost
            If the executor cancels a job.
        """
        while self.waiting or self.in_flight:
            while self.waiting and len(self.in_flight) < (at_once or math.inf) and self.may_start(self.waiting[0]):
                self.start(self.waiting.popleft())
            if not self.in_flight:
                continue
            future = next(as_completed(list(self.in_flight)))
            job = self.in_flight.pop(future)
            try:
                entry = future.result()
            except (BrokenExecutor, MemoryError) as error:
                self.retry(job, error)
                continue
            except CancelledError:  # by the executor; the scheduler cancels only in `shutdown`
                raise ExecutorLost from None
            self.store_record(entry)
            yield entry

    def may_start(self, job: J) -> bool:
        """Return whether a job may start now. On the last try of a job, no other job runs.

        If a worker dies, other jobs in flight can fail as well. A job that runs alone cannot fail because of another
        job.

        Parameters
        ----------
        job : Job
            The job.

        Returns
        -------
        bool
            False if the job or a job in flight is on its last try, and they would run at the same time.
        """
        if not (self.in_flight and self.failures):
            return True
        return not any(map(self._on_last_try, [job, *self.in_flight.values()]))

    def _on_last_try(self, job: J) -> bool:
        """Return whether the job is given up if it fails once more."""
        return self.failures[self._progress(job)] == TRIES - 1

    def _progress(self, job: J) -> tuple[str, object]:
        """Return the job's hash and its last checkpoint. After a new checkpoint, the failures are counted from 0."""
        return job.hash, self.checkpoints and self.checkpoints.progress(job.hash)

    def start(self, job: J) -> None:
        """Submit a job to the executor.

        Parameters
        ----------
        job : Job
            The job.
        """
        try:
            self.in_flight[self.executor.submit(self.execute, job, *self.arguments)] = job
        except BrokenExecutor as error:
            self.retry(job, error)

    def store_record(self, entry: Record) -> None:
        """Store a record, and remove the checkpoint of its job.

        Parameters
        ----------
        entry : dict
            The record.
        """
        self.store.append(entry)
        if self.checkpoints:
            self.checkpoints.remove(entry["hash"])

    def retry(self, job: J, error: Exception) -> None:
        """Put a job back into the queue. Give it up if it has failed TRIES times since its last checkpoint.

        If no worker can be started for one job, none can be started for the others, and all jobs are given up.

        Parameters
        ----------
        job : Job
            The job that failed.
        error : Exception
            Why it failed.
        """
        at = self._progress(job)
        self.failures[at] += 1
        if self.failures[at] < TRIES:
            self.waiting.appendleft(job)
            return
        self.error = error
        self.lost.append(job)
        if isinstance(error, WorkerNeverStarted):
            self.lost.extend(self.waiting)
            self.waiting.clear()

    def shutdown(self) -> None:
        """Save the jobs in progress, or wait until they end. The records of jobs that end meanwhile are stored.

        If this is called from another thread than the scheduler's thread, it does not wait. The garbage collector can
        close a sweep in a thread of the executor. If this thread waited for the jobs, they would never end.
        """
        left = [future for future in self.in_flight if not future.cancel()]
        if left and self.checkpoints and hasattr(self.executor, "stop"):
            self.executor.stop()
        elif left:
            LOG.warning("stopping; %d runs in progress end first and are stored", len(left))
        patience = None if threading.get_ident() == self.thread else 0.0
        with suppress(TimeoutError):
            for future in as_completed(left, patience):
                with suppress(BrokenExecutor, MemoryError, CancelledError):
                    self.store_record(future.result())
