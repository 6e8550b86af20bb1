"""Show records as text: tables, differences between models, one-line summaries."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import numpy as np

from numpy_rae.breakdown import finished_broken
from numpy_rae.experiments.protocol import Protocol
from numpy_rae.experiments.records import Record, latest
from numpy_rae.plotting import model_curves

PAPER_UPDATES = 50_000
# The mark of a mean from which a run is missing because it failed.
FAILED = "!"
LEGEND = (
    "!: a run diverged or broke down; the mean is over the other runs, or over the broken ones if there are no others"
)


def one_line(entry: Record) -> str:
    """Return a short description of a record, in one line.

    Parameters
    ----------
    entry : dict
        The record.

    Returns
    -------
    str
        The model and sigma^2, and the final metrics or the step at which the run diverged.
    """
    head = f"{entry['model']} sigma^2={entry['config']['sigma2']:g}: "
    if entry["status"] != "ok":
        last = entry["last_finite_objective"]
        return head + f"diverged at step {entry['diverged_at_step']}, last finite objective {last and f'{last:.3g}'}"
    return head + "active {activation_fraction:.3f}, dead {dead_fraction:.3f}".format(**entry["metrics"])


def length_note(protocol: Protocol, records: Iterable[Record]) -> str:
    """Return a note that compares the length of the runs with the paper, and says if they are too short for the effect.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    records : iterable of dict
        Its records, at least one.

    Returns
    -------
    str
        The note. "" if the runs are as long as in the paper.
    """
    steps = max(entry["steps"] for entry in records)
    note = f"{steps:,} updates per run; the paper has {PAPER_UPDATES:,}"
    if steps < protocol.shows_at:
        note += f". TOO SHORT for the effect, which needs about {protocol.shows_at:,}"
    return note if steps != PAPER_UPDATES else ""


def chosen(entries: Iterable[Record], args: argparse.Namespace) -> list[Record]:
    """Return the stored records that the command line selects.

    Parameters
    ----------
    entries : iterable of dict
        The records in the order of their file.
    args : Namespace
        The options.

    Returns
    -------
    list of dict
        The records. If a run was trained twice, only the later record. "AE" does not depend on sigma^2, so its run at
        0 is selected for every sigma^2.
    """
    plain = "AE" in args.models
    return latest(
        entry
        for entry in entries
        if any(model_curves.belongs(entry, model) for model in args.models)
        and (args.sigma2 is None or entry["config"]["sigma2"] in args.sigma2 or (plain and entry["model"] == "AE"))
        and (args.seeds is None or entry["config"]["seed"] in args.seeds)
    )


def table(records: list[Record], models: list[str]) -> str:
    """Return a table of "activation fraction / dead fraction", means over the seeds.

    Parameters
    ----------
    records : list of dict
        The records.
    models : list of str
        The columns.

    Returns
    -------
    str
        One row for each sigma^2, with "-" where no run is stored.
    """
    cells = _summary_cells(records, models)
    rows = sorted({entry["config"]["sigma2"] for entry in records})
    width = 2 + max(12, *map(len, models))
    lines = ["sigma^2  " + "".join(f"{model:>{width}}" for model in models)]
    for sigma2 in rows:
        lines.append(f"{sigma2:<9g}" + "".join(f"{cells.get((sigma2, model), '-'):>{width}}" for model in models))
    return "\n".join(["", "average activation fraction / dead units", *lines, *_legend(cells), ""])


def markdown(records: list[Record], models: list[str]) -> str:
    """Return the same table as Markdown, for notebooks.

    Parameters
    ----------
    records : list of dict
        The records.
    models : list of str
        The columns.

    Returns
    -------
    str
        One row for each sigma^2, with "-" where no run is stored.
    """
    cells = _summary_cells(records, models)
    lines = [f"| sigma^2 | {' | '.join(models)} |", f"|---|{'---|' * len(models)}"]
    for sigma2 in sorted({entry["config"]["sigma2"] for entry in records}):
        lines.append(f"| {sigma2:g} | {' | '.join(cells.get((sigma2, model), '-') for model in models)} |")
    return "\n".join([*lines, *(f"\n{line}" for line in _legend(cells))])


def _summary_cells(records: list[Record], models: list[str]) -> dict[tuple[float, str], str]:
    """Return the cells of the table by (sigma^2, model)."""
    groups: dict[tuple[float, str], list[Record]] = {}
    for model in models:
        for entry in model_curves.of_model(records, model):
            groups.setdefault((entry["config"]["sigma2"], model), []).append(entry)
    return {key: _cell(entries) for key, entries in groups.items()}


def _cell(entries: list[Record]) -> str:
    """Return "activation fraction/dead fraction", with a mark if a run failed, or "diverged" if no run finished.

    As in the figures, runs that broke down are not part of the mean, except if there are no others.
    """
    finished = [entry["metrics"] for entry in entries if entry["status"] == "ok"]
    sound = [entry["metrics"] for entry in entries if entry["status"] == "ok" and not finished_broken(entry)]
    if not finished:
        return "diverged"
    active, dead = (
        float(np.mean([each[key] for each in sound or finished])) for key in ("activation_fraction", "dead_fraction")
    )
    return f"{active:.3f}/{dead:.3f}{FAILED if len(sound) < len(entries) else ''}"


def _legend(cells: dict[tuple[float, str], str]) -> list[str]:
    """Return the line that explains the mark, if it is used."""
    return [LEGEND] if any(cell.endswith(FAILED) for cell in cells.values()) else []


def paired(records: list[Record], models: list[str], reference: str) -> str:
    """Return the difference of the activation fraction between each model and the reference model with the same seed.

    Parameters
    ----------
    records : list of dict
        The records.
    models : list of str
        The models that are compared.
    reference : str
        The reference model.

    Returns
    -------
    str
        Mean and deviation over the seeds, one line for each model and sigma^2.
    """
    value = {
        (entry["model"], entry["config"]["sigma2"], entry["config"]["seed"]): entry["metrics"]["activation_fraction"]
        for entry in records
        if entry["status"] == "ok"
    }
    lines = [f"activation fraction minus {reference}'s, the same seed: mean +- deviation (seeds)"]
    for model in models:
        for sigma2 in sorted({s for m, s, _ in value if m == model != reference}):
            gaps = [
                mine - value[reference, s, seed]
                for (m, s, seed), mine in value.items()
                if (m, s) == (model, sigma2) and (reference, s, seed) in value
            ]
            if gaps:
                lines.append(f"{model:>16} {sigma2:<6g} {np.mean(gaps):+.4f} +- {np.std(gaps):.4f} ({len(gaps)})")
    return "\n".join([*lines, ""])
