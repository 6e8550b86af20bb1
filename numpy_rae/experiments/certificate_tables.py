"""Markdown tables that compare the certificates with the results of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.certificates import training_outcome
from numpy_rae.certificates.certificate import Certificate
from numpy_rae.certificates.training_outcome import Row
from numpy_rae.experiments.records import Record
from numpy_rae.plotting.certificate_grid import LOOKS, SHORT


def rows(
    records: Sequence[Record], activations: Sequence[Activation], certificates: Sequence[Certificate]
) -> list[Row]:
    """Return a row for each data set, activation and penalty.

    Parameters
    ----------
    records : sequence of dict
        The records of `certificate_runs.run`.
    activations : sequence of Activation
        The activations.
    certificates : sequence of Certificate
        The certificate of each pair.

    Returns
    -------
    list of Row
        One row with the prediction and the outcome for each pair.
    """
    result: list[Row] = []
    for data in dict.fromkeys(entry["data"] for entry in records):
        for s_e in activations:
            mine = [entry for entry in records if (entry["data"], entry["activation"]) == (data, s_e.name)]
            verdicts = [verdict for verdict in certificates if verdict.activation == s_e.name]
            result += _of_activation(mine, s_e, verdicts)
    return result


def _of_activation(records: list[Record], s_e: Activation, certificates: list[Certificate]) -> list[Row]:
    """Return the rows of one activation on one data set. They all use the same training length."""
    sweeps = {
        penalty: training_outcome.collect_sweep([entry for entry in records if entry["model"] in ("AE", penalty)])
        for penalty in dict.fromkeys(entry["model"] for entry in records if entry["model"] != "AE")
    }
    at = training_outcome.decision_length(list(sweeps.values()))
    result = []
    for verdict in certificates:
        sweep = sweeps.get(verdict.penalty)
        found = training_outcome.outcome(sweep, at) if sweep else training_outcome.REFUSED
        result.append(Row(verdict, s_e, records[0]["data"], records[0]["eta"], sweep, at, found))
    return result


def table(rows: Sequence[Row]) -> str:
    """Return the table of predictions and outcomes.

    It has the numbers at lambda = 0 and at the largest lambda without a breakdown.

    Parameters
    ----------
    rows : sequence of Row
        The rows, see `rows`.

    Returns
    -------
    str
        A table in Markdown, one line for each activation and penalty.
    """
    data = list(dict.fromkeys(row.data for row in rows))
    head = ["activation", "penalty", "prediction"]
    for name in data:
        head += [f"on {name}", "A, lambda 0 -> largest", "near zero", f"verdict, {name}"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for first, *others in zip(*([row for row in rows if row.data == name] for name in data), strict=True):
        verdict = first.certificate
        cells = [verdict.activation, verdict.penalty, verdict.prediction]
        for row in (first, *others):
            cells += [row.outcome, active(row), _near_zero(row), _bold(row.agreement)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _bold(agreement: str) -> str:
    """Return the agreement, bold if the prediction is refuted."""
    return f"**{agreement}**" if agreement == training_outcome.REFUTED else agreement


def ends(row: Row, values: Array) -> tuple[float, float]:
    """Return the means over the seeds at the row's length.

    Parameters
    ----------
    row : Row
        One pair on one data set. Its training length is used.
    values : ndarray, shape (T, S, K)
        A quantity for each length, seed and lambda.

    Returns
    -------
    float, float
        At lambda = 0, and at the largest lambda.
    """
    mean = values[row.at].mean(axis=0)
    return float(mean[0]), float(mean[-1])


def active(row: Row) -> str:
    """Return the activation fraction, the share of dead units if it is not 0, and the lambdas that are left out.

    Parameters
    ----------
    row : Row
        One pair on one data set.

    Returns
    -------
    str
        At lambda = 0, and at the largest lambda without a breakdown.
    """
    if row.sweep is None:
        return "-"
    text = ""
    if row.sweep.comparable:
        dead = ends(row, row.sweep.dead)[1]
        text = "{:.3f} -> {:.3f}".format(*ends(row, row.sweep.fraction)) + (f", {dead:.2f} dead" if dead > 0.01 else "")
    broken = ", ".join(f"{lam:g}" for lam in row.sweep.broken)
    return text + (f" (breaks down at {broken})" if broken else "")


def _near_zero(row: Row) -> str:
    """Return the share of |h| <= delta_min, for activations with negative values only.

    For other activations, this share is 1 minus the activation fraction.
    """
    if row.sweep is None or not row.sweep.comparable or row.activation.non_negative:
        return "-"
    return "{:.3f} -> {:.3f}".format(*ends(row, row.sweep.near_zero))


def lengths(rows: Sequence[Row]) -> str:
    """Return the table of delta_min, learning rate and training length.

    Parameters
    ----------
    rows : sequence of Row
        The rows, see `rows`.

    Returns
    -------
    str
        A table in Markdown, one line for each activation.
    """
    data = list(dict.fromkeys(row.data for row in rows))
    head = ["activation", "delta_min", *(f"{name}: eta, updates, runs converged" for name in data)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for s_e in dict.fromkeys(row.activation for row in rows):
        cells = [_training([row for row in rows if (row.activation, row.data) == (s_e, name)]) for name in data]
        lines.append(f"| {s_e.name} | {s_e.delta_min:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _training(rows: Sequence[Row]) -> str:
    """Return eta, the training length and the number of converged runs of one activation on one data set.

    Runs at a lambda that broke down are not counted. The runs at lambda = 0 are counted once.
    """
    kept = [(row.sweep, row.at) for row in rows if row.sweep and row.sweep.comparable]
    if not kept:
        return f"{rows[0].eta:g}, -"
    parts = [sweep.converged[at] for sweep, at in kept]
    calm = np.concatenate([parts[0][:, :1], *(part[:, 1:] for part in parts)], axis=1)
    first, at = kept[0]
    return f"{rows[0].eta:g}, {first.steps[at]:,}, {calm.sum()} of {calm.size}"


def tally(rows: Sequence[Row]) -> str:
    """Return the number of pairs with each prediction and outcome, for each data set.

    Parameters
    ----------
    rows : sequence of Row
        The rows, see `rows`.

    Returns
    -------
    str
        A table in Markdown.
    """
    lines = ["| data | prediction | pairs | outcomes |", "|---|---|---|---|"]
    for data in dict.fromkeys(row.data for row in rows):
        for prediction in SHORT:
            seen = [row.outcome for row in rows if (row.data, row.certificate.prediction) == (data, prediction)]
            counts = ", ".join(f"{name} {seen.count(name)}" for name in LOOKS if name in seen)
            lines.append(f"| {data} | {prediction} | {len(seen)} | {counts or '-'} |")
    return "\n".join(lines)
