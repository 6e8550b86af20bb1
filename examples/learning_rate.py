"""Does "CAE and mDAE with ReLU do not depend on sigma^2" depend on the learning rate, and on the projection?

Question. Fig. 1 says that sigma^2 does not affect the activation fraction of CAE and mDAE, because their bias gradient is
0 with ReLU. The gradient of their penalty on W is radial: it points along the rows. If this radial part is removed, CAE
and mDAE make the same steps as the plain auto-encoder AE (docs/derivations.md, section 18). Three variants are compared:
the usual projection after the step, and two variants with a tangent gradient. Does the claim hold at every learning rate,
with each of them?

Rule of decision, written before any result. A model is "unaffected" at one eta, variant and data set if its activation
fraction differs from AE's by at most MARGIN at every sigma^2, in the mean over the seeds. With a tangent gradient the
fractions of CAE and mDAE must equal AE's exactly, on every seed. A set with a run that broke down gets no verdict.
`--preset paper` has 50,000 updates, one seed, the first two variants, and eta = .002 and .005. eta = .001 was added to it
later, because AE had broken down on patches at both. The runs at .001 with the usual projection are runs of Fig. 1.

With the usual projection the radial part acts in two ways. `--path` tests which of them matters. Each rule of
`numpy_rae.velocity_rules` removes one of them, and AE is trained with the same rule. Rule of decision: an effect explains
the dependence if CAE and mDAE are within MARGIN of AE when this effect alone is removed, and are not within MARGIN when it
is not removed.
"""

import sys
from dataclasses import replace

from matplotlib.figure import Figure

from numpy_rae.activations import RELU
from numpy_rae.experiments import command_line, study, study_rows
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.plotting.style import SILVER, in_default_style, new_figure, style
from numpy_rae.registry import OBJECTIVES

ETA = (0.0005, 0.001, 0.002, 0.003, 0.005)
PAPER_ETA = (0.001, 0.002, 0.005)  # --preset paper
SIGMA2 = (0.25, 1.0)
MARGIN = 0.01
SHOWN = tuple(OBJECTIVES[name] for name in ("DAE", "CAE", "mDAE", "SAE"))
PENALISED = ("CAE", "mDAE")
# Each variant: its name, `TrainConfig.tangent` and `TrainConfig.velocity`.
VARIANTS = {
    "projection after the step": (False, "classical"),
    "tangent gradient": (True, "classical"),
    "tangent gradient and velocity": (True, "projected"),
}
PAPER_VARIANTS = dict(list(VARIANTS.items())[:2])
WAYS = {
    "as usual": (False, "classical"),
    "without length": (False, "no length"),
    "without turn": (False, "no turn"),
    "without both": (False, "neither"),
    "velocity projected": (False, "projected"),
}


def rates(size: Size, data: dict) -> list[Run]:
    """List the runs without `--path`. The paper's length has fewer learning rates and variants."""
    etas, variants = (PAPER_ETA, PAPER_VARIANTS) if size.part == "paper" else (ETA, VARIANTS)
    return list_runs(size, data, etas, variants, SHOWN)


def paths(size: Size, data: dict) -> list[Run]:
    """List the runs of `--path`."""
    return list_runs(size, data, ETA, WAYS, tuple(OBJECTIVES[name] for name in PENALISED))


def list_runs(size: Size, data: dict, etas: tuple, variants: dict, models: tuple) -> list[Run]:
    """List the runs at these learning rates with these variants: AE once, and each model at each sigma^2."""
    found = []
    for name, ref in data.items():
        for seed in size.seeds:
            for tangent, velocity in variants.values():
                for eta in etas:
                    settings = {"eta": eta, "tangent": tangent, "velocity": velocity}
                    found.append(Run(OBJECTIVES["AE"], RELU, ref, study.config(size, name, seed, 0.0, **settings)))
                    found += [
                        Run(model, RELU, ref, study.config(size, name, seed, sigma2, **settings))
                        for sigma2 in SIGMA2
                        for model in models
                    ]
    return found


def stored(rows: list[dict], variants: dict) -> dict:
    """Return the variants that have runs."""
    return {name: variant for name, variant in variants.items() if at(rows, variant)}


def at(rows: list[dict], variant: tuple, **values) -> list[dict]:
    """Return the rows of one variant with the given values, sorted by seed."""
    tangent, velocity = variant
    return sorted(study_rows.select(rows, tangent=tangent, velocity=velocity, **values), key=lambda row: row["seed"])


def shifts(rows: list[dict], variant: tuple, data: str, eta: float, model: str, sigma2: float):
    """Return the model's activation fraction minus AE's for each seed. None if a run broke down or is missing."""
    plain = at(rows, variant, data=data, eta=eta, model="AE")
    its = at(rows, variant, data=data, eta=eta, model=model, sigma2=sigma2)
    usable = its and len(its) == len(plain) and not any(row["broken"] for row in its + plain)
    return study_rows.values(its, "fraction") - study_rows.values(plain, "fraction") if usable else None


def verdict(rows: list[dict], variant: tuple, data: str, eta: float, model: str) -> str:
    """Apply the rule of this script to one model: "equal", "unaffected" or "affected", with the largest mean shift."""
    found = [shifts(rows, variant, data, eta, model, sigma2) for sigma2 in SIGMA2]
    if any(each is None for each in found):
        return "no verdict"
    if not any(each.any() for each in found):
        return "equal"
    largest = max((each.mean() for each in found), key=abs)
    return f"{'unaffected' if abs(largest) <= MARGIN else 'affected'} {largest:+.3f}"


def fraction_table(rows: list[dict], variants: dict) -> str:
    """Return the table of the mean activation fractions, with "!" where a run broke down."""
    lines = []
    for data in study_rows.levels(rows, "data"):
        for name, variant in stored(rows, variants).items():
            for eta in study_rows.levels(rows, "eta"):
                its = at(rows, variant, data=data, eta=eta)
                lines.append((data, name, f"{eta:g}", *(text(its, *column) for column in columns(rows))))
    head = (
        "data",
        "variant",
        "eta",
        *("AE" if model == "AE" else f"{model} {sigma2:g}" for model, sigma2 in columns(rows)),
    )
    return f"{study_rows.text_table(head, lines)}\nactivation fraction, means over the seeds; !: a run broke down"


def columns(rows: list[dict]) -> list[tuple[str, float]]:
    """Return (model, sigma^2) of each column of the table."""
    return [("AE", 0.0), *((m.name, s) for m in SHOWN if study_rows.select(rows, model=m.name) for s in SIGMA2)]


def text(rows: list[dict], model: str, sigma2: float) -> str:
    """Return one cell of the table."""
    its = study_rows.select(rows, model=model, sigma2=sigma2)
    found = study_rows.values(its, "fraction")
    mark = "!" if any(row["broken"] for row in its) else ""
    return (f"{found.mean():.4f}" if len(found) else "-") + mark


def table_of(variants: dict):
    """Return a function that returns the fractions, and the verdicts for CAE and mDAE at each eta."""

    def table(rows: list[dict]) -> str:
        lines = [
            (data, name, model, *(verdict(rows, variant, data, eta, model) for eta in study_rows.levels(rows, "eta")))
            for data in study_rows.levels(rows, "data")
            for name, variant in stored(rows, variants).items()
            for model in PENALISED
        ]
        head = ("data", "variant", "model", *(f"eta {eta:g}" for eta in study_rows.levels(rows, "eta")))
        legend = f"largest mean shift from AE over sigma^2; unaffected: at most {MARGIN:g}; equal: 0 on every seed"
        return f"{fraction_table(rows, variants)}\n\n{study_rows.text_table(head, lines)}\n{legend}"

    return table


def picture_of(variants: dict, title: str):
    """Return a function that draws the shift from AE against eta, one panel for each data set and variant."""

    @in_default_style
    def picture(rows: list[dict]) -> Figure:
        data, shown = study_rows.levels(rows, "data"), stored(rows, variants)
        figure = new_figure(3.6 * len(shown) + 0.5, 3.4 * len(data) + 0.8)
        axes = figure.subplots(len(data), len(shown), sharex=True, sharey="row", squeeze=False)
        for line, name in zip(axes, data, strict=True):
            for ax, (label, variant) in zip(line, shown.items(), strict=True):
                draw_panel(ax, rows, variant, name)
                ax.set_title(f"{name}: {label}", fontsize=10)
            line[0].set_ylabel("activation fraction less AE's")
        for ax in axes[-1]:
            ax.set_xlabel(r"learning rate $\eta$")
        handles, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
        figure.suptitle(title)
        return figure

    return picture


def draw_panel(ax, rows: list[dict], variant: tuple, data: str) -> None:
    """Draw one line for each model and sigma^2 (dashed: the smaller sigma^2), with bars over the seeds."""
    etas = study_rows.levels(rows, "eta")
    ax.axhspan(-MARGIN, MARGIN, color=SILVER, alpha=0.6, lw=0)
    for model, sigma2 in columns(rows)[1:]:
        found = [(eta, shifts(rows, variant, data, eta, model, sigma2)) for eta in etas]
        found = [(eta, each) for eta, each in found if each is not None]
        look = style(model.split("(")[0])
        dash = "-" if sigma2 == max(SIGMA2) else "--"
        mean = [each.mean() for _, each in found]
        bars = [[each.mean() - each.min() for _, each in found], [each.max() - each.mean() for _, each in found]]
        label = rf"{model}, $\sigma^2$ = {sigma2:g}"
        ax.errorbar([eta for eta, _ in found], mean, bars, ls=dash, capsize=2, lw=1.2, label=label, **look)
    ax.set(xscale="log")
    ax.set_xticks(etas, [f"{eta:g}" for eta in etas], rotation=45)
    ax.minorticks_off()
    ax.grid(alpha=0.25)


BAND = "grey band: unaffected; a point is missing where a run broke down"
PRESETS = {**study.presets(3), "paper": replace(study.presets(3, 1)["paper"], part="paper")}
RATES = Study(
    "learning_rate", __doc__, PRESETS, rates, table_of(VARIANTS),
    picture_of(VARIANTS, f"ReLU, unit rows: how far sigma^2 moves the activation fraction from AE's\n{BAND}"),
)  # fmt: skip
PATH = Study(
    "learning_rate_path", __doc__, study.presets(3), paths, table_of(WAYS),
    picture_of(WAYS, f"ReLU, unit rows: the ways in which the radial part acts, each removed alone\n{BAND}"),
)  # fmt: skip


def main(argv=None):
    parser = command_line.study_parser("learning_rate", __doc__, RATES.presets)
    parser.add_argument("--path", action="store_true", help="remove the ways of the radial part instead, one by one")
    path = parser.parse_args(argv).path
    return study.main(PATH if path else RATES, argv, parser)


if __name__ == "__main__":
    sys.exit(main())
