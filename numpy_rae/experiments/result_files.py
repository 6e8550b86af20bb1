"""Where a sweep's records go: every run's record into each results file that wants it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy_rae.experiments.records import records_by_hash
from numpy_rae.storage import jsonl


@dataclass(frozen=True)
class ResultFiles:
    """Results files that share runs, such as those of two figures with the same plain auto-encoder.

    `wanted` has the hashes of the runs whose records each file wants. The files of `also` are read for finished runs,
    and never written.
    """

    wanted: Mapping[Path, frozenset[str]]
    also: tuple[Path, ...] = ()

    @contextlib.contextmanager
    def exclusive_lock(self) -> Iterator[None]:
        """Hold every file that is written. Raises StoreError if another process holds one of them."""
        with contextlib.ExitStack() as stack:
            for path in sorted(self.wanted):
                stack.enter_context(jsonl.exclusive_lock(path))
            yield

    def finished(self) -> dict[str, dict[str, Any]]:
        """Return the stored records by hash; a file gets the records that it wants and another one has.

        Returns
        -------
        dict
            The records of all files. Records of `also` come first and are replaced by the files' own.
        """
        stored = {path: records_by_hash(path) for path in self.wanted}
        found = {key: entry for entries in stored.values() for key, entry in entries.items()}
        for path, entries in stored.items():
            for key in sorted((self.wanted[path] & set(found)) - set(entries)):
                jsonl.append(path, found[key])
        return {key: entry for path in self.also for key, entry in records_by_hash(path).items()} | found

    def append(self, entry: dict[str, Any]) -> None:
        """Store a record in every file that wants it. Raises StoreError if that cannot be done.

        Parameters
        ----------
        entry : dict
            The record.
        """
        for path, hashes in self.wanted.items():
            if entry["hash"] in hashes:
                jsonl.append(path, entry)


@dataclass(frozen=True)
class OneFile:
    """One results file, which takes every record."""

    path: Path

    def exclusive_lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold the file. Raises StoreError if another process holds it.

        Returns
        -------
        context manager
            It holds the file while it is open.
        """
        return jsonl.exclusive_lock(self.path)

    def finished(self) -> dict[str, dict[str, Any]]:
        """Return the stored records by hash.

        Returns
        -------
        dict
            `records.records_by_hash` of the file.
        """
        return records_by_hash(self.path)

    def append(self, entry: dict[str, Any]) -> None:
        """Store a record. Raises StoreError if that cannot be done.

        Parameters
        ----------
        entry : dict
            The record.
        """
        jsonl.append(self.path, entry)


def as_files(results: Path | ResultFiles) -> OneFile | ResultFiles:
    """Return `results` itself, or one file for a path.

    Parameters
    ----------
    results : pathlib.Path or ResultFiles
        Where records go.

    Returns
    -------
    OneFile or ResultFiles
        An object with `exclusive_lock`, `finished` and `append`.
    """
    return results if isinstance(results, ResultFiles) else OneFile(results)


def check_writable(paths: Iterable[Path]) -> None:
    """Raise StoreError for the first file that cannot be written.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Results files.

    Raises
    ------
    StoreError
        If a file cannot be made or appended to.
    """
    for path in paths:
        jsonl.check_writable(path)
