"""Many runs on any `concurrent.futures.Executor`: coinciding runs once, stored ones not again, each result at once."""

import hashlib
import importlib.metadata
import json
import logging
import math
import platform
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from numpy_rae import checkpoint, datasets, store
from numpy_rae.activations import Activation
from numpy_rae.checkpoint import Checkpoints, Keeper
from numpy_rae.objectives import AE, Model
from numpy_rae.training import State, Trained, TrainConfig, train

TRIES = 3

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


def execute(run: Run, checkpoints: Checkpoints | None = None, reports: Path | None = None) -> dict:
    """Train one run, from where its checkpoint left it if there is one, and make its record; called in a worker.

    `reports` is a folder for its training report.
    """
    x = datasets.load(run.data)
    trained = resumed(run, x, checkpoints) if checkpoints else train(x, run.model, run.activation, run.config)
    if reports and not trained.diverged:
        draw_report(run, x, trained, reports)
    return record(run, trained)


def resumed(run: Run, x: np.ndarray, checkpoints: Checkpoints) -> Trained:
    """Train on x (N, n), writing checkpoints, from the one that is there."""
    path, identity = checkpoints.path(run.hash), {**run.description(), "versions": versions()}
    with Keeper(path, identity, checkpoints.interval) as keeper:
        return train(x, run.model, run.activation, run.config, keeper, left_at(path, identity))


def draw_report(run: Run, x: np.ndarray, trained: Trained, reports: Path) -> None:
    """`panels.training_report` of a run, as <model>-<sigma^2>-<seed>.png. Raises StoreError if it cannot be written."""
    from numpy_rae import figures, panels, sparsity  # matplotlib is slow to load, and few sweeps want it

    config, seen = run.config, sparsity.measure(trained.params, run.activation, x)
    title = f"{run.model.name}, {run.activation.name}, rows: {config.constraint}, sigma^2 = {config.sigma2:g}, "
    title += f"{trained.steps:,} updates, {run.data.spec.label}"
    text = panels.in_words(trained.last, seen)
    figure = panels.training_report(trained.history, trained.params, seen, run.data.image_shape, text, title)
    figures.save_picture(figure, reports / f"{run.model.name}-{config.sigma2:g}-{config.seed}.png")


def left_at(path: Path, identity: dict) -> State | None:
    """The state in the checkpoint; None, with a warning, if it cannot be used."""
    try:
        return checkpoint.load(path, identity)
    except checkpoint.CheckpointError as error:
        LOG.warning("%s; the run starts from its beginning", error)
        return None


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
    if not all(isinstance(entry.get("hash"), str) for entry in entries):
        raise store.StoreError(f"results file {results} holds a record without a hash; it is not a sweep's")
    return {entry["hash"]: entry for entry in entries}


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
