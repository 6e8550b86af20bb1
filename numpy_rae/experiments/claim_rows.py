"""Rows of the stored runs for the decision of claims: every run once, with its length and whether it broke down.

A row is `study_rows.row` of a record with a few more columns. `load_rows` describes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from numpy_rae.breakdown import broken_down, mean_square_of
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET
from numpy_rae.experiments import record_checks, study, study_rows
from numpy_rae.experiments.protocol import FIGURES, PAPER
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.study_rows import Row

# What every run of the protocol has in common.
USUAL = {"hidden": 1000, "batch_size": 50, "momentum": 0.9, "velocity": "classical", "start": "glorot"}
# SAE's default for activations that can exceed 1, under the name that the study of eps gives it.
SAME_MODEL = {"SAE(eps=0.1)": "SAE"}
DATA_NAMES = {source: data for data, source in study.SOURCES.items()}
ONE_RUN = (
    "model", "sigma2", "seed", "source", "samples", "std_offset", "epochs", "activation", "constraint", "tangent",
    "eta", *USUAL,
)  # fmt: skip
SHORT_EPOCHS = {
    (DATA_NAMES[each.source], each.activation, each.constraint): each.sample.epochs
    for group in FIGURES.values()
    for each in group
}


def load_rows(folder: Path, names: Iterable[str]) -> list[Row]:
    """Return the rows of results files, every run once: of equal runs, the one in the first file.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    names : iterable of str
        Their names without the suffix. A file that does not exist has no rows.

    Returns
    -------
    list of dict
        `study_rows.row` of every record, and more: "length" is "short", "long" or None for other lengths. "silent" is
        the share of units that are active on none of the 1,000 samples of the history. "std_offset" is that of the
        data. "settling" is the change of the activation fraction in the last ten epochs, None in shorter runs.

    Raises
    ------
    StoreError
        If a file cannot be read, or if it is not a sweep's.
    """
    found: dict[str, Record] = {}
    for name in names:
        for entry in record_checks.load_records(folder / f"{name}.jsonl"):
            found.setdefault(entry["hash"], entry)
    scales = {entry["data"]["sha256"]: entry["mean_square"] for entry in found.values() if entry.get("mean_square")}
    rows = [_row(entry, scales) for entry in found.values()]
    return list({tuple(row[name] for name in ONE_RUN): row for row in reversed(rows)}.values())[::-1]


def _row(entry: Record, scales: dict[str, float]) -> Row:
    """Return the row of one record; E||x||^2 of a record without it is that of another record with the same data."""
    row = study_rows.row(entry)
    scale = scales.get(entry["data"].get("sha256")) or mean_square_of(entry)
    judged = scale is not None or entry["status"] == "diverged"
    history = [epoch["activation_fraction"] for epoch in entry["history"]]
    return {
        **row,
        "model": SAME_MODEL.get(row["model"], row["model"]),
        "samples": entry["data"]["count"],
        "broken": broken_down({**entry, "mean_square": scale}) if judged else None,
        "length": _length(entry, row),
        "silent": entry["history"][-1]["dead_fraction"] if entry["history"] else None,
        "std_offset": entry["data"].get("std_offset", 0.0),
        "settling": history[-1] - history[-11] if len(history) > 10 and None not in history else None,
    }


def _length(entry: Record, row: Row) -> str | None:
    """Return whether a run has the length of the paper or of the short preset of its figure."""
    if row["data"] == "digits" and entry["data"].get("std_offset") != MNIST_STD_OFFSET:
        return None
    size = entry["data"]["count"], row["epochs"]
    if size == (PAPER.samples, PAPER.epochs):
        return "long"
    short = SHORT_EPOCHS.get((row["data"], row["activation"], row["constraint"]))
    return "short" if size == (5000, short) else None
