"""Many runs on any `concurrent.futures.Executor`: coinciding runs once, stored ones not again, each result at once."""

import logging
import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from numpy_rae import store
from numpy_rae.checkpoint import Checkpoints
from numpy_rae.records import stored
from numpy_rae.runs import Run, distinct
from numpy_rae.worker import execute

TRIES = 3

LOG = logging.getLogger(__name__)


def sweep(
    runs: Iterable[Run],
    executor: Executor,
    results: Path,
    at_once: int | None = None,
    checkpoints: Checkpoints | None = None,
    reports: Path | None = None,
) -> Iterator[dict]:
    """Yield the record of every distinct run: the stored ones first, the others as they end, appended to `results`.

    At most `at_once` runs are handed to the executor at a time (all, if None). A run whose worker dies, or has no
    memory left, is started again, up to TRIES times without progress; then the others go on, and RunsLost is raised at
    the end. When the caller stops early, the runs in flight are saved in `checkpoints`, or, without any, end first and
    are stored; the others are left. `reports` is a folder for a picture of each run trained now. Raises StoreError if
    another sweep is at work on the same file.
    """
    with store.claimed(results):
        wanted, done = distinct(runs), stored(results)
        if checkpoints:
            checkpoints.tidy(set(done))
        yield from (done[key] for key in wanted if key in done)
        waiting = deque(run for key, run in wanted.items() if key not in done)
        flights = Flights(executor, results, checkpoints, reports, waiting)
        try:
            yield from flights.landed(at_once)
        finally:
            flights.end()
            if checkpoints:
                checkpoints.tidy(set())
    if flights.lost:
        raise RunsLost(flights.lost)


class RunsLost(Exception):
    """Runs that were given up because their workers died again and again."""

    def __init__(self, runs: list[Run]):
        names = ", ".join(f"{run.model.name} sigma^2={run.config.sigma2:g} seed={run.config.seed}" for run in runs)
        super().__init__(
            f"given up after {TRIES} deaths of their worker without progress (out of memory?): {names}; "
            "all others are stored, and the next start tries these again"
        )


@dataclass
class Flights:
    """The runs that wait, those in flight, and those given up."""

    executor: Executor
    results: Path
    checkpoints: Checkpoints | None
    reports: Path | None
    waiting: deque[Run]
    flying: dict[Future, Run] = field(default_factory=dict)
    deaths: Counter = field(default_factory=Counter)
    lost: list[Run] = field(default_factory=list)

    def landed(self, at_once: int | None) -> Iterator[dict]:
        """The records as the runs end, each stored before it is yielded."""
        while self.waiting or self.flying:
            while self.waiting and len(self.flying) < (at_once or math.inf):
                run = self.waiting.popleft()
                self.flying[self.executor.submit(execute, run, self.checkpoints, self.reports)] = run
            future = next(as_completed(list(self.flying)))
            run = self.flying.pop(future)
            try:
                entry = future.result()
            except (BrokenExecutor, MemoryError):
                self.again(run)
                continue
            self.keep(entry)
            yield entry

    def keep(self, entry: dict) -> None:
        """Store a record; only then is its run's checkpoint of no more use."""
        store.append(self.results, entry)
        if self.checkpoints:
            self.checkpoints.remove(entry["hash"])

    def again(self, run: Run) -> None:
        """Have a run wait for another try, unless it has had enough of them since its last checkpoint."""
        at = run.hash, self.checkpoints and self.checkpoints.progress(run.hash)
        self.deaths[at] += 1
        (self.lost.append if self.deaths[at] >= TRIES else self.waiting.appendleft)(run)

    def end(self) -> None:
        """Save or await the runs in flight, if there are any; what ends all the same is stored."""
        left = [future for future in self.flying if not future.cancel()]
        if left and self.checkpoints and hasattr(self.executor, "stop"):
            self.executor.stop()
        elif left:
            LOG.warning("stopping; %d runs in flight end first and are stored", len(left))
        for future in as_completed(left):
            with suppress(BrokenExecutor, MemoryError):
                self.keep(future.result())
