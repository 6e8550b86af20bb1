"""Why does eDAE become sparse, although its extra term has mean zero? On which product of the settings does it depend?

Question. eDAE's first-order term averages to zero over the noise, in value and in gradient. DAE's loss has an
expectation with a bias gradient of its own. If eDAE acts through the variance of the gradient noise, then at fixed
eta x updates the fall of its activation fraction below the plain auto-encoder's depends on

    P = eta' sigma^2 / (B K),    eta' = eta / (1 - momentum),

with batch size B and K noise copies of every sample, and vanishes with eta (docs/derivations.md, section 21). DAE's
fall depends on sigma^2 alone.

Rule of decision, written before any result. With a least-squares fit of log(fall) on log eta', log sigma^2, log B
and log K over eDAE's runs whose fall is below half of the plain fraction, "the product P" stands if the exponents are
+1, +1, -1, -1, each within 0.25, or, if they are not 1 in size, if they agree within 0.25 with each other up to their
sign (then the fall is a power of P). "Independent of eta" stands for DAE if its fall at every eta, B, K and momentum
lies within 15 % of the fall at the base setting. Runs with equal P by two different settings are the direct test:
eta / 4 beside 4 copies, and 4 times the batch. With one seed the table has no deviations.

Every setting departs from one base: eta = .001, B = 50, K = 1, momentum .9, sigma^2 = 1. Epochs are chosen so that
eta' x updates is the same in every run.
"""

import sys
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from numpy_rae.activations import RELU
from numpy_rae.dae_noise.gradient_noise import edae_copies
from numpy_rae.dae_noise.noise_variants import Copies
from numpy_rae.experiments import study, study_rows
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.objectives import AE, Objective
from numpy_rae.plotting.style import (
    BLUE,
    GREEN,
    MIDDLE_GREY,
    ORANGE,
    PURPLE,
    STYLES,
    VERMILION,
    in_default_style,
    new_figure,
)
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig

BASE = {"eta": 0.001, "batch_size": 50, "copies": 1, "momentum": 0.9, "sigma2": 1.0}
VARIED = {
    "eta": (0.004, 0.002, 0.001, 0.0005, 0.00025),
    "sigma2": (0.0625, 0.25, 1.0),
    "batch_size": (25, 50, 100, 200),
    "copies": (1, 4, 16),
    "momentum": (0.0, 0.5, 0.9, 0.95),
}
SIGNS = {"eta": 1, "sigma2": 1, "batch_size": -1, "copies": -1}
LABELS = {"eta": r"$\eta$", "sigma2": r"$\sigma^2$", "batch_size": "batch size B", "copies": "copies K",
          "momentum": "momentum"}  # fmt: skip
LOOKS = dict(zip(VARIED, ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "D"), (ORANGE, "v")),
                 strict=True))  # fmt: skip
SIZES = {
    "sample": Size(5000, 1000, {"digits": 20}, tuple(range(5))),
    "tiny": Size(200, 12, {"digits": 4}, (0,), fetch=False),
}
SAME = 0.25
FLAT = 0.15
LEAST = 1e-3  # smaller falls are not drawn on the logarithmic axis


def settings() -> list[dict]:
    """Return the base setting, and every setting that changes one quantity of it."""
    return [BASE] + [
        {**BASE, name: value} for name, values in VARIED.items() for value in values if value != BASE[name]
    ]


def model(kind: str, copies: int) -> Objective:
    """Return eDAE or DAE with this number of noise copies."""
    if copies == 1:
        return OBJECTIVES[kind]
    return edae_copies(copies) if kind == "eDAE" else Objective(f"DAE-{copies}-copies", Copies(copies))


def config(size: Size, seed: int, setting: dict, sigma2: float) -> TrainConfig:
    """Return the configuration of a setting, with the same eta' x updates as in the base.

    With momentum, eta is scaled by (1 - momentum) / (1 - .9), so that eta' and the number of updates stay the same.
    """
    eta = setting["eta"] * (1 - setting["momentum"]) / (1 - BASE["momentum"])
    epochs = size.epochs["digits"] * (BASE["eta"] / setting["eta"]) * (setting["batch_size"] / BASE["batch_size"])
    plain = TrainConfig(sigma2, seed, size.hidden, setting["batch_size"], round(epochs))
    return replace(plain, eta=round(eta, 12), momentum=setting["momentum"])


def runs(size: Size, data: dict) -> list[Run]:
    """Return the plain auto-encoder, eDAE and DAE at every setting. `study` trains equal runs only once."""
    return [
        Run(one, RELU, data["digits"], config(size, seed, setting, sigma2))
        for seed in size.seeds
        for setting in settings()
        for one, sigma2 in (
            (AE, 0.0),
            (model("eDAE", setting["copies"]), setting["sigma2"]),
            (model("DAE", setting["copies"]), setting["sigma2"]),
        )
    ]


def falls(rows: list[dict], kind: str, setting: dict) -> np.ndarray:
    """Return the activation fraction of the plain auto-encoder minus that of `kind`, for each seed."""
    size = Size(0, rows[0]["hidden"], {"digits": base_epochs(rows)}, ())
    wanted = config(size, 0, setting, setting["sigma2"])
    fields = ("batch_size", "epochs", "eta", "momentum")
    same = {name: getattr(wanted, name) for name in fields}
    plain = {row["seed"]: row["fraction"] for row in study_rows.select(rows, model="AE", **same)}
    name = model(kind, setting["copies"]).name
    found = study_rows.select(rows, model=name, sigma2=setting["sigma2"], **same)
    pairs = [(plain.get(row["seed"]), row["fraction"]) for row in found]
    return np.array([one - two for one, two in pairs if one is not None and two is not None])


def base_epochs(rows: list[dict]) -> int:
    """Return the number of epochs of the base setting in these rows."""
    base = {name: BASE[name] for name in ("eta", "batch_size", "momentum")}
    return study_rows.select(rows, **base)[0]["epochs"]


def product(setting: dict) -> float:
    """Return P = eta' sigma^2 / (B K). At every momentum, eta' has the value at the base momentum."""
    eta = setting["eta"] / (1 - BASE["momentum"])
    return eta * setting["sigma2"] / (setting["batch_size"] * setting["copies"])


def exponents(rows: list[dict], kind: str = "eDAE", share: float = 0.5) -> dict[str, tuple[float, float]] | None:
    """Fit the exponent of each quantity and its standard error by least squares on the logarithms.

    Return None if there are too few runs.

    Runs whose fall is above this share of the plain fraction are left out.
    """
    base = study_rows.select(rows, model="AE")
    limit = np.mean([row["fraction"] for row in base if row["fraction"] is not None]) * share
    points = []
    for setting in settings():
        if setting["momentum"] == BASE["momentum"]:
            seen = falls(rows, kind, setting)
            points += [([np.log(setting[name]) for name in SIGNS], np.log(fall)) for fall in seen if 0 < fall < limit]
    if len(points) <= len(SIGNS) + 1:
        return None
    X = np.array([[1.0, *logs] for logs, _ in points])
    y = np.array([fall for _, fall in points])
    solution, _, rank, _ = np.linalg.lstsq(X, y, rcond=None)
    if rank < X.shape[1]:
        return None
    spread = np.square(y - X @ solution).sum() / (len(y) - rank)
    errors = np.sqrt(spread * np.diag(np.linalg.inv(X.T @ X)))
    return {name: (solution[k], errors[k]) for k, name in enumerate(SIGNS, 1)}


def table(rows: list[dict]) -> str:
    lines = []
    for setting in settings():
        what = ", ".join(f"{name}={value:g}" for name, value in setting.items() if value != BASE[name]) or "base"
        shown = (study_rows.mean_and_deviation(falls(rows, kind, setting)) for kind in ("eDAE", "DAE"))
        lines.append((what, f"{1e6 * product(setting):.3g}", *shown))
    head = ("setting", "P x 10^6", "eDAE: fall below AE", "DAE: fall below AE")
    return f"{study_rows.text_table(head, lines)}\n\n{decision(rows)}"


def decision(rows: list[dict]) -> str:
    """Apply the rule in the docstring of this script."""
    fit = exponents(rows)
    if fit is None:
        text = "eDAE: too few runs with a fall for the regression"
    else:
        sizes = np.array([SIGNS[name] * value for name, (value, _) in fit.items()])
        agree = (sizes > 0).all() and np.ptp(sizes) <= SAME
        verdict = (
            "proportional to P" if (abs(sizes - 1) <= SAME).all() else "a power of P" if agree else "not by P alone"
        )
        text = f"eDAE, exponents of the fall: {in_words(fit)}; the rule says: {verdict}"
    base = falls(rows, "DAE", BASE)
    others = [s for s in settings() if s["sigma2"] == BASE["sigma2"]]
    ratios = [falls(rows, "DAE", s).mean() / base.mean() for s in others if len(falls(rows, "DAE", s)) and base.mean()]
    low, high = (min(ratios), max(ratios)) if ratios else (np.nan, np.nan)
    flat = "independent" if 1 - FLAT <= low and high <= 1 + FLAT else "not independent"
    seen = f"DAE, fall over that at the base: {low:.3f} to {high:.3f}"
    fit = exponents(rows, "DAE", 1.0)
    beside = f"\nDAE, exponents of the fall, for comparison: {in_words(fit)}" if fit else ""
    return f"{text}\n{seen}; the rule says: {flat} of eta, B, K, momentum{beside}"


def in_words(fit: dict[str, tuple[float, float]]) -> str:
    return ", ".join(f"{name} {value:+.3f} +- {error:.3f}" for name, (value, error) in fit.items())


@in_default_style
def picture(rows: list[dict]) -> Figure:
    """Draw the fall against each quantity for eDAE and DAE (left), and eDAE's fall against P for all settings (right)."""
    figure = new_figure(13, 8.5)
    axes = figure.subplot_mosaic(
        [["eta", "sigma2", "P", "P"], ["batch_size", "copies", "P", "P"], ["momentum", "none", "P", "P"]]
    )
    axes["none"].axis("off")
    for name in VARIED:
        for kind in ("eDAE", "DAE"):
            draw_line(axes[name], rows, name, kind)
        axes[name].set(xlabel=LABELS[name], ylabel="fall below AE", ylim=(-0.05, 0.75))
        if name != "momentum":
            axes[name].set_xscale("log")
            axes[name].set_xticks(VARIED[name], [f"{value:g}" for value in VARIED[name]], fontsize=8)
            axes[name].minorticks_off()
        axes[name].grid(alpha=0.25)
    handles, names = axes["eta"].get_legend_handles_labels()
    axes["none"].legend(handles, names, frameon=False, loc="center", title="activation fraction of AE less that of")
    draw_product(axes["P"], rows)
    figure.suptitle(r"Fall of the activation fraction at fixed $\eta' \times$ updates, ReLU, unit rows, digits")
    return figure


def draw_line(ax, rows: list[dict], name: str, kind: str) -> None:
    points = [(value, falls(rows, kind, {**BASE, name: value})) for value in VARIED[name]]
    points = [(value, found) for value, found in points if len(found)]
    look = dict(zip(("color", "marker"), STYLES[kind], strict=True))
    x, means = [value for value, _ in points], [found.mean() for _, found in points]
    ax.plot(x, means, ms=5, label=kind, **look)
    low, high = [found.min() for _, found in points], [found.max() for _, found in points]
    ax.fill_between(x, low, high, color=look["color"], alpha=0.2, lw=0)


def draw_product(ax, rows: list[dict]) -> None:
    """Draw one mark for each setting. The marks are on one line if the fall depends only on P."""
    positive = []
    for name, values in VARIED.items():
        color, marker = LOOKS[name]
        points = [(product(s := {**BASE, name: value}), falls(rows, "eDAE", s)) for value in values]
        points = [(P, found.mean()) for P, found in points if len(found) and found.mean() > LEAST]
        positive += points
        if points:
            ax.plot(
                *zip(*points, strict=True),
                marker,
                mfc="none",
                mew=1.6,
                ms=9,
                color=color,
                label=f"{LABELS[name]} varied",
            )
    if positive:
        P, fall = np.array(sorted(positive)).T
        ax.plot(P, fall[0] * P / P[0], color=MIDDLE_GREY, lw=1, ls="--", label="proportional to P")
        ax.set(xscale="log", yscale="log")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.legend(frameon=False)
    ax.set(xlabel=r"$P = \eta' \sigma^2 / (B K)$", ylabel="fall of eDAE below AE", title="eDAE, all settings")
    ax.grid(alpha=0.25, which="both")


STUDY = Study("edae_scaling", __doc__, SIZES, runs, table, picture, data=("digits",))


def main(argv=None):
    return study.main(STUDY, argv)


if __name__ == "__main__":
    sys.exit(main())
