"""Compare new records with the records in the repository, run by run (docs/records)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from numpy_rae.experiments.record_stores import records_by_hash
from numpy_rae.experiments.records import Record

QUANTITIES = ("activation_fraction", "dead_fraction", "loss")


def shipped_folder() -> Path | None:
    """Return the folder of the records in the repository.

    Returns
    -------
    pathlib.Path or None
        docs/records. None if the package is installed without the repository.
    """
    folder = Path(__file__).resolve().parents[2] / "docs" / "records"
    return folder if folder.is_dir() else None


def compare(entries: Iterable[Record], shipped: Path) -> list[tuple[Record, Record]]:
    """Return the pairs (new record, record in the repository) of the same run.

    Parameters
    ----------
    entries : iterable of dict
        New records.
    shipped : pathlib.Path
        Results file in the repository. If it does not exist, it counts as empty.

    Returns
    -------
    list of tuple
        A pair for every run that has both records.
    """
    stored = records_by_hash(shipped)
    return [(entry, stored[entry["hash"]]) for entry in entries if entry["hash"] in stored]


def difference(new: Record, old: Record) -> dict[str, float] | None:
    """Return the difference new - old of each quantity. The difference of the loss is relative to the old loss.

    Parameters
    ----------
    new, old : dict
        Two records of one run.

    Returns
    -------
    dict or None
        The differences by the names in QUANTITIES. None if a run diverged.
    """
    if not (new["metrics"] and old["metrics"]):
        return None
    gaps = {name: new["metrics"][name] - old["metrics"][name] for name in QUANTITIES}
    return {**gaps, "loss": gaps["loss"] / old["metrics"]["loss"]}


def line(new: Record, old: Record) -> str:
    """Return the difference of one run as a line of text.

    Parameters
    ----------
    new, old : dict
        Two records of one run.

    Returns
    -------
    str
        The line.
    """
    config, gap = new["config"], difference(new, old)
    head = f"{new['model']:>8} sigma^2={config['sigma2']:<5g} seed={config['seed']}: "
    if gap is None:
        return head + f"{new['status']} here, {old['status']} in the record that ships"
    numbers = "active {activation_fraction:+.6f}, dead {dead_fraction:+.6f}, loss {loss:+.4%}".format(**gap)
    return head + numbers + f", numerics {numerics(old)} -> {numerics(new)}"


def numerics(entry: Record) -> int:
    """Return the version of the arithmetic (`training.NUMERICS`) with which a record was made.

    Parameters
    ----------
    entry : dict
        A record.

    Returns
    -------
    int
        The version. 1 if the record does not contain a version.
    """
    version: int = entry.get("versions", {}).get("numerics", 1)
    return version


def summary(pairs: list[tuple[Record, Record]]) -> str:
    """Return the largest difference of the activation fraction, and the number of runs that are equal in every digit.

    Parameters
    ----------
    pairs : list of tuple
        Result of `compare`.

    Returns
    -------
    str
        One sentence.
    """
    if not pairs:
        return "none of these runs is among the records that ship"
    gaps = [(gap, new) for new, old in pairs if (gap := difference(new, old))]
    changed = sum(new["status"] != old["status"] for new, old in pairs)
    equal = sum((new["metrics"], new["history"]) == (old["metrics"], old["history"]) for new, old in pairs)
    text = f"{len(pairs)} runs compared, {equal} equal in every digit"
    text += f", {changed} with another outcome" if changed else ""
    if gaps:
        gap, new = max(gaps, key=lambda item: abs(item[0]["activation_fraction"]))
        where = f"{new['model']} sigma^2={new['config']['sigma2']:g} seed={new['config']['seed']}"
        text += f"; largest difference of the activation fraction {gap['activation_fraction']:+.6f} ({where})"
    return text
