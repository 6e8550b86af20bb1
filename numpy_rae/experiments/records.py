"""Records of runs: made when a run ends, read back, and refused where a figure could not be drawn of them."""

import logging
import math
from collections.abc import Iterable
from pathlib import Path

from numpy_rae.data.prepared import DataSpec
from numpy_rae.experiments.provenance import made, versions
from numpy_rae.experiments.run import Run
from numpy_rae.identity.older_records import with_identity
from numpy_rae.identity.run_identity import defaults_of
from numpy_rae.storage import jsonl
from numpy_rae.storage.jsonl import StoreError
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import TrainResult

LOG = logging.getLogger(__name__)


def make_record(run: Run, trained: TrainResult) -> dict:
    """The record of a finished run, as JSON values; "status" is "ok" or "diverged"."""
    return {
        "hash": run.hash,
        "identity": run.identity,
        **run.description(),
        "status": "diverged" if trained.diverged else "ok",
        "metrics": trained.metrics,
        "history": [without_nan(entry) for entry in trained.history],
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


def without_nan(entry: dict[str, float]) -> dict[str, float | None]:
    """The entry with None for NaN and infinity, which JSON has not."""
    return {name: value if math.isfinite(value) else None for name, value in entry.items()}


def records_by_hash(results: Path) -> dict[str, dict]:
    """The records of a results file by hash, older ones under the hash that their runs have now.

    Raises StoreError for a file that is not a sweep's.
    """
    entries = jsonl.read(results)
    if not all(isinstance(entry.get("hash"), str) for entry in entries):
        raise StoreError(f"results file {results} holds a record without a hash; it is not a sweep's")
    return {entry["hash"]: entry for entry in map(with_identity, entries)}


def latest(entries: Iterable[dict]) -> list[dict]:
    """The last record of each model, sigma^2 and seed, with a warning if there are others: of an edited model, say."""
    entries = list(entries)
    last = {(entry["model"], entry["config"]["sigma2"], entry["config"]["seed"]): entry for entry in entries}
    if len(last) < len(entries):
        LOG.warning(
            "%d of %d records are of a run that was trained again later, with another model or activation of that "
            "name; the later records are used", len(entries) - len(last), len(entries),
        )  # fmt: skip
    return list(last.values())


def warn_of_unknown(entries: list[dict], out: Path) -> None:
    """Say so if records are older than identities and of a model or an activation that is not this package's."""
    unknown = sorted({entry["model"] for entry in entries if "identity" not in entry})
    if unknown:
        LOG.warning(
            "results file %s holds records of %s that do not say what the model and the activation were; they are "
            "kept, but these runs are trained again", out, ", ".join(unknown),
        )  # fmt: skip


def load_records(out: Path) -> list[dict]:
    """What the results file holds. Raises StoreError for a record that figures and tables could not read."""
    entries = list(records_by_hash(out).values())
    for entry in entries:
        if not is_record(entry):
            raise StoreError(f"results file {out} holds a record that no sweep wrote, {entry['hash'][:16]!r}")
    return entries


def is_record(entry: dict) -> bool:
    """Whether an entry has what figures and tables read of it."""
    parts = (entry.get(name) for name in ("data", "config", "metrics"))
    data, config, metrics = (part if isinstance(part, dict) else {} for part in parts)
    numbers = [config.get(name) for name in ("sigma2", "seed")]
    if entry.get("status") == "ok":
        numbers += [metrics.get(name) for name in ("activation_fraction", "dead_fraction")]
        numbers += [entry.get(name) for name in ("steps", "first_objective", "peak_objective")]
    return (
        {"source", "count", "path"} <= set(data)
        and all(isinstance(number, (int, float)) for number in numbers)
        and all(isinstance(entry.get(name), str) for name in ("model", "activation"))
        and entry.get("status") in ("ok", "diverged")
    )


def refuse_other_configuration(entries: list[dict], runs: list[Run], out: Path) -> None:
    """Raise ValueError if the results file holds runs that differ in more than model, sigma^2 and seed."""
    warn_of_unknown(entries, out)
    wanted = shared_part(runs[0].description())
    for entry in entries:
        found = shared_part(entry)
        different = [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
        if different:
            name = different[0]
            raise ValueError(
                f"results file {out} holds runs with {name} {found.get(name)!r}, this sweep has {wanted.get(name)!r}; "
                "choose another folder with --out"
            )


def shared_part(description: dict) -> dict:
    """What all runs of one results file have in common, flat; a field that a record lacks is at its default."""
    data = {**defaults_of(DataSpec), **description.get("data", {})}
    config = {**defaults_of(TrainConfig), **description.get("config", {})}
    flat = {"activation": description.get("activation"), **config, **{f"data {name}": data[name] for name in data}}
    return {name: value for name, value in flat.items() if name not in ("sigma2", "seed")}
