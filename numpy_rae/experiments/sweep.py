"""Train many runs on any `concurrent.futures.Executor`: each distinct run once, without the runs that are stored."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

from numpy_rae.experiments import pickled_calls
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.record_stores import StoredRecords
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.scheduler import Job, RecordStore, RunScheduler, RunsLost
from numpy_rae.experiments.worker import find_model, train_run

J = TypeVar("J", bound=Job)


def sweep(
    runs: Iterable[Run],
    executor: Executor,
    results: Path | RecordStore,
    at_once: int | None = None,
    checkpoints: Checkpoints | None = None,
    reports: Path | None = None,
    stored: StoredRecords | None = None,
    models: Path | None = None,
    every_model: bool = False,
) -> Generator[Record]:
    """Yield the record of every distinct run: first the stored records, then each new record when its run ends.

    Long runs start first, so that all workers are busy until the end. If a worker dies or runs out of memory, its run
    is started again. After `scheduler.TRIES` failures without a new checkpoint the run is given up, and the other runs
    continue.

    Parameters
    ----------
    runs : iterable of Run
        The runs.
    executor : Executor
        Executor on which they are trained.
    results : Path or RecordStore
        File to which each record is appended as soon as its run ends. It can also be several files that share runs
        (`ResultFiles`), or records in memory (`MemoryRecords`).
    at_once : int, optional
        Largest number of runs that are submitted at the same time. If None, all runs are submitted at once.
    checkpoints : Checkpoints, optional
        Folder where the states of runs in progress are written. If the iteration stops early, the runs in progress are
        saved there. Without checkpoints, the runs in progress are trained to their end, and their records are stored.
    reports : Path, optional
        Folder for a picture of each run that is trained in this call.
    stored : StoredRecords, optional
        The records of `results`, if it is one file and was read before. The file is read again if it has changed.
    models : Path, optional
        Folder for the trained weights of each run that is trained in this call.
    every_model : bool
        Whether a stored run whose model is not in `models` is trained again.

    Yields
    ------
    dict
        A record, see `records.make_record`.

    Raises
    ------
    StoreError
        If another sweep uses the same file, or if the file cannot be read or written.
    NotSendable
        Before any run, if a model or an activation cannot be sent to the executor's processes.
    RunsLost
        At the end, if runs were given up.
    ExecutorLost
        If the executor cancels runs.
    """
    wanted = deduplicate(runs)
    store = stored or StoredRecords(results) if isinstance(results, Path) else results
    arguments = checkpoints, reports, models
    needed = models if every_model else None
    yield from run_missing(wanted, executor, store, train_run, arguments, at_once, checkpoints, needed)


def run_missing(
    wanted: Mapping[str, J],
    executor: Executor,
    store: RecordStore,
    execute: Callable[..., Record],
    arguments: tuple[Any, ...] = (),
    at_once: int | None = None,
    checkpoints: Checkpoints | None = None,
    models: Path | None = None,
) -> Generator[Record]:
    """Yield the record of every job: first the stored records, then each new record when its job ends.

    The longest jobs start first.

    Parameters
    ----------
    wanted : mapping
        The jobs by hash.
    executor : Executor
        Executor on which they run.
    store : RecordStore
        The stored records. Each new record is added to them.
    execute : callable
        Called in a worker as `execute(job, *arguments)`. It returns the job's record.
    arguments : tuple, optional
        Further arguments of `execute`.
    at_once : int, optional
        Largest number of jobs that are submitted at the same time. If None, all jobs are submitted at once.
    checkpoints : Checkpoints, optional
        Folder where `execute` saves the states of jobs in progress.
    models : Path, optional
        Folder where `execute` saves trained models. A stored job whose model is not there runs again.

    Yields
    ------
    dict
        A record.

    Raises
    ------
    StoreError, NotSendable, RunsLost, ExecutorLost
        For the same reasons as in `sweep`.
    """
    with store.exclusive_lock():
        done = _with_model(store.finished(), models)
        if checkpoints:
            checkpoints.remove_stale(set(done))
        yield from (done[key] for key in wanted if key in done)
        waiting = [job for key, job in wanted.items() if key not in done]
        if getattr(executor, "packs", False):
            check_sendable(waiting)
        waiting.sort(key=lambda job: -job.cost)
        scheduler = RunScheduler(executor, store, execute, arguments, deque(waiting), checkpoints)
        try:
            yield from scheduler.results(at_once)
        finally:
            scheduler.shutdown()
            if checkpoints:
                checkpoints.remove_stale(set())
    if scheduler.error:
        lost = {job.hash for job in scheduler.lost}
        raise RunsLost([job for key, job in wanted.items() if key in lost], scheduler.error)


def _with_model(done: dict[str, Record], models: Path | None) -> dict[str, Record]:
    """Return the stored records. If trained models are needed, leave out the records whose model is missing."""
    if models is None:
        return done
    return {key: entry for key, entry in done.items() if entry["status"] != "ok" or find_model(models, key)}


def check_sendable(jobs: Iterable[Job]) -> None:
    """Check that every model and activation can be pickled.

    Parameters
    ----------
    jobs : iterable of Job
        The jobs.

    Raises
    ------
    NotSendable
        If a model or an activation cannot be pickled. The message names the first one.
    """
    checked = set()
    for job in jobs:
        for kind, part in (("model", job.model), ("activation", job.activation)):
            if id(part) not in checked:
                pickled_calls.check(f"{kind} {part.name!r}", part)
                checked.add(id(part))
