"""Records of runs: made when a run ends, read back, and refused where a figure could not be drawn of them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from numpy_rae.data.prepared import DataSpec
from numpy_rae.experiments.provenance import made, versions
from numpy_rae.experiments.run import Run
from numpy_rae.identity.older_records import with_identity
from numpy_rae.identity.run_identity import defaults_of
from numpy_rae.storage import jsonl
from numpy_rae.storage.jsonl import StoreError
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import TrainResult

Record: TypeAlias = dict[str, Any]

LOG = logging.getLogger(__name__)


def make_record(run: Run, trained: TrainResult) -> Record:
    """Make the record of a finished run.

    Parameters
    ----------
    run : Run
        What was trained.
    trained : TrainResult
        What the training returned.

    Returns
    -------
    dict
        JSON values. "status" is "ok" or "diverged".
    """
    return {
        "hash": run.hash,
        "identity": run.identity,
        **run.description(),
        "status": "diverged" if trained.diverged else "ok",
        "metrics": trained.metrics,
        "history": [_without_nan(entry) for entry in trained.history],
        "steps": trained.steps,
        "diverged_at_step": trained.diverged,
        "first_objective": trained.first,
        "peak_objective": trained.peak and trained.peak[0],
        "peak_step": trained.peak and trained.peak[1],
        "last_finite_objective": trained.last,
        "rho": "batch mean",
        "n_extrapolated": trained.n_extrapolated,
        "seconds": round(trained.seconds, 3),
        "versions": versions(),
        "made": made(),
    }


def _without_nan(entry: dict[str, float]) -> dict[str, float | None]:
    """Return the entry with None for NaN and infinity, which JSON does not have."""
    return {name: value if math.isfinite(value) else None for name, value in entry.items()}


@dataclass(frozen=True)
class StoredRecords:
    """The records of a results file as they were when it was read; none before `refresh` reads it.

    Attributes
    ----------
    path : Path
        The results file.
    by_hash : dict, optional
        The records by hash, in the order of the file.
    size : int, optional
        The size of the file in bytes when it was read. A sweep only appends, so another size means other records.
        None if the file was not read yet.
    migrate : callable, optional
        Gives a record of an older release the names and the hash of this release.
    """

    path: Path
    by_hash: dict[str, Record] = field(default_factory=dict)
    size: int | None = None
    migrate: Callable[[Record], Record] = with_identity

    def refresh(self) -> StoredRecords:
        """Read the file again if it has another size now.

        Returns
        -------
        StoredRecords
            These records, or the new ones.
        """
        return self if _size(self.path) == self.size else read_results(self.path, self.migrate)

    def exclusive_lock(self) -> AbstractContextManager[None]:
        """Return a context that locks the file.

        Returns
        -------
        context manager
            On entry it raises StoreError if another process holds the file.
        """
        return jsonl.exclusive_lock(self.path)

    def finished(self) -> dict[str, Record]:
        """Return the records that are in the file now.

        Returns
        -------
        dict
            The records by hash.
        """
        return self.refresh().by_hash

    def append(self, entry: Record) -> None:
        """Append a record to the file.

        Parameters
        ----------
        entry : dict
            The record.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        jsonl.append(self.path, entry)


@dataclass(frozen=True)
class MemoryRecords:
    """Records in memory, for a sweep without a results file.

    Attributes
    ----------
    by_hash : dict
        The records by hash. Each new record is added to it.
    """

    by_hash: dict[str, Record]

    def exclusive_lock(self) -> AbstractContextManager[None]:
        """Return a context that does nothing, because no other process sees the records.

        Returns
        -------
        context manager
            An empty context.
        """
        return nullcontext()

    def finished(self) -> dict[str, Record]:
        """Return a copy of the records.

        Returns
        -------
        dict
            The records by hash.
        """
        return dict(self.by_hash)

    def append(self, entry: Record) -> None:
        """Add a record.

        Parameters
        ----------
        entry : dict
            The record.
        """
        self.by_hash[entry["hash"]] = entry


@dataclass(frozen=True)
class NamedModels:
    """A store whose new records also hold, as "sweep_models", the names of the models that their sweep was called with.

    All models share the record of "AE" at sigma^2 = 0, so the records' own models do not tell whether "AE" was wanted.

    Attributes
    ----------
    store : StoredRecords or MemoryRecords
        Where the records are kept.
    models : tuple of str
        The names, in the order of the call.
    """

    store: StoredRecords | MemoryRecords
    models: tuple[str, ...]

    def exclusive_lock(self) -> AbstractContextManager[None]:
        """Return a context that locks the store.

        Returns
        -------
        context manager
            The store's.
        """
        return self.store.exclusive_lock()

    def finished(self) -> dict[str, Record]:
        """Return the records that are in the store now.

        Returns
        -------
        dict
            The records by hash.
        """
        return self.store.finished()

    def append(self, entry: Record) -> None:
        """Add a record to the store, with the names.

        Parameters
        ----------
        entry : dict
            The record.
        """
        self.store.append({**entry, "sweep_models": list(self.models)})


def read_results(results: Path, migrate: Callable[[Record], Record] = with_identity) -> StoredRecords:
    """Read a results file.

    Parameters
    ----------
    results : Path
        The file. If it does not exist, there are no records.
    migrate : callable, optional
        Gives a record of an older release the names and the hash of this release.

    Returns
    -------
    StoredRecords
        Its records. If two have the same hash, the later one counts.

    Raises
    ------
    StoreError
        If the file cannot be read, or if it is not a sweep's.
    """
    size = _size(results)  # before the records: if the file grows meanwhile, `refresh` reads it again
    entries = jsonl.read(results)
    if not all(isinstance(entry.get("hash"), str) for entry in entries):
        raise StoreError(f"results file {results} holds a record without a hash; it is not a sweep's")
    return StoredRecords(results, {entry["hash"]: entry for entry in map(migrate, entries)}, size, migrate)


def _size(path: Path) -> int:
    """Return the size of a file in bytes, 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def records_by_hash(results: Path) -> dict[str, Record]:
    """Return the records of a sweep's results file by hash.

    Parameters
    ----------
    results : Path
        The file. If it does not exist, there are no records.

    Returns
    -------
    dict
        The records in the order of the file. Older ones have the hash that their runs have now.

    Raises
    ------
    StoreError
        If the file cannot be read, or if it is not a sweep's.
    """
    return read_results(results).by_hash


def records_of(results: Path | dict[str, Record]) -> dict[str, Record]:
    """Return the records of a results file, or those that are kept in memory, by hash.

    Parameters
    ----------
    results : Path or dict
        The file, or the records in memory by hash.

    Returns
    -------
    dict
        The records. Those in memory are copied.

    Raises
    ------
    StoreError
        If the file cannot be read, or if it is not a sweep's.
    """
    return dict(results) if isinstance(results, dict) else records_by_hash(results)


def latest(entries: Iterable[Record]) -> list[Record]:
    """Return the last record of each model, sigma^2 and seed; warn if there are others, as of an edited model.

    Parameters
    ----------
    entries : iterable of dict
        Records in the order of their file.

    Returns
    -------
    list of dict
        One record for each model, sigma^2 and seed.
    """
    entries = list(entries)
    last = {(entry["model"], entry["config"]["sigma2"], entry["config"]["seed"]): entry for entry in entries}
    if len(last) < len(entries):
        LOG.warning(
            "%d of %d records are of a run that was trained again later, with another model or activation of that "
            "name; the later records are used", len(entries) - len(last), len(entries),
        )  # fmt: skip
    return list(last.values())


def _warn_of_unknown(entries: Sequence[Record], out: Path) -> None:
    """Warn of records without an identity, whose model or activation is not this package's."""
    unknown = sorted({entry["model"] for entry in entries if "identity" not in entry})
    if unknown:
        LOG.warning(
            "results file %s holds records of %s that do not say what the model and the activation were; they are "
            "kept, but these runs are trained again", out, ", ".join(unknown),
        )  # fmt: skip


def load_results(out: Path) -> StoredRecords:
    """Read a results file of which figures and tables can be made.

    Parameters
    ----------
    out : Path
        The file. If it does not exist, there are no records.

    Returns
    -------
    StoredRecords
        Its records.

    Raises
    ------
    StoreError
        If the file cannot be read, or if figures and tables cannot use one of its records.
    """
    stored = read_results(out)
    for entry in stored.by_hash.values():
        if not _is_record(entry):
            raise StoreError(f"results file {out} holds a record that no sweep wrote, {entry['hash'][:16]!r}")
    return stored


def load_records(out: Path) -> list[Record]:
    """Return the records of a results file of which figures and tables can be made.

    Parameters
    ----------
    out : Path
        The file. If it does not exist, there are no records.

    Returns
    -------
    list of dict
        The records in the order of the file.

    Raises
    ------
    StoreError
        If the file cannot be read, or if figures and tables cannot use one of its records.
    """
    return list(load_results(out).by_hash.values())


def _is_record(entry: Record) -> bool:
    """Return whether an entry has what figures and tables read."""
    parts = (entry.get(name) for name in ("data", "config", "metrics"))
    data, config, metrics = (part if isinstance(part, dict) else {} for part in parts)
    numbers = [config.get(name) for name in ("sigma2", "seed")]
    names = entry.get("sweep_models", [])
    if entry.get("status") == "ok":
        numbers += [metrics.get(name) for name in ("activation_fraction", "dead_fraction")]
        numbers += [entry.get(name) for name in ("steps", "first_objective", "peak_objective")]
    return (
        {"source", "count", "path"} <= set(data)
        and all(isinstance(number, (int, float)) for number in numbers)
        and all(isinstance(entry.get(name), str) for name in ("model", "activation"))
        and isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and entry.get("status") in ("ok", "diverged")
    )


def refuse_other_configuration(entries: Sequence[Record], runs: Sequence[Run], out: Path) -> None:
    """Refuse a results file whose runs differ from these in more than model, sigma^2 and seed.

    Parameters
    ----------
    entries : sequence of dict
        The records of the file.
    runs : sequence of Run
        The runs that are to be stored there.
    out : Path
        The file, for the message.

    Raises
    ------
    ValueError
        If a field differs. The message names it.
    """
    _warn_of_unknown(entries, out)
    wanted = _shared_part(runs[0].description())
    for entry in entries:
        found = _shared_part(entry)
        different = [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
        if different:
            name = different[0]
            raise ValueError(
                f"results file {out} holds runs with {name} {found.get(name)!r}, this sweep has {wanted.get(name)!r}; "
                "choose another folder with --out"
            )


def _shared_part(description: dict[str, Any]) -> dict[str, Any]:
    """Return what all runs of one results file have in common; a field that a record lacks is at its default."""
    data = {**defaults_of(DataSpec), **description.get("data", {})}
    config = {**defaults_of(TrainConfig), **description.get("config", {})}
    flat = {"activation": description.get("activation"), **config, **{f"data {name}": data[name] for name in data}}
    return {name: value for name, value in flat.items() if name not in ("sigma2", "seed")}
