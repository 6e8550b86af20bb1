"""Does the bias gradient make codes sparse? Weights and biases get the gradients of two different objectives.

Question. The paper's thesis is that the bias gradient makes codes sparse. In the "bias only" runs the biases get the
gradient of a model, and the weights get that of the plain auto-encoder (AE). In the "weights only" runs it is the other
way round. Both gradients are taken at the same parameters, batch and noise. Which of the two lowers the activation
fraction as the full model does?

Rule of decision, written before any result. The effect of a run is AE's activation fraction minus the run's, with the
same seed. A set is one model, activation, sigma^2 and data set. A set gets a verdict only if the mean effect of the full
model is at least MARGIN and at least three standard deviations over the seeds. A part carries the effect if its own
mean effect is at least HALF of the full one. The verdicts are:

- "bias" or "weights": exactly one part carries the effect. "both" and "neither" are the other two cases.
- "no effect": the full model does not differ from AE.
- "broken": a run of the set broke down.

CAE and mDAE with ReLU are controls: their "bias only" runs are AE exactly.

With sigmoid the effect appears late, except for SAE. So `--preset late` trains sigmoid alone, for 15,000 updates. This
length was read from the long records of the sigmoid figure. It is the first of 5,000, 10,000 and 15,000 updates at
which all of these lie below AE by MARGIN on both data sets: DAE at sigma^2 = 0.25 and 1, CAE and mDAE at 1. CAE and mDAE
at 0.25 are left out. On digits CAE at 0.25 is not below AE by MARGIN within 50,000 updates. On patches it is only near
the end.

`--preset paper` trains DAE, SAE and eDAE with ReLU on digits, at sigma^2 = 0.25.
"""

import sys
from collections import Counter
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS
from numpy_rae.dae_noise.bias_weight_ablation import bias_only, weights_only
from numpy_rae.experiments import study, study_rows
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.plotting.style import BLACK, BLUE, LIGHT_GREY, MIDDLE_GREY, VERMILION, in_default_style, new_figure
from numpy_rae.registry import OBJECTIVES

SIGMA2 = (0.25, 1.0)
MARGIN, HALF = 0.01, 0.5
LATE_EPOCHS = 150
OF_ALL = ("DAE", "SAE", "eDAE", "CAE", "mDAE")
LATE = (("DAE", 0.25), ("DAE", 1.0), ("CAE", 1.0), ("mDAE", 1.0))
OF_RELU = ("expected-DAE+cov", "smoothed-mDAE")
VERDICTS = ("bias", "weights", "both", "neither", "no effect", "broken")
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
    """Return (data, activation, model, sigma^2) of every set, sorted by data, activation, model and sigma^2."""
    order = {name: k for k, name in enumerate((*OF_ALL[:3], *OF_RELU, *OF_ALL[3:]))}
    activations = [activation.name for activation in (RELU, SIGMOID, SOFTPLUS)]
    found = {(r["data"], r["activation"], split(r["model"])[0], r["sigma2"]) for r in rows if r["sigma2"]}
    return sorted(found, key=lambda key: (key[0], activations.index(key[1]), order[key[2]], key[3]))


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


def share(rows: list[dict], key: tuple, part: str) -> str:
    """Return a part's mean effect over that of the full model, as text. Return "-" for a set without a verdict."""
    if verdict(rows, key) in ("no effect", "broken"):
        return "-"
    full, its = effects(rows, key, "full"), effects(rows, key, part)
    return f"{its.mean() / full.mean():.2f}" if len(its) else "-"


def table(rows: list[dict]) -> str:
    """Return the activation fractions of AE and of every kind, each part's share of the full effect, and the counts."""
    lines = []
    for key in sets(rows):
        data, activation, model, sigma2 = key
        its = [
            study_rows.mean_and_deviation(study_rows.values(of_set(rows, key, part), "fraction"))
            for part in ("AE", *PARTS)
        ]
        shares = [share(rows, key, part) for part in PARTS if part != "full"]
        lines.append((data, activation, model, f"{sigma2:g}", *its, *shares, verdict(rows, key)))
    steps = " and ".join(f"{n:,}" for n in study_rows.levels(rows, "steps"))
    head = ("data", "activation", "model", "sigma^2", "AE", *PARTS, "weights / full", "bias / full", "carried by")
    return (
        f"{study_rows.text_table(head, lines)}\n"
        f"activation fraction, mean +- deviation over the seeds; {steps} updates; shares of the full effect\n\n"
        f"{counts(rows)}"
    )


def counts(rows: list[dict]) -> str:
    """Return how many sets have each verdict, by activation and model."""
    found = Counter((key[1], key[2], verdict(rows, key)) for key in sets(rows))
    kinds = list(dict.fromkeys(key[1:3] for key in sets(rows)))
    lines = [(*kind, *(found[(*kind, one)] or "" for one in VERDICTS)) for kind in kinds]
    lines.append(("all", "", *(sum(n for key, n in found.items() if key[2] == one) or "" for one in VERDICTS)))
    return f"number of sets\n\n{study_rows.text_table(('activation', 'model', *VERDICTS), lines)}"


LOOKS = {"full": (BLACK, "*"), "weights only": (BLUE, "s"), "bias only": (VERMILION, "o")}


@in_default_style
def picture(rows: list[dict]) -> Figure:
    """Draw the effects of the full model and of both parts, one panel per data set and activation."""
    keys = sets(rows)
    panels = list(dict.fromkeys(key[:2] for key in keys))
    data, activations = (list(dict.fromkeys(panel[k] for panel in panels)) for k in (0, 1))
    figure = new_figure(3.6 * len(activations) + 1.5, 4.2 * len(data) + 1)
    axes = figure.subplots(len(data), len(activations), sharex=True, squeeze=False)
    for line, d in zip(axes, data, strict=True):
        for ax, s in zip(line, activations, strict=True):
            draw_panel(ax, rows, [key for key in keys if key[:2] == (d, s)])
            ax.set_title(f"{d}, {s}")
    for ax in axes[-1]:
        ax.set_xlabel("AE's activation fraction minus the run's")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(r"Effect of the full gradient, its weight part and its bias part, by model and $\sigma^2$")
    return figure


def draw_panel(ax, rows: list[dict], keys: list[tuple]) -> None:
    """Draw one line for each model and sigma^2. A set with a run that broke down has a grey cross instead of marks."""
    ax.axvline(0, color=MIDDLE_GREY, lw=1)
    broken = [k for k, key in enumerate(keys) if verdict(rows, key) == "broken"]
    for shift, (part, (color, marker)) in zip((-0.24, 0, 0.24), LOOKS.items(), strict=True):
        found = [(k, effects(rows, key, part)) for k, key in enumerate(keys) if k not in broken]
        found = [(k, each) for k, each in found if len(each)]
        mean = np.array([each.mean() for _, each in found])
        bars = (mean - [each.min() for _, each in found], [each.max() for _, each in found] - mean)
        at = [k + shift for k, _ in found]
        ax.errorbar(mean, at, xerr=bars, ls="none", color=color, marker=marker, ms=6, capsize=2, label=part)
    ax.plot([0] * len(broken), broken, "x", color=MIDDLE_GREY, ms=9, mew=2, label="a run broke down")
    for k in range(1, len(keys), 2):
        ax.axhspan(k - 0.5, k + 0.5, color=LIGHT_GREY, alpha=0.4, lw=0)
    ax.set_yticks(range(len(keys)), [f"{key[2]}, {key[3]:g}" for key in keys], fontsize=9)
    ax.set_ylim(len(keys) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.25)


STUDY = Study("bias_or_weights", __doc__, study_presets(), runs, table, picture)


def main(argv=None):
    return study.main(STUDY, argv)


if __name__ == "__main__":
    sys.exit(main())
