"""Many runs on any `concurrent.futures.Executor`: coinciding runs once, stored ones not again, each result at once."""

import logging
import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, as_completed
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from numpy_rae.experiments import pickled_calls
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.local_pool import WorkerNeverStarted
from numpy_rae.experiments.records import records_by_hash
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.worker import model_path, train_run
from numpy_rae.storage import jsonl

TRIES = 3

LOG = logging.getLogger(__name__)


def sweep(
    runs: Iterable[Run],
    executor: Executor,
    results: Path | dict[str, dict],
    at_once: int | None = None,
    checkpoints: Checkpoints | None = None,
    reports: Path | None = None,
    models: Path | None = None,
) -> Iterator[dict]:
    """Yield the record of every distinct run: the stored ones first, the others as they end, appended to `results`.

    `results` is a file, or a dictionary that keeps the records in memory by hash.

    At most `at_once` runs are handed to the executor at a time (all, if None). A run whose worker dies, or has no
    memory left, is started again, up to TRIES times without progress; then the others go on, and RunsLost is raised at
    the end. When the caller stops early, the runs in flight are saved in `checkpoints`, or, without any, end first and
    are stored; the others are left. `reports` is a folder for a picture of each run trained now, `models` one for
    the trained models; a stored run whose model is not there is trained again. Raises StoreError if
    another sweep is at work on the same file, ExecutorLost if the executor cancels runs, and `pickled_calls.NotSendable`, before any run, for a model or activation that
    cannot be sent to the executor's processes.
    """
    with locked(results):
        wanted, done = deduplicate(runs), usable(stored(results), models)
        if checkpoints:
            checkpoints.remove_stale(set(done))
        yield from (done[key] for key in wanted if key in done)
        waiting = deque(run for key, run in wanted.items() if key not in done)
        if getattr(executor, "packs", False):
            check_sendable(waiting)
        scheduler = RunScheduler(executor, results, checkpoints, reports, waiting, models)
        try:
            yield from scheduler.records(at_once)
        finally:
            scheduler.end()
            if checkpoints:
                checkpoints.remove_stale(set())
    if scheduler.lost:
        raise RunsLost(scheduler.lost, scheduler.error)


def locked(results: Path | dict[str, dict]) -> AbstractContextManager[None]:
    """The lock on a results file; records in memory need none."""
    return nullcontext() if isinstance(results, dict) else jsonl.exclusive_lock(results)


def stored(results: Path | dict[str, dict]) -> dict[str, dict]:
    """The records by hash, of a file or in memory."""
    return dict(results) if isinstance(results, dict) else records_by_hash(results)


def usable(done: dict[str, dict], models: Path | None) -> dict[str, dict]:
    """The stored records, without those whose trained model is wanted and missing."""
    if models is None:
        return done
    return {key: entry for key, entry in done.items() if entry["status"] != "ok" or model_path(models, key).exists()}


def check_sendable(runs: Iterable[Run]) -> None:
    """Raise `pickled_calls.NotSendable` that names the first model or activation that cannot be pickled."""
    checked = set()
    for run in runs:
        for kind, part in (("model", run.model), ("activation", run.activation)):
            if id(part) not in checked:
                pickled_calls.check(f"{kind} {part.name!r}", part)
                checked.add(id(part))


class RunsLost(Exception):
    """Runs that were given up because their workers died again and again, or never started."""

    def __init__(self, runs: list[Run], error: Exception):
        names = ", ".join(f"{run.model.name} sigma^2={run.config.sigma2:g} seed={run.config.seed}" for run in runs)
        why = f"given up after {TRIES} deaths of their worker without progress ({reason(error)})"
        if isinstance(error, WorkerNeverStarted):
            why = f"given up after {TRIES} attempts to start a worker ({error})"
        super().__init__(f"{why}: {names}; all others are stored, and the next start tries these again")


class ExecutorLost(ConnectionError):
    """The executor has cancelled the runs, as Dask does when its scheduler is gone."""

    def __init__(self):
        super().__init__(
            "the connection to the scheduler is lost, and the runs in flight with it; all others are stored, and the next "
            "start tries these again"
        )


def reason(error: Exception) -> str:
    """What to say of the last death."""
    return "out of memory" if isinstance(error, MemoryError) else str(error) or type(error).__name__


@dataclass
class RunScheduler:
    """The runs that wait, those in flight, and those given up."""

    executor: Executor
    results: Path | dict[str, dict]
    checkpoints: Checkpoints | None
    reports: Path | None
    waiting: deque[Run]
    models: Path | None = None
    in_flight: dict[Future, Run] = field(default_factory=dict)
    failures: Counter = field(default_factory=Counter)
    lost: list[Run] = field(default_factory=list)
    error: Exception | None = None

    def records(self, at_once: int | None) -> Iterator[dict]:
        """The records as the runs end, each stored before it is yielded."""
        while self.waiting or self.in_flight:
            while self.waiting and len(self.in_flight) < (at_once or math.inf):
                self.start(self.waiting.popleft())
            if not self.in_flight:
                continue
            future = next(as_completed(list(self.in_flight)))
            run = self.in_flight.pop(future)
            try:
                entry = future.result()
            except (BrokenExecutor, MemoryError) as error:
                self.again(run, error)
                continue
            except CancelledError:  # by the executor; the sweep cancels only when it ends
                raise ExecutorLost from None
            self.keep(entry)
            yield entry

    def start(self, run: Run) -> None:
        """Hand a run to the executor."""
        try:
            self.in_flight[self.executor.submit(train_run, run, self.checkpoints, self.reports, self.models)] = run
        except BrokenExecutor as error:
            self.again(run, error)

    def keep(self, entry: dict) -> None:
        """Store a record; only then is its run's checkpoint of no more use."""
        if isinstance(self.results, dict):
            self.results[entry["hash"]] = entry
        else:
            jsonl.append(self.results, entry)
        if self.checkpoints:
            self.checkpoints.remove(entry["hash"])

    def again(self, run: Run, error: Exception) -> None:
        """Have a run wait for another try, unless it has had enough of them since its last checkpoint.

        Where no worker starts for one run, none starts for the others: all are given up.
        """
        at = run.hash, self.checkpoints and self.checkpoints.progress(run.hash)
        self.failures[at] += 1
        if self.failures[at] < TRIES:
            self.waiting.appendleft(run)
            return
        self.error = error
        self.lost.append(run)
        if isinstance(error, WorkerNeverStarted):
            self.lost.extend(self.waiting)
            self.waiting.clear()

    def end(self) -> None:
        """Save or await the runs in flight, if there are any; what ends all the same is stored."""
        left = [future for future in self.in_flight if not future.cancel()]
        if left and self.checkpoints and hasattr(self.executor, "stop"):
            self.executor.stop()
        elif left:
            LOG.warning("stopping; %d runs in flight end first and are stored", len(left))
        for future in as_completed(left):
            with suppress(BrokenExecutor, MemoryError, CancelledError):
                self.keep(future.result())
