"""Are CAE's ReLU codes dense because of its objective, or because its gradient lacks the Dirac distribution?

Question. For ReLU on unit rows CAE's penalty, Eq. (9), is m times the activation fraction, Eq. (14). Its derivative in b_j
is the density of a_j at 0, which is positive. The batch gradient is 0 (Fn. 1), so training does not see the penalty. This
script trains CAE with a kernel of bandwidth w in place of the Dirac (`numpy_rae.dae_noise.kernel_cae`), and compares it
with plain CAE. The third model is DAE at sigma^2 = lambda / 2. It is an auto-encoder of the corrupted inputs with CAE's
penalty at lambda, and the noise is its kernel (docs/derivations.md, section 19).

Rule of decision, written before any result. "By three deviations" means three standard deviations over the seeds.

1. "CAE does not minimise its own objective" holds at a lambda if the mean of its final objective, J_AE + lambda R, is
   above that of a code with all units dead, E||x||^2, or above that of some bandwidth, by three deviations.
2. "The Dirac makes the code sparse" holds at a lambda if some bandwidth gives an activation fraction below CAE's, by
   three deviations.

The first two panels of the picture show the density: for x ~ N(0, I), where it is known, and for the units of an
auto-encoder on digits.
"""

import sys
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numpy_rae.activations import RELU
from numpy_rae.autoencoder import Params
from numpy_rae.dae_noise.kernel_cae import density_at_zero, kernel_cae
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.experiments import study, study_rows
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.objectives import AE
from numpy_rae.penalties import CAE
from numpy_rae.plotting.style import BLUE, GREY, ORANGE, STYLES, VERMILION, in_default_style, new_figure
from numpy_rae.registry import OBJECTIVES
from numpy_rae.theory.theorem_1 import penalty_bias_gradient
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

LAMBDAS = (0.04, 0.25, 1.0)
BANDWIDTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
KERNELS = [kernel_cae(w) for w in BANDWIDTHS]
LOOKS = dict(zip(LAMBDAS, ((BLUE, "s"), (ORANGE, "^"), (VERMILION, "o")), strict=True))
# For the density: samples of N(0, I), their dimensions, step of the differences; samples and epochs on digits.
DRAWS, DIMENSIONS, STEP = 200_000, 20, 0.1
DIGITS, EPOCHS, UNITS = 2000, 2, 200


def runs(size: Size, data: dict) -> list[Run]:
    """Return the runs: CAE and the kernels at every lambda, DAE at lambda / 2, and the plain auto-encoder."""
    found = []
    for name, ref in data.items():
        for seed in size.seeds:
            found.append(Run(AE, RELU, ref, study.config(size, name, seed, 0.0)))
            for lam in LAMBDAS:
                config = study.config(size, name, seed, lam)
                found += [Run(model, RELU, ref, config) for model in (OBJECTIVES["CAE"], *KERNELS)]
                found.append(Run(OBJECTIVES["DAE"], RELU, ref, study.config(size, name, seed, lam / 2)))
    return found


def cells(rows: list[dict], data: str, lam: float) -> dict[str, list[dict]]:
    """Return the rows of each model at one lambda, by the model's name."""
    at = {"AE": 0.0, "DAE": lam / 2}
    names = ("AE", "CAE", "DAE", *(model.name for model in KERNELS))
    return {name: study_rows.select(rows, data=data, model=name, sigma2=at.get(name, lam)) for name in names}


def objectives(rows: list[dict], lam: float) -> np.ndarray:
    """Return CAE's objective J_AE + lambda m A of finished runs, divided by E||x||^2, its value if all units are dead."""
    finished = [row for row in rows if row["loss"] is not None]
    return np.array([(row["loss"] + lam * row["hidden"] * row["fraction"]) / row["mean_square"] for row in finished])


def table(rows: list[dict]) -> str:
    """Return the text: the densities, the fraction and objective of every model, and the decision."""
    lines = []
    for data in study_rows.levels(rows, "data"):
        for lam in LAMBDAS:
            for name, its in cells(rows, data, lam).items():
                fraction, J = study_rows.values(its, "fraction"), objectives(its, lam)
                broken = sum(bool(row["broken"]) for row in its)
                dead = study_rows.values(its, "dead")
                shown = (study_rows.mean_and_deviation(found) for found in (fraction, dead, J))
                lines.append((data, f"{lam:g}", name, *shown, broken))
    head = ("data", "lambda", "model", "activation fraction", "dead units", "objective / E||x||^2", "broken down")
    legend = "objective: J_AE + lambda m A; a code with all units dead has the value 1. DAE is trained at lambda / 2."
    return "\n\n".join([density_table(), study_rows.text_table(head, lines), legend, decision(rows)])


def decision(rows: list[dict]) -> str:
    """Apply the rule in the docstring of this script to each data set and lambda."""
    lines = []
    for data in study_rows.levels(rows, "data"):
        for lam in LAMBDAS:
            its = cells(rows, data, lam)
            J, A = objectives(its["CAE"], lam), study_rows.values(its["CAE"], "fraction")
            kernels = [its[model.name] for model in KERNELS]
            worse = [one for one in kernels if above(J, objectives(one, lam))]
            sparser = [one for one in kernels if above(A, study_rows.values(one, "fraction"))]
            lines.append((data, f"{lam:g}", answer(above(J, np.ones(len(J)))), len(worse), len(sparser)))
    head = ("data", "lambda", "CAE above the dead code", "bandwidths with a lower objective", "with a lower fraction")
    return f"{study_rows.text_table(head, lines)}\n'above' and 'lower' mean by three deviations over the seeds"


def above(one: np.ndarray, two: np.ndarray) -> bool:
    """Return whether mean(one) exceeds mean(two) by three standard deviations, or by any amount for one seed."""
    if not len(one) or not len(two):
        return False
    spread = np.sqrt(sum(v.var(ddof=1) if len(v) > 1 else 0.0 for v in (one, two)))
    return bool(one.mean() - two.mean() > 3 * spread)


def answer(holds: bool) -> str:
    return "yes" if holds else "no"


@cache
def population() -> np.ndarray:
    """Return b, exact density at 0, difference of P(a > 0) and CAE's batch gradient, for a unit row on N(0, I)."""
    z = np.random.default_rng(0).standard_normal(DRAWS)
    x = np.random.default_rng(1).standard_normal((1000, DIMENSIONS))
    W = np.full((1, DIMENSIONS), DIMENSIONS**-0.5)
    found = []
    for b in np.linspace(-2.5, 2.5, 11):
        exact = np.exp(-b * b / 2) / np.sqrt(2 * np.pi)
        batch = penalty_bias_gradient(CAE, Params(W, np.array([b])), RELU, x)[0]
        found.append((b, exact, difference(z[:, None] + b)[0], batch))
    return np.array(found)


def difference(a: np.ndarray, step: float = STEP) -> np.ndarray:
    """Return (P(a_j + step > 0) - P(a_j - step > 0)) / (2 step), shape (m,), over the samples of a, shape (N, m)."""
    return ((a > -step).mean(axis=0) - (a > step).mean(axis=0)) / (2 * step)


@cache
def units() -> tuple[np.ndarray, np.ndarray]:
    """Return, for each unit of a plain auto-encoder on digits, the difference and the kernel estimate, (m,) each."""
    x = build(DataSpec("digits", DIGITS, std_offset=0.1))
    params = train(x, AE, RELU, TrainConfig(hidden=UNITS, epochs=EPOCHS)).params
    a = (x @ params.W.T + params.b_e).astype(np.float64)
    spread = float(a.std())
    return difference(a, 0.2 * spread), density_at_zero(a, 0.1 * spread).mean(axis=0)


def density_table() -> str:
    lines = [[f"{value:.4f}" for value in line] for line in population()]
    head = ("b", "density of a at 0", "difference of P(a > 0)", "CAE's batch gradient")
    one, two = units()
    text = f"digits, {UNITS} units: mean difference {one.mean():.4f}, mean kernel estimate {two.mean():.4f}, "
    text += f"correlation over the units {np.corrcoef(one, two)[0, 1]:.3f}"
    return f"unit row on N(0, I), {DRAWS:,} draws\n{study_rows.text_table(head, lines)}\n{text}"


@in_default_style
def picture(rows: list[dict]) -> Figure:
    """Draw the densities on the left, and fraction and objective against the bandwidth, one column per data set."""
    data = study_rows.levels(rows, "data")
    figure = new_figure(4.6 * (1 + len(data)), 7.5)
    axes = figure.subplots(2, 1 + len(data))
    draw_population(axes[0, 0])
    draw_units(axes[1, 0])
    for column, name in zip(axes.T[1:], data, strict=True):
        draw_models(column[0], rows, name, lambda its, lam: study_rows.values(its, "fraction"))
        draw_models(column[1], rows, name, objectives)
        column[0].set(title=name, ylabel="activation fraction, Eq. (14)", ylim=(-0.03, 1.03))
        column[1].set(ylabel=r"$(J_{AE} + \lambda m A)\ /\ E\|x\|^2$", yscale="log")
        column[1].axhline(1, color=GREY, lw=1, ls=(0, (1, 1)))
        at = {"xycoords": column[1].get_yaxis_transform(), "textcoords": "offset points"}
        column[1].annotate("all units dead", (0.02, 1), (0, 2), fontsize=8, **at)
    handles, names = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.suptitle("CAE with ReLU on unit rows: the Dirac of the slope, resolved by a kernel of bandwidth w")
    return figure


def draw_population(ax: Axes) -> None:
    b, exact, seen, batch = population().T
    ax.plot(b, exact, color=STYLES["CAE"][0], label=r"density of $a_j$ at 0")
    ax.plot(b, seen, "o", mfc="none", color=STYLES["DAE"][0], label=r"difference of $P(a_j > 0)$")
    ax.plot(b, batch, "--", color="black", label="CAE's batch gradient")
    ax.set(xlabel=r"bias $b_j$", ylabel=r"$dR/db_j$", title=r"unit row, $x \sim N(0, I)$", ylim=(-0.02, 0.56))
    ax.legend(frameon=False, fontsize=8)


def draw_units(ax: Axes) -> None:
    one, two = units()
    ax.plot(one, two, ".", ms=4, color=STYLES["CAE"][0])
    end = 1.05 * max(one.max(), two.max())
    ax.plot([0, end], [0, end], color="black", lw=0.8)
    ax.set(xlabel=r"difference of $P(a_j > 0)$ in $b_j$", ylabel=r"kernel estimate of the density at 0",
           title=f"{UNITS} units on digits")  # fmt: skip


def draw_models(ax: Axes, rows: list[dict], data: str, figures) -> None:
    """Draw one line over the bandwidths for each lambda. CAE and DAE are horizontal lines of the same colour."""
    for lam, (color, marker) in LOOKS.items():
        its = cells(rows, data, lam)
        points = [(w, figures(its[m.name], lam)) for w, m in zip(BANDWIDTHS, KERNELS, strict=True)]
        points = [(w, found) for w, found in points if len(found)]
        label = rf"$\lambda$ = {lam:g}"
        if points:
            w, means = [w for w, _ in points], np.array([found.mean() for _, found in points])
            ax.plot(w, means, color=color, marker=marker, ms=5, label=f"{label}, kernel")
            low, high = [found.min() for _, found in points], [found.max() for _, found in points]
            ax.fill_between(w, low, high, color=color, alpha=0.2, lw=0)
        for name, dash in (("CAE", "--"), ("DAE", ":")):
            if len(found := figures(its[name], lam)):
                text = f"{label}, CAE" if name == "CAE" else rf"DAE at $\lambda / 2$ = {lam / 2:g}"
                ax.axhline(found.mean(), color=color, ls=dash, lw=1.4, label=text)
    ax.set(xscale="log", xlabel="bandwidth w")
    ax.grid(alpha=0.25)


STUDY = Study("dirac", __doc__, study.presets(3), runs, table, picture)


def main(argv=None):
    return study.main(STUDY, argv)


if __name__ == "__main__":
    sys.exit(main())
