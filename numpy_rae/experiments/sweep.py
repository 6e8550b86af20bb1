"""Many runs on any `concurrent.futures.Executor`: each distinct run once, and none that is stored already."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from numpy_rae.experiments import pickled_calls
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.records import Record, StoredRecords
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.scheduler import Job, RunScheduler, RunsLost
from numpy_rae.experiments.worker import model_path, train_run
from numpy_rae.storage import jsonl

J = TypeVar("J", bound=Job)


def sweep(
    runs: Iterable[Run],
    executor: Executor,
    results: Path | dict[str, Record],
    at_once: int | None = None,
    checkpoints: Checkpoints | None = None,
    reports: Path | None = None,
    stored: StoredRecords | None = None,
    models: Path | None = None,
) -> Generator[Record]:
    """Yield the record of every distinct run: first the stored ones, then the others as they end.

    Long runs start first, so that all workers are busy until the end. A run whose worker dies, or has no memory left,
    is started again, up to `scheduler.TRIES` times without progress; then the other runs continue.

    Parameters
    ----------
    runs : iterable of Run
        What is to be trained.
    executor : Executor
        Where it is trained.
    results : Path or dict
        File to which each record is appended as soon as its run ends. Or a dictionary that keeps the records in memory
        by hash.
    at_once : int, optional
        How many runs the executor has at a time. All, if None.
    checkpoints : Checkpoints, optional
        Where the states of runs in progress are written. When the caller stops early, the runs in flight are saved
        there; without checkpoints they end first and are stored.
    reports : Path, optional
        Folder for a picture of each run that is trained now.
    stored : StoredRecords, optional
        The records of the file `results`, if they were read before. The file is read again if it has changed.
    models : Path, optional
        Folder for the trained models. A stored run whose model is not there is trained again.

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
    found = results if isinstance(results, dict) else stored or StoredRecords(results)
    arguments = (checkpoints, reports, models)
    yield from run_missing(wanted, executor, found, train_run, arguments, at_once, checkpoints, models)


def run_missing(
    wanted: Mapping[str, J],
    executor: Executor,
    stored: StoredRecords | dict[str, Record],
    execute: Callable[..., Record],
    arguments: tuple[Any, ...] = (),
    at_once: int | None = None,
    checkpoints: Checkpoints | None = None,
    models: Path | None = None,
) -> Generator[Record]:
    """Yield the record of every job: first the stored ones, then the others as they end, the longest first.

    Parameters
    ----------
    wanted : mapping
        The jobs by hash.
    executor : Executor
        Where they run.
    stored : StoredRecords or dict
        The records of the file to which each new record is appended. The file is read again if it has changed. Or a
        dictionary that keeps the records in memory by hash.
    execute : callable
        Called in a worker as `execute(job, *arguments)`. It returns the job's record.
    arguments : tuple, optional
        Further arguments of `execute`.
    at_once : int, optional
        How many jobs the executor has at a time. All, if None.
    checkpoints : Checkpoints, optional
        Where `execute` keeps the states of jobs in progress.
    models : Path, optional
        Folder where `execute` keeps trained models. A stored job whose model is not there runs again.

    Yields
    ------
    dict
        A record.

    Raises
    ------
    StoreError, NotSendable, RunsLost, ExecutorLost
        As `sweep` does.
    """
    with _locked(stored):
        done = _usable(dict(stored) if isinstance(stored, dict) else stored.refresh().by_hash, models)
        if checkpoints:
            checkpoints.remove_stale(set(done))
        yield from (done[key] for key in wanted if key in done)
        waiting = [job for key, job in wanted.items() if key not in done]
        if getattr(executor, "packs", False):
            check_sendable(waiting)
        waiting.sort(key=lambda job: -job.cost)
        destination = stored if isinstance(stored, dict) else stored.path
        scheduler = RunScheduler(executor, destination, execute, arguments, deque(waiting), checkpoints)
        try:
            yield from scheduler.results(at_once)
        finally:
            scheduler.shutdown()
            if checkpoints:
                checkpoints.remove_stale(set())
    if scheduler.error:
        raise RunsLost(scheduler.lost, scheduler.error)


def _locked(stored: StoredRecords | dict[str, Record]) -> AbstractContextManager[None]:
    """Return the lock on a results file; records in memory need none."""
    return nullcontext() if isinstance(stored, dict) else jsonl.exclusive_lock(stored.path)


def _usable(done: dict[str, Record], models: Path | None) -> dict[str, Record]:
    """Return the stored records without those whose trained model is wanted and missing."""
    if models is None:
        return done
    return {key: entry for key, entry in done.items() if entry["status"] != "ok" or model_path(models, key).exists()}


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
