"""With which tangent line for SAE's penalty does no run break down? Eq. (13) with several eps, and L1 for comparison.

Question. Eq. (13) is -log(1 - rho). It is defined where the mean code rho is below 1. Codes of ReLU and softplus can exceed
1. So the penalty is replaced by its tangent line above 1 - eps, which has the slope 1 / eps. Does SAE break down because
of Eq. (13), or because of eps?

Rule of decision, written before any result. The default is the smallest eps with which no run of the study breaks down.
The smallest eps is the closest to Eq. (13). L1 is reported beside it and is never the default. `numpy_rae.breakdown` says
when a run breaks down. The chosen eps holds for activations that can exceed 1. Sigmoid keeps 0.001, which it never
reaches.

Each cell starts from the Glorot initialisation. The first projection stretches the Glorot rows to length 1 in one step.
So the cells with unit rows are also started from rows of length 1.
"""

import sys
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS
from numpy_rae.experiments import study, study_rows
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.objectives import sae_continued
from numpy_rae.plotting.style import BLACK, BLUE, GREEN, ORANGE, VERMILION, in_default_style, new_figure
from numpy_rae.registry import OBJECTIVES

EPS = (0.5, 0.1, 0.01, 0.001)
MODELS_SHOWN = (OBJECTIVES["L1"], *(sae_continued(eps) for eps in EPS))
CONTROL = OBJECTIVES["SAE"]
SIGMA2 = (0.04, 0.25, 1.0)
STARTS = (("unit", "glorot"), ("unit", "unit"), ("free", "glorot"))
HEAD = ("data", "activation", "rows", "start", "sigma^2")


def runs(size: Size, data: dict) -> list[Run]:
    """Return the runs: every eps and L1 in every cell, and the default SAE with sigmoid as a control."""
    found = []
    for name, ref in data.items():
        for seed in size.seeds:
            for sigma2 in SIGMA2:
                base = study.config(size, name, seed, sigma2)
                found += [
                    Run(model, activation, ref, replace(base, constraint=rows, start=start))
                    for rows, start in STARTS
                    for activation in (RELU, SOFTPLUS)
                    for model in MODELS_SHOWN
                ]
                found.append(Run(CONTROL, SIGMOID, ref, base))
    return found


def cells(rows: list[dict]) -> list[tuple]:
    """Return (data, activation, rows, start, sigma^2) of the runs with ReLU and softplus, in the order of the table."""
    found = {
        (r["data"], r["activation"], r["constraint"], r["start"], r["sigma2"]) for r in rows if r["model"] != "SAE"
    }
    return sorted(found)


def of_cell(rows: list[dict], cell: tuple, model: str) -> list[dict]:
    """Return the runs of one model in one cell, one for each seed."""
    names = ("data", "activation", "constraint", "start", "sigma2")
    return study_rows.select(rows, model=model, **dict(zip(names, cell, strict=True)))


def continued(rows: list[dict], model: str) -> int:
    """Return the number of pairs (update, unit) beyond 1 - eps in all runs of a model."""
    return int(study_rows.values(study_rows.select(rows, model=model), "n_extrapolated").sum())


def broken(rows: list[dict]) -> int:
    """Return the number of runs that broke down."""
    return sum(bool(row["broken"]) for row in rows)


def summary(rows: list[dict]) -> str:
    """Return one line for each model (broken runs, peaks, dead units, pairs beyond 1 - eps) and the rule's choice."""
    shown = [model.name for model in MODELS_SHOWN if study_rows.select(rows, model=model.name)]
    lines = []
    for name in shown:
        its = study_rows.select(rows, model=name)
        dead = study_rows.values(its, "dead")
        worst = f"{dead.max():.3f}" if len(dead) else "-"
        peaks = study_rows.values(its, "peak")
        peak = f"{peaks.max():.3g}" if len(peaks) else "-"
        lines.append((name, len(its), broken(its), peak, worst, f"{continued(rows, name):,}"))
    table = study_rows.text_table(
        ("model", "runs", "broken down", "largest peak / E||x||^2", "largest dead share", "pairs beyond 1 - eps"), lines
    )
    return f"{table}\n\n{decision(rows)}"


def decision(rows: list[dict]) -> str:
    """Apply the rule in the docstring of this script."""
    safe = [eps for eps in EPS if (its := study_rows.select(rows, model=f"SAE(eps={eps:g})")) and not broken(its)]
    chosen = f"eps = {min(safe):g}" if safe else "no eps of this study"
    control = study_rows.select(rows, model=CONTROL.name)
    used = continued(rows, CONTROL.name)
    return f"the rule chooses: {chosen}\nsigmoid with eps = 0.001: {used} pairs beyond 1 - eps in {len(control)} runs"


def table(rows: list[dict]) -> str:
    """Return the table: mean activation fraction, share of dead units and broken runs of each cell and model."""
    lines = []
    for cell in cells(rows):
        texts = [one_cell(of_cell(rows, cell, model.name)) for model in MODELS_SHOWN]
        lines.append((*cell[:4], f"{cell[4]:g}", *texts))
    head = (*HEAD, *(model.name for model in MODELS_SHOWN))
    legend = "activation fraction / dead units, means over the seeds; xK: K of the runs broke down"
    return f"{study_rows.text_table(head, lines)}\n{legend}\n\n{summary(rows)}"


def one_cell(its: list[dict]) -> str:
    """Return the text of one cell."""
    if not its:
        return "-"
    count = f" x{broken(its)}" if broken(its) else ""
    if not len(study_rows.values(its, "fraction")):
        return f"diverged{count}"
    return f"{study_rows.values(its, 'fraction').mean():.3f}/{study_rows.values(its, 'dead').mean():.3f}{count}"


@in_default_style
def picture(rows: list[dict]) -> Figure:
    """Draw the activation fraction against sigma^2, one panel for each data set, activation and kind of rows."""
    data, activations = study_rows.levels(rows, "data"), ("relu", "softplus")
    figure = new_figure(4 * len(data) * 2, 9)
    axes = figure.subplots(len(STARTS), len(data) * 2, sharex=True, sharey=True, squeeze=False)
    columns = [(d, a) for d in data for a in activations]
    for line, (constraint, start) in zip(axes, STARTS, strict=True):
        for ax, (d, a) in zip(line, columns, strict=True):
            draw_panel(ax, study_rows.select(rows, data=d, activation=a, constraint=constraint, start=start))
            ax.set_title(f"{d}, {a}, {constraint} rows, {start} start", fontsize=10)
    for ax in axes[-1]:
        ax.set_xlabel(r"$\sigma^2$")
    for ax in axes[:, 0]:
        ax.set_ylabel("activation fraction, Eq. (14)")
    handles, names = axes[0, 0].get_legend_handles_labels()
    names = [f"{name}: {continued(rows, name):,}" for name in names]
    title = "pairs (update, unit) beyond 1 - eps, over all runs"
    figure.legend(handles, names, title=title, loc="outside lower center", ncols=len(names), frameon=False)
    figure.suptitle(
        "SAE's penalty continued beyond 1 - eps; the bars span the seeds, a cross marks runs that broke down"
    )
    return figure


LOOKS = ((BLACK, "*"), (BLUE, "s"), (GREEN, "D"), (ORANGE, "^"), (VERMILION, "o"))


def draw_panel(ax, rows: list[dict]) -> None:
    """Draw one line for each model, slightly shifted. Broken runs are drawn at their final value, or at 0."""
    for position, (model, (color, marker)) in enumerate(zip(MODELS_SHOWN, LOOKS, strict=True)):
        its = study_rows.select(rows, model=model.name)
        shift = 1 + 0.06 * (position - 2)
        sound = [(s, study_rows.values(study_rows.select(its, sigma2=s, broken=False), "fraction")) for s in SIGMA2]
        sound = [(s * shift, found) for s, found in sound if len(found)]
        ax.plot([], [], color=color, marker=marker, label=model.name)
        if sound:
            mean = np.array([found.mean() for _, found in sound])
            low = mean - [found.min() for _, found in sound]
            high = [found.max() for _, found in sound] - mean
            ax.errorbar([s for s, _ in sound], mean, (low, high), color=color, marker=marker, ms=5, lw=1.2, capsize=2)
        bad = study_rows.select(its, broken=True)
        at = [row["fraction"] or 0 for row in bad]
        ax.plot([row["sigma2"] * shift for row in bad], at, "x", color=color, ms=9, mew=2)
    ax.set(xscale="log", ylim=(-0.05, 1.05))
    ax.set_xticks(SIGMA2, [f"{s:g}" for s in SIGMA2])
    ax.minorticks_off()
    ax.grid(alpha=0.25)


STUDY = Study("continuation", __doc__, study.presets(3), runs, table, picture)


def main(argv=None):
    return study.main(STUDY, argv)


if __name__ == "__main__":
    sys.exit(main())
