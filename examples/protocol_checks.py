"""Two remarks of the paper without a figure: the offset in MNIST's standardisation, and CAE+H beside CAE.

Questions. The paper adds 0.1 to the standard deviations of MNIST's pixels. What happens without this offset? The paper also
says that CAE+H should be as sparse as CAE. Do both have the same activation fraction?

Rule of decision, written before any result. `claims.py` applies both parts.

- The offset is needed for a model if, without it, every run breaks down or has more than half of its units silent on 1,000
  samples.
- CAE+H is like CAE if the mean difference of their activation fractions is at most 0.01 in size at every sigma^2.

All runs have digits and unit rows. The runs without the offset have ReLU and sigma^2 = 0.25. The runs of CAE+H have ReLU and
softplus, and sigma^2 = 0.25 and 1.
"""

import sys
from dataclasses import replace

from matplotlib.figure import Figure

from numpy_rae.activations import RELU, SOFTPLUS
from numpy_rae.data.prepared import prepare
from numpy_rae.experiments import study, study_rows
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.plotting.style import BLACK, BLUE, in_default_style, new_figure
from numpy_rae.registry import OBJECTIVES

SIGMA2 = (0.25, 1.0)
WITHOUT = ("AE", "DAE", "CAE", "mDAE", "SAE")
BESIDE = {"CAE": (BLUE, "s"), "CAE+H": (BLACK, "*")}


def runs(size: Size, data: dict) -> list[Run]:
    """Five models without the offset; AE, CAE and CAE+H with it."""
    digits, found = data["digits"], []
    raw = prepare(replace(digits.spec, std_offset=0.0))
    for seed in size.seeds:
        config = study.config(size, "digits", seed, SIGMA2[0])
        plain = replace(config, sigma2=0.0)
        found += [Run(OBJECTIVES[name], RELU, raw, plain if name == "AE" else config) for name in WITHOUT]
        for activation in (RELU, SOFTPLUS):
            found.append(Run(OBJECTIVES["AE"], activation, digits, plain))
            found += [
                Run(OBJECTIVES[name], activation, digits, replace(config, sigma2=sigma2))
                for name in BESIDE
                for sigma2 in SIGMA2
            ]
    return found


def standardised(rows: list[dict]) -> list[dict]:
    """The rows with the offset: E||x||^2 is the number of pixels that vary without it, and smaller with it."""
    least = min(row["mean_square"] for row in rows)
    return [row for row in rows if row["mean_square"] == least]


def table(rows: list[dict]) -> str:
    """One line for each model and sigma^2, with and without the offset."""
    usual, lines = standardised(rows), []
    for offset, its in (("without", [row for row in rows if row not in usual]), ("with", usual)):
        for activation in study_rows.levels(its, "activation"):
            for model in study_rows.levels(its, "model"):
                for sigma2 in SIGMA2 if model != "AE" else (0.0,):
                    cell = study_rows.select(its, activation=activation, model=model, sigma2=sigma2)
                    if cell:
                        shown = [
                            study_rows.mean_and_deviation(study_rows.values(cell, name))
                            for name in ("fraction", "dead")
                        ]
                        broken = sum(bool(row["broken"]) for row in cell)
                        lines.append((offset, activation, model, f"{sigma2:g}", len(cell), *shown, broken))
    head = ("offset", "activation", "model", "sigma^2", "seeds", "activation fraction", "dead units", "broken down")
    return study_rows.text_table(head, lines)


@in_default_style
def picture(rows: list[dict]) -> Figure:
    """Left: dead units without the offset. Right: the activation fractions of CAE and CAE+H."""
    usual = standardised(rows)
    raw = [row for row in rows if row not in usual]
    figure = new_figure(10, 4)
    left, *axes = figure.subplots(1, 3)
    names = [name for name in WITHOUT if study_rows.select(raw, model=name)]
    left.plot([names.index(row["model"]) for row in raw], [row["dead"] or 0 for row in raw], "o", mfc="none")
    left.set_xticks(range(len(names)), names)
    left.set(title="no offset", ylabel="dead units", ylim=(-0.03, 1.03))
    for ax, activation in zip(axes, ("relu", "softplus"), strict=True):
        its = study_rows.select(usual, activation=activation)
        for name, (color, marker) in BESIDE.items():
            cell = [*study_rows.select(its, model="AE"), *study_rows.select(its, model=name)]
            at, values = [row["sigma2"] for row in cell], [row["fraction"] for row in cell]
            ax.plot(at, values, marker, color=color, mfc="none", label=name)
        ax.set(title=activation, xlabel=r"$\sigma^2$", ylabel="activation fraction, Eq. (14)")
        ax.legend(frameon=False)
    return figure


STUDY = Study("protocol_checks", __doc__, study.presets(3), runs, table, picture, data=("digits",))


def main(argv=None):
    return study.main(STUDY, argv)


if __name__ == "__main__":
    sys.exit(main())
