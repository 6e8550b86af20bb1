"""Store the records of a sweep in several results files. A record is written to every file that needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from numpy_rae.experiments.record_stores import records_by_hash
from numpy_rae.experiments.records import Record
from numpy_rae.storage import jsonl


@dataclass(frozen=True)
class ResultFiles:
    """Results files that share runs. For example, two figures can use the same runs of the plain auto-encoder.

    Attributes
    ----------
    wanted : mapping
        For each file, the hashes of the runs whose records it needs.
    also : tuple of Path, optional
        Further files from which finished runs are read. They are never written.
    """

    wanted: Mapping[Path, frozenset[str]]
    also: tuple[Path, ...] = ()

    @contextlib.contextmanager
    def exclusive_lock(self) -> Iterator[None]:
        """Lock every file that is written.

        Yields
        ------
        None
            Nothing.

        Raises
        ------
        StoreError
            If another process holds one of the files.
        """
        with contextlib.ExitStack() as stack:
            for path in sorted(self.wanted):
                stack.enter_context(jsonl.exclusive_lock(path))
            yield

    def finished(self) -> dict[str, Record]:
        """Return the stored records by hash. Copy shared records to the files that need them and do not have them.

        Returns
        -------
        dict
            The records of all files. If a run is both in `also` and in the written files, the latter record is used.

        Raises
        ------
        StoreError
            If a file cannot be read or written.
        """
        stored = {path: records_by_hash(path) for path in self.wanted}
        found = {key: entry for entries in stored.values() for key, entry in entries.items()}
        for path, entries in stored.items():
            for key in sorted((self.wanted[path] & set(found)) - set(entries)):
                jsonl.append(path, found[key])
        return {key: entry for path in self.also for key, entry in records_by_hash(path).items()} | found

    def append(self, entry: Record) -> None:
        """Store a record in every file that needs it.

        Parameters
        ----------
        entry : dict
            The record.

        Raises
        ------
        StoreError
            If a file cannot be written.
        """
        for path, hashes in self.wanted.items():
            if entry["hash"] in hashes:
                jsonl.append(path, entry)


def check_writable(paths: Iterable[Path]) -> None:
    """Check that every file can be written.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Results files.

    Raises
    ------
    StoreError
        If a file cannot be created, or nothing can be appended to it.
    """
    for path in paths:
        jsonl.check_writable(path)
