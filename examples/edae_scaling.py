"""How does eDAE become sparse, although its extra term has mean zero? On which product of the settings does this depend?

Question. The first-order term of eDAE has mean zero over the noise, and so has its gradient. It can still act through
the variance of the gradient (docs/derivations.md, section 21). The "fall" is the activation fraction of the plain
auto-encoder (AE) minus that of the model, with the same seed and settings. If the variance acts, then eDAE's fall
depends on

    P = eta' sigma^2 / (B K),    eta' = eta / (1 - momentum),

and goes to 0 with eta. B is the batch size, and K is the number of noise copies of each sample. DAE's expected loss
has a bias gradient of its own. So DAE's fall should depend on sigma^2, and not on eta, B, K or momentum.

Rule of decision, written before any result.

1. eDAE. Fit log(fall) by least squares on log eta', log sigma^2, log B and log K, over the runs whose fall is below half
   of AE's fraction. The fall is "proportional to P" if the exponents are +1, +1, -1 and -1, each within 0.25. It is "a
   power of P" if the exponents agree with each other within 0.25, up to these signs. Otherwise it is "not by P alone".
2. DAE. Its fall is "independent" if it lies, at every eta, B, K and momentum, within 15 % of the fall at the base.

Settings with equal P are the direct test: a quarter of eta, a quarter of sigma^2, four times B, four copies.

Rule of decision for the second part, written after the results of the first part and before its own results. At sigma^2 =
1, DAE's fraction is near its lowest value in every setting. So rule 2 is also applied to DAE at sigma^2 = 0.0625, over
eta alone. Settings in which a run broke down are left out here. For the first part, the script prints the result of
rule 2 without such settings, too. This does not replace the verdict of the rule.

Every setting changes one quantity of the base: eta = .001, B = 50, K = 1, momentum .9, sigma^2 = 1. The number of
epochs is chosen so that eta' x updates is the same in every run. At a momentum other than .9, eta is changed so that
eta' stays the same. With one seed the table has no deviations.
"""

import sys
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from numpy_rae.activations import RELU
from numpy_rae.dae_noise.gradient_noise import edae_copies
from numpy_rae.dae_noise.noise_variants import Copies
from numpy_rae.experiments import study, study_rows
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.objectives import AE, Objective
from numpy_rae.plotting.style import (
    BLACK,
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
SMALL = min(VARIED["sigma2"])
DEAD = "DAE: dead units"
KINDS = ("AE", "eDAE", "DAE")
FRACTIONS = ("AE: fraction", "eDAE: fraction", "DAE: fraction")
SAME = 0.25
FLAT = 0.15
LEAST = 1e-3  # smaller falls are not drawn on the logarithmic axis


def settings() -> list[dict]:
    """Return the base setting, and every setting that changes one quantity of it."""
    return [BASE] + [
        {**BASE, name: value} for name, values in VARIED.items() for value in values if value != BASE[name]
    ]


def small_settings() -> list[dict]:
    """Return the settings with the smallest sigma^2, at every eta."""
    return [{**BASE, "sigma2": SMALL, "eta": eta} for eta in VARIED["eta"]]


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
    """Return the plain auto-encoder, eDAE and DAE at every setting, and DAE at every eta with the small sigma^2.

    `study` trains equal runs only once.
    """
    found = [
        (one, config(size, seed, setting, sigma2))
        for seed in size.seeds
        for setting in settings()
        for one, sigma2 in (
            (AE, 0.0),
            (model("eDAE", setting["copies"]), setting["sigma2"]),
            (model("DAE", setting["copies"]), setting["sigma2"]),
        )
    ]
    found += [(OBJECTIVES["DAE"], config(size, seed, one, SMALL)) for seed in size.seeds for one in small_settings()]
    return [Run(one, RELU, data["digits"], its) for one, its in found]


def cell(rows: list[dict], kind: str, setting: dict) -> list[dict]:
    """Return the runs of AE, eDAE or DAE at one setting. AE does not depend on sigma^2 and K."""
    size = Size(0, rows[0]["hidden"], {"digits": base_epochs(rows)}, ())
    wanted = config(size, 0, setting, setting["sigma2"])
    same = {name: getattr(wanted, name) for name in ("batch_size", "epochs", "eta", "momentum")}
    if kind == "AE":
        return study_rows.select(rows, model="AE", **same)
    return study_rows.select(rows, model=model(kind, setting["copies"]).name, sigma2=setting["sigma2"], **same)


def falls(rows: list[dict], kind: str, setting: dict) -> np.ndarray:
    """Return the activation fraction of the plain auto-encoder minus that of `kind`, for each seed."""
    plain = {row["seed"]: row["fraction"] for row in cell(rows, "AE", setting)}
    pairs = [(plain.get(row["seed"]), row["fraction"]) for row in cell(rows, kind, setting)]
    return np.array([one - two for one, two in pairs if one is not None and two is not None])


def broken(rows: list[dict], kind: str, setting: dict) -> bool:
    """Return whether a run of this setting, or its plain auto-encoder, broke down."""
    return any(row["broken"] for one in ("AE", kind) for row in cell(rows, one, setting))


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
    """Return the falls and fractions of all settings, the verdicts, and the second part with its verdict."""
    head = ("setting", "P x 10^6", "eDAE: fall below AE", "DAE: fall below AE", *FRACTIONS, DEAD)
    lines = [
        (in_short(s), f"{1e6 * product(s):.3g}", *shown_falls(rows, s), *fractions(rows, s), dead(rows, s))
        for s in settings()
    ]
    note = "fractions are means over the seeds; (broken): a run of DAE broke down"
    first = f"{study_rows.text_table(head, lines)}\n\n{note}\n{decision(rows)}"
    return first + second_part(rows)


def second_part(rows: list[dict]) -> str:
    """Return the table and the verdict of the second part. Return no text if it is not stored."""
    found = [one for one in small_settings() if len(falls(rows, "DAE", one))]
    if len(found) < 2 or BASE["eta"] not in [one["eta"] for one in found]:
        return ""
    lines = []
    for s in found:
        plain, _, dae = fractions(rows, s)
        shares = share(rows, "DAE", s), share(rows, "eDAE", {**s, "sigma2": BASE["sigma2"]})
        lines.append((f"{s['eta']:g}", shown_falls(rows, s)[1], plain, dae, dead(rows, s), *shares))
    shown = ("DAE: fall / AE", f"eDAE at sigma^2 = {BASE['sigma2']:g}: fall / AE")
    head = ("eta", "DAE: fall below AE", FRACTIONS[0], FRACTIONS[2], DEAD, *shown)
    low, high = ratios(rows, found, {**BASE, "sigma2": SMALL}, sound=True)
    return (
        f"\n\nDAE at sigma^2 = {SMALL:g}\n\n{study_rows.text_table(head, lines)}\n\n"
        f"fall over that at eta = {BASE['eta']:g}: {low:.3f} to {high:.3f}; the rule says: {in_range(low, high)} of eta\n"
        f"fall / AE: the fall as a share of AE's fraction, which no rule uses"
    )


def share(rows: list[dict], kind: str, setting: dict) -> str:
    """Return the mean fall as a share of the mean fraction of the plain auto-encoder, as text."""
    its, plain = falls(rows, kind, setting), study_rows.values(cell(rows, "AE", setting), "fraction")
    return f"{its.mean() / plain.mean():.3f}" if len(its) else "-"


def in_short(setting: dict) -> str:
    """Return what a setting changes of the base."""
    return ", ".join(f"{name}={value:g}" for name, value in setting.items() if value != BASE[name]) or "base"


def shown_falls(rows: list[dict], setting: dict) -> tuple[str, str]:
    """Return the falls of eDAE and DAE as text."""
    edae, dae = (study_rows.mean_and_deviation(falls(rows, kind, setting)) for kind in ("eDAE", "DAE"))
    return edae, f"{dae} (broken)" if broken(rows, "DAE", setting) else dae


def fractions(rows: list[dict], setting: dict) -> list[str]:
    """Return the mean activation fractions of AE, eDAE and DAE as text."""
    found = (study_rows.values(cell(rows, kind, setting), "fraction") for kind in KINDS)
    return [f"{each.mean():.4f}" if len(each) else "-" for each in found]


def dead(rows: list[dict], setting: dict) -> str:
    """Return the mean share of dead units of DAE as text."""
    found = study_rows.values(cell(rows, "DAE", setting), "dead")
    return f"{found.mean():.3f}" if len(found) else "-"


def decision(rows: list[dict]) -> str:
    """Apply the rules in the docstring of this script."""
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
    others = [s for s in settings() if s["sigma2"] == BASE["sigma2"]]
    low, high = ratios(rows, others, BASE)
    seen = f"DAE, fall over that at the base: {low:.3f} to {high:.3f}; the rule says: {in_range(low, high)}"
    low, high = ratios(rows, others, BASE, sound=True)
    beside = f"without the settings in which a run broke down: {low:.3f} to {high:.3f}"
    fit = exponents(rows, "DAE", 1.0)
    third = f"\nDAE, exponents of the fall, for comparison: {in_words(fit)}" if fit else ""
    return f"{text}\n{seen} of eta, B, K, momentum\n{beside}{third}"


def ratios(rows: list[dict], found: list[dict], base: dict, sound: bool = False) -> tuple[float, float]:
    """Return the smallest and the largest mean fall of DAE over that at the base; only of sound settings if asked."""
    level = falls(rows, "DAE", base).mean()
    kept = [s for s in found if len(falls(rows, "DAE", s)) and not (sound and broken(rows, "DAE", s))]
    each = [falls(rows, "DAE", s).mean() / level for s in kept] if level else []
    return (min(each), max(each)) if each else (np.nan, np.nan)


def in_range(low: float, high: float) -> str:
    return "independent" if 1 - FLAT <= low and high <= 1 + FLAT else "not independent"


def in_words(fit: dict[str, tuple[float, float]]) -> str:
    return ", ".join(f"{name} {value:+.3f} +- {error:.3f}" for name, (value, error) in fit.items())


@in_default_style
def picture(rows: list[dict]) -> Figure:
    """Draw the fractions of AE, eDAE and DAE over each quantity (left), and eDAE's fall over P in all settings (right)."""
    figure = new_figure(12, 8)
    axes = figure.subplot_mosaic(
        [["eta", "sigma2", "P", "P"], ["batch_size", "copies", "P", "P"], ["momentum", "none", "P", "P"]]
    )
    axes["none"].axis("off")
    for name in VARIED:
        for kind in KINDS:
            draw_line(axes[name], rows, name, kind)
        axes[name].set(xlabel=LABELS[name], ylim=(-0.03, 0.75))
        if name in ("eta", "batch_size", "momentum"):
            axes[name].set_ylabel("activation fraction")
        if name != "momentum":
            axes[name].set_xscale("log")
            axes[name].set_xticks(VARIED[name], [f"{value:g}".removeprefix("0") for value in VARIED[name]])
            axes[name].minorticks_off()
        axes[name].grid(alpha=0.25)
    handles, names = axes["momentum"].get_legend_handles_labels()
    shown = dict(zip(names, handles, strict=True))
    axes["none"].legend(shown.values(), shown, frameon=False, loc="center", fontsize=11)
    draw_product(axes["P"], rows)
    figure.suptitle(r"Activation fraction at fixed $\eta' \times$ updates (ReLU, unit rows, digits)")
    return figure


def draw_line(ax, rows: list[dict], name: str, kind: str) -> None:
    """Draw the fraction of one model over one quantity. A band spans the seeds; a cross marks runs that broke down."""
    color, marker = STYLES[kind]
    found = [{**BASE, name: value} for value in VARIED[name]]
    found = [(s[name], study_rows.values(cell(rows, kind, s), "fraction"), s) for s in found]
    found = [one for one in found if len(one[1])]
    x = [value for value, _, _ in found]
    ax.plot(x, [each.mean() for _, each, _ in found], ms=5, color=color, marker=marker, label=kind)
    ax.fill_between(
        x, [each.min() for _, each, _ in found], [each.max() for _, each, _ in found], color=color, alpha=0.2, lw=0
    )
    bad = [(value, each.mean()) for value, each, s in found if any(row["broken"] for row in cell(rows, kind, s))]
    if bad:
        x, y = zip(*bad, strict=True)
        ax.plot(x, y, "x", color=BLACK, ms=10, mew=1.5, ls="none", label=f"{kind}, broke down")


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
        ax.plot(P, fall[0] * P / P[0], color=MIDDLE_GREY, lw=1, ls="--", label="slope 1")
        ax.set(xscale="log", yscale="log", ylim=(0.85 * fall.min(), 1.3 * fall.max()))
        ticks = np.unique(P.round(12))
        ax.set_xticks(ticks, [f"{1e6 * value:g}" for value in ticks])
        levels = [level for level in (0.1, 0.2, 0.3, 0.4, 0.5) if 0.85 * fall.min() < level < 1.3 * fall.max()]
        ax.set_yticks(levels, [f"{level:g}" for level in levels])
        ax.minorticks_off()
        ax.legend(frameon=False, loc="lower right")
    ax.set(
        xlabel=r"$10^6 P = 10^6\, \eta' \sigma^2 / (B K)$", ylabel="fall of eDAE below AE", title="eDAE, all settings"
    )
    ax.grid(alpha=0.25)


STUDY = Study("edae_scaling", __doc__, SIZES, runs, table, picture, data=("digits",))


def main(argv=None):
    return study.main(STUDY, argv)


if __name__ == "__main__":
    sys.exit(main())
