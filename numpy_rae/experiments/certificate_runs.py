"""The runs that compare the certificates with training: train those that are missing, and read the stored ones."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path

from numpy_rae.experiments.certificate_training import train_trial
from numpy_rae.experiments.certificate_trials import Trial
from numpy_rae.experiments.record_stores import StoredRecords, read_results
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.sweep import run_missing
from numpy_rae.identity import older_records
from numpy_rae.identity.older_records import identified


def stored(results: Path, wanted: Iterable[Trial]) -> StoredRecords:
    """Read a results file of trials.

    Parameters
    ----------
    results : Path
        The file. If it does not exist, there are no records.
    wanted : iterable of Trial
        Records of older releases get the hash that these trials have now.

    Returns
    -------
    StoredRecords
        The records.

    Raises
    ------
    StoreError
        If the file cannot be read, or if it is not a sweep's.
    """
    older = {trial.old_hash: trial for trial in wanted}
    return read_results(results, lambda entry: with_identity(older_records.with_identity(entry), older))


def with_identity(entry: Record, older: Mapping[str, Trial]) -> Record:
    """Return the record with the identity of its trial.

    Parameters
    ----------
    entry : dict
        A record.
    older : mapping
        Trials by `Trial.old_hash`. Old records belong to the first versions of the formulas.

    Returns
    -------
    dict
        The record with the identity. A record that has an identity already, or whose trial is unknown, is not changed.
    """
    trial = older.get(str(entry.get("hash")))
    if trial is None or "identity" in entry or not trial.is_first_version:
        return entry
    return identified(entry, trial.identity, trial.hash)


def one_line(entry: Record) -> str:
    """Return a record in a few words, for the progress bar.

    Parameters
    ----------
    entry : dict
        The record of a trial.

    Returns
    -------
    str
        What was trained, and its status.
    """
    what = f"{entry['model']} with {entry['activation']} on {entry['data']}"
    return f"{what} lambda={entry['lambda']:g} seed={entry['seed']}: {entry['status']}"


def run(wanted: Iterable[Trial], pool: Executor, found: StoredRecords, at_once: int | None = None) -> Generator[Record]:
    """Yield the record of every trial: first the stored ones, then the others as they end.

    Parameters
    ----------
    wanted : iterable of Trial
        The trials.
    pool : Executor
        Where they are trained.
    found : StoredRecords
        What `stored` has read from the results file, to which each new record is appended.
    at_once : int, optional
        Largest number of trials that the executor has at a time. The default is all of them.

    Yields
    ------
    dict
        A record, see `train_trial`.

    Raises
    ------
    StoreError, NotSendable, RunsLost, ExecutorLost
        As `sweep` does.
    """
    yield from run_missing({trial.hash: trial for trial in wanted}, pool, found, train_trial, at_once=at_once)
