"""Where `numpy_rae.sweep` trains its runs, and where it keeps their records, checkpoints and models."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from numpy_rae import _validation
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.command_line import cores
from numpy_rae.experiments.dask_cluster import dask_pool
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.records import Record
from numpy_rae.storage import jsonl

Records = Path | dict[str, Record]


@dataclass(frozen=True)
class Where:
    """Hold where the runs are trained: on this machine, on a Dask cluster, or on the user's executor."""

    workers: int | None
    scheduler: str | None
    executor: Executor | None

    def __post_init__(self) -> None:
        if self.workers is not None:
            _validation.integer("workers", self.workers)
        if not isinstance(self.scheduler, str | None):
            raise ValueError(f"scheduler is {self.scheduler!r}; it must be the address of a Dask scheduler, or None")
        if self.scheduler is not None and self.executor is not None:
            raise ValueError("executor is given with scheduler; give at most one of them")
        if self.executor is not None and not hasattr(self.executor, "submit"):
            raise ValueError(f"executor is a {type(self.executor).__name__}; it must be a concurrent.futures.Executor")

    @property
    def local(self) -> bool:
        """Tell whether the runs are trained by this package's processes on this machine.

        Returns
        -------
        bool
            Whether there is neither a scheduler nor an executor.
        """
        return self.scheduler is None and self.executor is None

    @contextmanager
    def opened(self) -> Iterator[tuple[Executor, int | None]]:
        """Open the executor.

        Yields
        ------
        executor : Executor
            The executor that trains the runs.
        at_once : int or None
            Largest number of runs that it gets at a time. None means all of them.
        """
        if self.executor is not None:
            yield self.executor, self.workers
        elif self.scheduler is not None:
            with dask_pool(self.scheduler, "scheduler") as (pool, count):
                yield pool, self.workers or count
        else:
            count = self.workers or cores()
            with local_pool(count) as pool:
                yield pool, count


class TemporaryFolder:
    """A folder that is removed with the last reference to this object, or when Python ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="numpy_rae-models-"))
        weakref.finalize(self, shutil.rmtree, self.path, True)


@dataclass(frozen=True)
class Kept:
    """Hold where records, checkpoints and models are kept: beside the results file, or as long as the result exists."""

    records: Records
    checkpoints: Checkpoints | None
    models: Path | None
    temporary: TemporaryFolder | None

    @classmethod
    def of(cls, results: str | os.PathLike[str] | None, keep_models: bool) -> "Kept":
        """Make the folders and check that they can be written.

        Parameters
        ----------
        results : str or os.PathLike, optional
            The results file.
        keep_models : bool
            Whether models are kept.

        Returns
        -------
        Kept
            The places.

        Raises
        ------
        ValueError
            If `results` is not a path.
        storage.jsonl.StoreError
            If a place cannot be written.
        """
        if results is None:
            temporary = TemporaryFolder() if keep_models else None
            return cls({}, None, temporary.path if temporary else None, temporary)
        if not isinstance(results, (str, os.PathLike)) or not str(results):
            raise ValueError(f"results is {results!r}; it must be the path of a file, or None")
        file = _validation.user_path(results).absolute()
        jsonl.check_writable(file)
        models = file.with_suffix(".models") if keep_models else None
        if models:
            jsonl.make_folder(models)
        return cls(file, Checkpoints(file.with_suffix(".checkpoints")), models, None)
