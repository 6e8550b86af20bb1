"""Records of runs: made when a run ends, read back, and refused where a figure could not be drawn of them."""

import importlib.metadata
import math
import platform
from pathlib import Path

from numpy_rae import store
from numpy_rae.runs import Run
from numpy_rae.store import StoreError
from numpy_rae.training import NUMERICS, Trained


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


def versions() -> dict[str, str | int]:
    """Versions of what determines the numbers; records without "numerics" were made with version 1 of it."""
    packages = ("numpy-rae", "numpy", "scipy")
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": platform.python_version(), **found, "numerics": NUMERICS}


def stored(results: Path) -> dict[str, dict]:
    """The records of a results file by hash. Raises StoreError for a file that is not a sweep's."""
    entries = store.read(results)
    if not all(isinstance(entry.get("hash"), str) for entry in entries):
        raise StoreError(f"results file {results} holds a record without a hash; it is not a sweep's")
    return {entry["hash"]: entry for entry in entries}


def of_sweep(out: Path) -> list[dict]:
    """What the results file holds. Raises StoreError for a record that figures and tables could not read."""
    entries = list(stored(out).values())
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
    wanted = shared_part(runs[0].description())
    for entry in entries:
        found = shared_part(entry)
        different = [name for name in wanted if found.get(name) != wanted[name]]
        if different:
            name = different[0]
            raise ValueError(
                f"results file {out} holds runs with {name} {found.get(name)!r}, this sweep has {wanted[name]!r}; "
                "choose another folder with --out"
            )


def shared_part(description: dict) -> dict:
    """What all runs of one results file have in common, flat."""
    data = {f"data {name}": value for name, value in description.get("data", {}).items()}
    flat = {"activation": description.get("activation"), **description.get("config", {}), **data}
    return {name: value for name, value in flat.items() if name not in ("sigma2", "seed")}
