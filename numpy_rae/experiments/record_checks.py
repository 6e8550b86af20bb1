"""Read the records of a results file for figures and tables, and refuse a file that does not fit."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy_rae.data.data_spec import DataSpec
from numpy_rae.experiments.record_stores import StoredRecords, read_results
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.run import Run
from numpy_rae.identity.run_identity import defaults_of
from numpy_rae.storage.jsonl import StoreError
from numpy_rae.train_config import TrainConfig

LOG = logging.getLogger(__name__)


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
    """Return what all runs of one results file have in common; a field that a record does not have gets its default."""
    data = {**defaults_of(DataSpec), **description.get("data", {})}
    config = {**defaults_of(TrainConfig), **description.get("config", {})}
    flat = {"activation": description.get("activation"), **config, **{f"data {name}": data[name] for name in data}}
    return {name: value for name, value in flat.items() if name not in ("sigma2", "seed")}
