"""The records of a study as flat rows, and what tables and pictures select from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.breakdown import broken_down
from numpy_rae.experiments.records import Record
from numpy_rae.train_config import TrainConfig

if TYPE_CHECKING:
    pass

Row: TypeAlias = dict[str, Any]


def row(entry: Record) -> Row:
    """Return a record as one flat row: what was varied, the final metrics, and how the run went.

    Parameters
    ----------
    entry : dict
        A record.

    Returns
    -------
    dict
        The row. The metrics of a run that diverged are None. "data" is "digits" or "patches".
    """
    source, metrics = entry["data"]["source"], entry["metrics"] or {}
    mean_square = entry.get("mean_square")
    return {
        **{name: entry[name] for name in ("model", "activation", "status", "n_extrapolated")},
        **{name: getattr(TrainConfig, name) for name in ("velocity", "start")},
        **entry["config"],
        "data": "digits" if source in ("digits", "mnist") else "patches",
        "source": source,
        "steps": entry["steps"],
        "mean_square": mean_square,
        "fraction": metrics.get("activation_fraction"),
        "dead": metrics.get("dead_fraction"),
        "loss": metrics.get("loss"),
        "peak": entry["peak_objective"] and mean_square and entry["peak_objective"] / mean_square,
        "broken": broken_down(entry) if mean_square or entry["status"] == "diverged" else None,
        "seconds": entry["seconds"],
    }


def select(rows: Iterable[Row], **values: Any) -> list[Row]:
    """Return the rows that have all the given values.

    Parameters
    ----------
    rows : iterable of dict
        The rows.
    **values
        Columns and their values.

    Returns
    -------
    list of dict
        The rows.
    """
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def levels(rows: Iterable[Row], name: str) -> list[Any]:
    """Return the values of one column, each once.

    Parameters
    ----------
    rows : iterable of dict
        The rows.
    name : str
        The column.

    Returns
    -------
    list
        Numbers in increasing order, other values in order of appearance.
    """
    found = list(dict.fromkeys(row[name] for row in rows))
    return sorted(found) if all(isinstance(value, (int, float)) for value in found) else found


def values(rows: Iterable[Row], name: str) -> Array:
    """Return one column of the rows that have a value there.

    Parameters
    ----------
    rows : iterable of dict
        The rows.
    name : str
        The column.

    Returns
    -------
    ndarray, shape (k,), float64
        The values.
    """
    return np.array([row[name] for row in rows if row[name] is not None], np.float64)


def mean_and_deviation(found: Array) -> str:
    """Return mean and standard deviation as text.

    Parameters
    ----------
    found : ndarray, shape (k,)
        The values.

    Returns
    -------
    str
        "mean +- standard deviation", the mean alone for one value, "-" for none.
    """
    if not len(found):
        return "-"
    spread = f" +- {found.std(ddof=1):.4f}" if len(found) > 1 else ""
    return f"{found.mean():.4f}{spread}"


def text_table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return the lines as a Markdown table with aligned columns.

    Parameters
    ----------
    header : sequence of str
        The names of the columns.
    lines : iterable of sequences
        The cells.

    Returns
    -------
    str
        The table.
    """
    cells = [[str(cell) for cell in line] for line in (header, *lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    )
