"""Where records are kept: in a results file, or in memory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from numpy_rae.experiments.records import Record
from numpy_rae.identity.older_records import with_identity
from numpy_rae.storage import jsonl
from numpy_rae.storage.jsonl import StoreError


@dataclass(frozen=True)
class StoredRecords:
    """Hold the records of a results file as they were when it was read. Before `refresh` reads it, there are none.

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
        Function that gives a record of an older release the names and the hash of this release.
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
    """Hold records in memory, for a sweep without a results file.

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
    """Add to each new record of a store, as "sweep_models", the names of the models that the sweep was called with.

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
        Function that gives a record of an older release the names and the hash of this release.

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
