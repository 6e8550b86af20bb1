"""Does the bias gradient make codes sparse? Here weights and biases are trained by two different objectives.

Question. The paper's thesis is that the bias gradient makes the codes sparse. Give the weights the gradient of a model
and the biases that of the plain auto-encoder (AE), or the reverse, both taken at the same parameters, batch and noise.
Which of the two lowers the activation fraction as the full model does?

Rule of decision, written before any result. Let the effect be AE's activation fraction less the run's, per seed. Where
the full model's mean effect is at least three standard deviations over the seeds and at least MARGIN, a part carries it
if the part's mean effect is at least HALF of the full one. The verdict is "bias" or "weights" if exactly one part
carries it, "both", "neither", or "no effect" where the full model does not differ from AE; "broken" where a run of the
set broke down. CAE and mDAE with ReLU are controls: their bias part is AE exactly.

With sigmoid the effect appears late, except for SAE. --preset late runs only sigmoid, for 15,000 updates. In the
histories of the
sigmoid figure's long records this is the first of 5,000, 10,000, 15,000 updates at which each of DAE at 0.25 and 1, and
CAE and mDAE at 1, lies below AE by MARGIN on both data sets. CAE at 0.25 does not do so on digits within 50,000
updates, and on patches only near their end; CAE and mDAE at 0.25 are left out.

--preset paper has only ReLU on digits with DAE, SAE and eDAE at sigma^2 = 0.25.
"""

import sys
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS
from numpy_rae.dae_noise.bias_weight_ablation import bias_only, weights_only
from numpy_rae.experiments import study, study_rows
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.plotting.style import BLACK, BLUE, MIDDLE_GREY, VERMILION, in_default_style, new_figure
from numpy_rae.registry import OBJECTIVES

SIGMA2 = (0.25, 1.0)
MARGIN, HALF = 0.01, 0.5
LATE_EPOCHS = 150
OF_ALL = ("DAE", "SAE", "eDAE", "CAE", "mDAE")
LATE = (("DAE", 0.25), ("DAE", 1.0), ("CAE", 1.0), ("mDAE", 1.0))
OF_RELU = ("expected-DAE+cov", "smoothed-mDAE")
PARTS = {"full": lambda model: model, "weights only": weights_only, "bias only": bias_only}


def models(activation) -> list:
    """Return the models of one activation."""
    return [OBJECTIVES[name] for name in OF_ALL + (OF_RELU if activation is RELU else ())]


def runs(size: Size, data: dict) -> list[Run]:
    """Return the runs of a preset: AE, and for each model the full model and both parts."""
    found = []
    for seed in size.seeds:
        for name, ref in data.items():
            plain = study.config(size, name, seed, 0.0)
            for activation, model, sigma2 in plan(size.part, name):
                found.append(Run(OBJECTIVES["AE"], activation, ref, plain))
                config = replace(plain, sigma2=sigma2)
                found += [Run(part(model), activation, ref, config) for part in PARTS.values()]
    return found


def plan(part: str, data: str) -> list[tuple]:
    """Return (activation, model, sigma^2) of the sets that are run on a data set."""
    if part == "paper":
        return [(RELU, OBJECTIVES[name], 0.25) for name in ("DAE", "SAE", "eDAE")] if data == "digits" else []
    if part == "late":
        return [(SIGMOID, OBJECTIVES[name], sigma2) for name, sigma2 in LATE]
    return [(s, model, sigma2) for s in (RELU, SIGMOID, SOFTPLUS) for sigma2 in SIGMA2 for model in models(s)]


def study_presets() -> dict[str, Size]:
    """Return the presets of all studies, and "late" for sigmoid."""
    found = study.presets(5)
    late = replace(found["sample"], epochs=dict.fromkeys(("digits", "patches"), LATE_EPOCHS), part="late")
    return {**found, "late": late, "paper": replace(found["paper"], part="paper")}


def split(name: str) -> tuple[str, str]:
    """Return (model, part) from a model's name in a record."""
    for part in ("weights only", "bias only"):
        if name.endswith(f" {part}"):
            return name.removesuffix(f" {part}"), part
    return name, "full"


def sets(rows: list[dict]) -> list[tuple]:
    """Return (data, activation, model, sigma^2) of every set of three kinds of runs, in the order of the records."""
    return list(
        dict.fromkeys((r["data"], r["activation"], split(r["model"])[0], r["sigma2"]) for r in rows if r["sigma2"])
    )


def of_set(rows: list[dict], key: tuple, part: str) -> list[dict]:
    """Return the runs of one set and part, sorted by seed. The part "AE" is the plain auto-encoder."""
    data, activation, model, sigma2 = key
    name = {"AE": "AE", "full": model}.get(part, f"{model} {part}")
    sigma2 = 0.0 if part == "AE" else sigma2
    found = study_rows.select(rows, data=data, activation=activation, model=name, sigma2=sigma2)
    return sorted(found, key=lambda row: row["seed"])


def effects(rows: list[dict], key: tuple, part: str) -> np.ndarray:
    """Return AE's activation fraction minus the part's, for every seed that both have. Empty if a run diverged."""
    plain = {row["seed"]: row["fraction"] for row in of_set(rows, key, "AE")}
    its = [(plain.get(row["seed"]), row["fraction"]) for row in of_set(rows, key, part)]
    return np.array([one - other for one, other in its if one is not None and other is not None])


def verdict(rows: list[dict], key: tuple) -> str:
    """Apply the rule in the docstring of this script to one set."""
    every = [row for part in ("AE", *PARTS) for row in of_set(rows, key, part)]
    if any(row["broken"] for row in every):
        return "broken"
    full, W, b = (effects(rows, key, part) for part in PARTS)
    if not responds(full):
        return "no effect"
    carried = [found.mean() >= HALF * full.mean() for found in (W, b)]
    return {(True, True): "both", (True, False): "weights", (False, True): "bias", (False, False): "neither"}[*carried]


def responds(full: np.ndarray) -> bool:
    """Return whether the full model's effect is large, and above three deviations if there are several seeds."""
    spread = full.std(ddof=1) if len(full) > 1 else 0.0
    return bool(len(full) and full.mean() >= MARGIN and full.mean() >= 3 * spread)


def table(rows: list[dict]) -> str:
    """Return the table: activation fractions of AE and of every kind, and each part's share of the full effect."""
    lines = []
    for key in sets(rows):
        data, activation, model, sigma2 = key
        its = [
            study_rows.mean_and_deviation(study_rows.values(of_set(rows, key, part), "fraction"))
            for part in ("AE", *PARTS)
        ]
        lines.append((data, activation, model, f"{sigma2:g}", *its, verdict(rows, key)))
    steps = " and ".join(f"{n:,}" for n in study_rows.levels(rows, "steps"))
    head = ("data", "activation", "model", "sigma^2", "AE", *PARTS, "carried by")
    return (
        f"{study_rows.text_table(head, lines)}\nactivation fraction, mean +- deviation over the seeds; {steps} updates"
    )


LOOKS = {"full": (BLACK, "*"), "weights only": (BLUE, "s"), "bias only": (VERMILION, "o")}


@in_default_style
def picture(rows: list[dict]) -> Figure:
    """Draw the effects of the full model and of both parts, one panel per data set and activation."""
    keys = sets(rows)
    panels = list(dict.fromkeys(key[:2] for key in keys))
    data, activations = (list(dict.fromkeys(panel[k] for panel in panels)) for k in (0, 1))
    figure = new_figure(4.6 * len(activations) + 0.6, 4.6 * len(data) + 0.8)
    axes = figure.subplots(len(data), len(activations), sharey=True, squeeze=False)
    for line, d in zip(axes, data, strict=True):
        for ax, s in zip(line, activations, strict=True):
            draw_panel(ax, rows, [key for key in keys if key[:2] == (d, s)])
            ax.set_title(f"{d}, {s}")
        line[0].set_ylabel("AE's activation fraction less the run's")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle("Who makes the code sparse: the full gradient, its weight part, its bias part\nbars span the seeds")
    return figure


def draw_panel(ax, rows: list[dict], keys: list[tuple]) -> None:
    """Draw one column for each model and sigma^2. A grey cross shows that a run of the set broke down."""
    ax.axhline(0, color=MIDDLE_GREY, lw=1)
    for shift, (part, (color, marker)) in zip((-0.22, 0, 0.22), LOOKS.items(), strict=True):
        found = [(k, effects(rows, key, part)) for k, key in enumerate(keys)]
        found = [(k, each) for k, each in found if len(each)]
        mean = np.array([each.mean() for _, each in found])
        bars = (mean - [each.min() for _, each in found], [each.max() for _, each in found] - mean)
        at = [k + shift for k, _ in found]
        ax.errorbar(at, mean, bars, ls="none", color=color, marker=marker, ms=6, capsize=2, label=part)
    broken = [k for k, key in enumerate(keys) if verdict(rows, key) == "broken"]
    ax.plot(broken, [0.02] * len(broken), "x", color=MIDDLE_GREY, ms=9, mew=2, transform=ax.get_xaxis_transform(),
            label="a run broke down")  # fmt: skip
    ax.set_xticks(range(len(keys)), [rf"{key[2].split('(')[0]}, {key[3]:g}" for key in keys], rotation=90, fontsize=8)
    ax.grid(axis="y", alpha=0.25)


STUDY = Study("bias_or_weights", __doc__, study_presets(), runs, table, picture)


def main(argv=None):
    return study.main(STUDY, argv)


if __name__ == "__main__":
    sys.exit(main())
