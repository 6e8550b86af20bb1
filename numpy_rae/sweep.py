"""Many runs on any `concurrent.futures.Executor`: coinciding runs once, stored ones not again, each result at once."""

import hashlib
import importlib.metadata
import json
import logging
import math
import multiprocessing
import os
import platform
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

from numpy_rae import blas, datasets, store
from numpy_rae.activations import Activation
from numpy_rae.objectives import AE, Model
from numpy_rae.training import Trained, TrainConfig, train

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One training run: what is trained, on what, with which numbers."""

    model: Model
    activation: Activation
    data: datasets.DataRef
    config: TrainConfig

    def canonical(self) -> "Run":
        """The run itself, or the plain auto-encoder with which every model coincides at sigma^2 = 0."""
        return replace(self, model=AE) if self.config.sigma2 == 0 else self

    def description(self) -> dict:
        """The whole configuration as JSON values."""
        return {
            "model": self.model.name,
            "activation": self.activation.name,
            "data": self.data.description(),
            "config": asdict(self.config),
        }

    @property
    def hash(self) -> str:
        """SHA-256 of the description: the key under which the result is stored."""
        return hashlib.sha256(json.dumps(self.description(), sort_keys=True).encode()).hexdigest()


def execute(run: Run) -> dict:
    """Train one run and make its record; called in a worker."""
    return record(run, train(datasets.load(run.data), run.model, run.activation, run.config))


def record(run: Run, trained: Trained) -> dict:
    """The record of a finished run, as JSON values; "status" is "ok" or "diverged"."""
    return {
        "hash": run.hash,
        **run.description(),
        "status": "diverged" if trained.diverged else "ok",
        "metrics": trained.metrics,
        "history": [finite(entry) for entry in trained.history],
        "steps": trained.steps,
        "diverged_at_step": trained.diverged,
        "first_objective": trained.first,
        "peak_objective": trained.peak and trained.peak[0],
        "peak_step": trained.peak and trained.peak[1],
        "last_finite_objective": trained.last,
        "rho": "batch mean",
        "n_continued": trained.n_continued,
        "seconds": round(trained.seconds, 3),
        "versions": versions(),
    }


def finite(entry: dict[str, float]) -> dict[str, float | None]:
    """The entry with None for NaN and infinity, which JSON has not."""
    return {name: value if math.isfinite(value) else None for name, value in entry.items()}


def versions() -> dict[str, str]:
    """Versions of what determines the numbers."""
    packages = ("numpy-rae", "numpy", "scipy")
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": platform.python_version(), **found}


def distinct(runs: Iterable[Run]) -> dict[str, Run]:
    """The runs by hash; those that coincide stand once."""
    return {run.hash: run for run in map(Run.canonical, runs)}


def stored(results: Path) -> dict[str, dict]:
    """The records of a results file by hash. Raises StoreError for a file that is not a sweep's."""
    entries = store.read(results)
    if not all("hash" in entry for entry in entries):
        raise store.StoreError(f"results file {results} holds a record without a hash; it is not a sweep's")
    return {entry["hash"]: entry for entry in entries}


def sweep(
    runs: Iterable[Run], executor: Executor, results: Path, at_once: int | None = None
) -> Iterator[dict]:
    """Yield the record of every distinct run: the stored ones first, the others as they end, appended to `results`.

    At most `at_once` runs are handed to the executor at a time (all, if None). When the caller stops early, those in
    flight are still stored and the others are left.
    """
    wanted = distinct(runs)
    done = stored(results)
    yield from (done[key] for key in wanted if key in done)
    waiting = iter([run for key, run in wanted.items() if key not in done])
    pending = {executor.submit(execute, run) for run in islice(waiting, at_once)}
    try:
        while pending:
            future = next(as_completed(list(pending)))
            pending.remove(future)
            pending |= {executor.submit(execute, run) for run in islice(waiting, 1)}
            yield _save(future, results)
    finally:
        in_flight = [future for future in pending if not future.cancel()]
        if in_flight:
            LOG.warning("stopping; %d runs in flight end first and are stored", len(in_flight))
        for future in as_completed(in_flight):
            _save(future, results)


def _save(future: Future, results: Path) -> dict:
    entry = future.result()
    store.append(results, entry)
    return entry


@contextmanager
def local_pool(workers: int) -> Iterator[Executor]:
    """A pool of fresh processes with one BLAS thread each, so that results do not depend on their number."""
    context = multiprocessing.get_context("spawn")
    with blas.one_thread(), ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        yield pool


def _start_worker() -> None:
    """Leave interrupts to the parent, and end with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: multiprocessing.Process) -> None:
    parent.join()
    os._exit(1)
