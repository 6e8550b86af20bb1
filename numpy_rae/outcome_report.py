"""Certificates and what training made of them, side by side: Markdown tables and one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from numpy_rae import certificate, outcome
from numpy_rae.activations import Activation
from numpy_rae.certificate import Certificate
from numpy_rae.figures import in_default_style, new_figure
from numpy_rae.outcome import Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette, with letters and hatches, so that colour alone carries nothing.
LOOKS = {
    outcome.SPARSER: ("#0072B2", "S", ""),
    outcome.UNAFFECTED: ("#DDDDDD", "=", ""),
    outcome.DENSER: ("#D55E00", "D", ""),
    outcome.MIXED: ("#CC79A7", "M", ""),
    outcome.INCONCLUSIVE: ("#FFFFFF", "?", "//"),
    outcome.DIVERGED: ("#FFFFFF", "X", "xx"),
    outcome.REFUSED: ("#FFFFFF", "", ""),
}
SHORT = {certificate.SPARSER: "S", certificate.UNAFFECTED: "=", certificate.UNDETERMINED: ""}


class Row(NamedTuple):
    """One pair on one data set; `sweep` is None if the penalty refuses the activation, `at` the index of the length."""

    certificate: Certificate
    activation: Activation
    data: str
    eta: float
    sweep: Sweep | None
    at: int
    outcome: str

    @property
    def agreement(self) -> str:
        return outcome.agreement(self.certificate.prediction, self.outcome)


def rows(records: Sequence[dict], activations: Sequence[Activation], certificates: Sequence[Certificate]) -> list[Row]:
    """A row for each data set, activation and penalty, from the records of `trials.run`."""
    result = []
    for data in dict.fromkeys(entry["data"] for entry in records):
        for s_e in activations:
            mine = [entry for entry in records if (entry["data"], entry["activation"]) == (data, s_e.name)]
            verdicts = [verdict for verdict in certificates if verdict.activation == s_e.name]
            result += of_activation(mine, s_e, verdicts)
    return result


def of_activation(records: list[dict], s_e: Activation, certificates: list[Certificate]) -> list[Row]:
    """The rows of one activation on one data set, which have one length."""
    sweeps = {
        penalty: outcome.gather([entry for entry in records if entry["model"] in ("AE", penalty)])
        for penalty in dict.fromkeys(entry["model"] for entry in records if entry["model"] != "AE")
    }
    at = outcome.length(list(sweeps.values()))
    result = []
    for verdict in certificates:
        sweep = sweeps.get(verdict.penalty)
        found = outcome.outcome(sweep, at) if sweep else outcome.REFUSED
        result.append(Row(verdict, s_e, records[0]["data"], records[0]["eta"], sweep, at, found))
    return result


def table(rows: Sequence[Row]) -> str:
    """Prediction and outcome side by side, with the numbers at lambda = 0 and at the largest lambda that held."""
    data = list(dict.fromkeys(row.data for row in rows))
    head = ["activation", "penalty", "prediction"]
    for name in data:
        head += [f"on {name}", "active, lambda 0 -> largest", "near zero", ""]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for first, *others in zip(*([row for row in rows if row.data == name] for name in data), strict=True):
        verdict = first.certificate
        cells = [verdict.activation, verdict.penalty, verdict.prediction]
        for row in (first, *others):
            cells += [row.outcome, active(row), near_zero(row), bold(row.agreement)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def bold(agreement: str) -> str:
    return f"**{agreement}**" if agreement == outcome.MISS else agreement


def ends(row: Row, values: np.ndarray) -> tuple[float, float]:
    """Means over the seeds of (T, S, K) at the row's length: lambda = 0 and the largest lambda."""
    mean = values[row.at].mean(axis=0)
    return float(mean[0]), float(mean[-1])


def active(row: Row) -> str:
    """Activation fraction, with the dead units if there are any, and the lambdas left out."""
    if row.sweep is None:
        return "-"
    text = ""
    if row.sweep.comparable:
        dead = ends(row, row.sweep.dead)[1]
        text = "{:.3f} -> {:.3f}".format(*ends(row, row.sweep.fraction)) + (f", {dead:.2f} dead" if dead > 0.01 else "")
    broken = ", ".join(f"{lam:g}" for lam in row.sweep.broken)
    return text + (f" (breaks down at {broken})" if broken else "")


def near_zero(row: Row) -> str:
    """The share of |h| <= delta_min of a signed activation; of the others it is 1 - the fraction."""
    if row.sweep is None or not row.sweep.comparable or row.activation.non_negative:
        return "-"
    return "{:.3f} -> {:.3f}".format(*ends(row, row.sweep.near_zero))


def lengths(rows: Sequence[Row]) -> str:
    """delta_min, learning rate and length of training, a line for each activation."""
    data = list(dict.fromkeys(row.data for row in rows))
    head = ["activation", "delta_min", *(f"{name}: eta, updates, runs converged" for name in data)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for s_e in dict.fromkeys(row.activation for row in rows):
        cells = [training([row for row in rows if (row.activation, row.data) == (s_e, name)]) for name in data]
        lines.append(f"| {s_e.name} | {s_e.delta_min:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def training(rows: Sequence[Row]) -> str:
    """Of one activation on one data set; the runs are those of the lambdas that did not break down, lambda = 0 once."""
    kept = [row for row in rows if row.sweep and row.sweep.comparable]
    if not kept:
        return f"{rows[0].eta:g}, -"
    calm = [row.sweep.converged[row.at] for row in kept]
    calm = np.concatenate([calm[0][:, :1], *(part[:, 1:] for part in calm)], axis=1)
    return f"{rows[0].eta:g}, {kept[0].sweep.steps[kept[0].at]:,}, {calm.sum()} of {calm.size}"


def tally(rows: Sequence[Row]) -> str:
    """How often each prediction met each outcome, by data set."""
    lines = ["| data | prediction | pairs | outcomes |", "|---|---|---|---|"]
    for data in dict.fromkeys(row.data for row in rows):
        for prediction in SHORT:
            seen = [row.outcome for row in rows if (row.data, row.certificate.prediction) == (data, prediction)]
            counts = ", ".join(f"{name} {seen.count(name)}" for name in LOOKS if name in seen)
            lines.append(f"| {data} | {prediction} | {len(seen)} | {counts or '-'} |")
    return "\n".join(lines)


@in_default_style
def picture(rows: Sequence[Row]) -> Figure:
    """A panel for each data set: the prediction's letter small, the outcome's large and coloured, misses framed."""
    from matplotlib.patches import Patch

    data = list(dict.fromkeys(row.data for row in rows))
    activations = list(dict.fromkeys(row.certificate.activation for row in rows))
    penalties = list(dict.fromkeys(row.certificate.penalty for row in rows))
    figure = new_figure(1.5 + 3.6 * len(data), 1.6 + 0.38 * len(activations))
    axes = figure.subplots(1, len(data), sharey=True, squeeze=False)
    for ax, name in zip(axes[0], data, strict=True):
        for row in (row for row in rows if row.data == name):
            cell(ax, penalties.index(row.certificate.penalty), activations.index(row.certificate.activation), row)
        ax.set(xlim=(0, len(penalties)), ylim=(len(activations), 0), title=name)
        ax.set_xticks(np.arange(len(penalties)) + 0.5, penalties)
        ax.set_yticks(np.arange(len(activations)) + 0.5, activations)
        ax.tick_params(length=0)
    shown = [name for name in LOOKS if name != outcome.REFUSED and any(row.outcome == name for row in rows)]
    keys = [Patch(fc=LOOKS[s][0], hatch=LOOKS[s][2], ec="#777777", label=f"{LOOKS[s][1]}  {s}") for s in shown]
    keys.append(Patch(fc="none", ec="black", lw=2, label="a miss; small letter: the prediction"))
    figure.legend(handles=keys, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle("What lambda did to the activation fraction, and what the certificate said")
    return figure


def cell(ax, column: int, line: int, row: Row) -> None:
    from matplotlib.patches import Rectangle

    color, letter, hatch = LOOKS[row.outcome]
    missed = row.agreement == outcome.MISS
    edge = {"ec": "black", "lw": 2.5, "zorder": 3} if missed else {"ec": "#777777", "lw": 0.5}
    ax.add_patch(Rectangle((column, line), 1, 1, fc=color, hatch=hatch, **edge))
    ink = "white" if row.outcome == outcome.SPARSER else "black"
    box = {"boxstyle": "square,pad=0.1", "fc": "white", "lw": 0} if hatch else None
    ax.text(column + 0.55, line + 0.5, letter, ha="center", va="center", color=ink, fontsize=12, zorder=4, bbox=box)
    small = SHORT[row.certificate.prediction]
    ax.text(column + 0.14, line + 0.3, small, ha="center", va="center", color=ink, fontsize=7, zorder=4)
