"""Is the residual Gaussian and independent during training, and does Thm 2's bound p_j rise?

Questions. Assumption 1 says that the data are white, and that the entries of the residual x - y are independent and
Gaussian. How far is training from that? Thm 2 has a lower bound p_j on the probability that a unit is off. It says that,
for some lambda, p_j rises from one iteration to a later one. Does it rise over the epochs of a training run?

Rule of decision, written before any result.

- The residual counts as Gaussian and independent if, at the end of training, skewness and excess kurtosis over all entries
  are at most 0.5 in size, and no two of its dimensions have a correlation above 0.1 in size.
- The bound rises in a run if its mean over the units never falls from one epoch to the next, from the first epoch at which
  the mean is above 0.01. (With p_j = 0 the words of the theorem hold, but say nothing.)

The bound is p_j = (tau - E[a_j])^2 / (c^2 + (tau - E[a_j])^2) where E[a_j] < tau. Here tau is the threshold below which a
unit counts as off. c^2 is the largest eigenvalue of the data's covariance, which is the smallest number that bounds
Var[a_j] for every unit row. On white data it would be 1. The runs are short, with unit rows, ReLU and sigmoid. Patches
need --images.
"""

import argparse
import sys

import numpy as np
from matplotlib.figure import Figure

from numpy_rae.activations import RELU, SIGMOID, Activation
from numpy_rae.autoencoder import forward
from numpy_rae.callbacks import Callback
from numpy_rae.data.prepared import build
from numpy_rae.experiments import command_line, picture_script, protocol_data, study_rows
from numpy_rae.experiments.command import command
from numpy_rae.metrics import measure
from numpy_rae.plotting.style import STYLES, in_default_style, new_figure
from numpy_rae.registry import OBJECTIVES
from numpy_rae.storage import jsonl
from numpy_rae.theory.assumption_1 import check_assumption_1, residual_moments
from numpy_rae.theory.theorem_2 import activation_threshold, theorem_2_bound
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import TrainState
from numpy_rae.training import train

# Samples, units, epochs by data set, seeds.
SIZES = {
    "sample": (5000, 1000, {"digits": 10, "patches": 20}, (0, 1, 2)),
    "tiny": (200, 30, {"digits": 3, "patches": 3}, (0,)),
}
MODELS = (("AE", RELU, 0.0), ("DAE", RELU, 0.25), ("SAE", RELU, 0.25), ("SAE", SIGMOID, 1.0))
MOMENT, CORRELATION, BEGUN = 0.5, 0.1, 0.01


class Watch(Callback):
    """Measures the residual, the bound and the share of inactive pairs after each epoch."""

    def __init__(self, x: np.ndarray, activation: Activation, c: float):
        self.x, self.activation, self.c = x, activation, c
        self.tau = activation_threshold(activation)
        self.seen: list[dict] = []

    def on_epoch_end(self, state: TrainState) -> bool:
        codes = measure(state.params, self.activation, self.x)
        moments = residual_moments(self.x - forward(state.params, self.activation, self.x).y)
        off, mean_a = 1 - codes.active, codes.mean_a
        bound, white = (theorem_2_bound(mean_a, self.tau, c) for c in (self.c, 1.0))
        self.seen.append({
            "epoch": len(state.history), **{name: float(value) for name, value in moments._asdict().items()},
            "off": float(off.mean()), "p": float(bound.mean()), "p_white": float(white.mean()),
            "above": float((bound > off + 1e-9).mean()), "above_white": float((white > off + 1e-9).mean()),
        })  # fmt: skip
        return False


def run(x: np.ndarray, data: str, model: str, activation: Activation, config: TrainConfig) -> list[dict]:
    """One line for each epoch of one run."""
    spectral = check_assumption_1(x).covariance_spectral + 1
    watch = Watch(x, activation, spectral**0.5)
    train(x, OBJECTIVES[model], activation, config, watch=watch)
    head = {"data": data, "model": model, "activation": activation.name, "sigma2": config.sigma2, "seed": config.seed}
    return [{**head, "eigenvalue": spectral, "features": x.shape[1], **line} for line in watch.seen]


def all_runs(preset: str, images) -> list[dict]:
    """Every model, data set and seed."""
    samples, hidden, epochs, seeds = SIZES[preset]
    sources = {"digits": "mnist", **({"patches": "cifar10"} if images else {})}
    found = []
    for data, source in sources.items():
        x = build(protocol_data.data_spec(source, samples, images))
        for seed in seeds:
            for model, activation, sigma2 in MODELS:
                config = TrainConfig(sigma2, seed, hidden, epochs=epochs[data])
                found += run(x, data, model, activation, config)
    return found


def cells(rows: list[dict]) -> dict[tuple, list[list[dict]]]:
    """The runs by (data, model, activation, sigma^2); a run is its lines in the order of the epochs."""
    found: dict[tuple, dict[int, list[dict]]] = {}
    for row in rows:
        key = row["data"], row["model"], row["activation"], row["sigma2"]
        found.setdefault(key, {}).setdefault(row["seed"], []).append(row)
    return {key: list(runs.values()) for key, runs in found.items()}


def ends(runs: list[list[dict]], name: str) -> np.ndarray:
    """A column at the last epoch, one value for each seed."""
    return np.array([lines[-1][name] for lines in runs])


def is_gaussian(runs: list[list[dict]]) -> bool:
    """The rule for the residual."""
    moments = max(abs(ends(runs, name)).max() for name in ("skewness", "kurtosis"))
    return bool(moments <= MOMENT and ends(runs, "correlation").max() <= CORRELATION)


def rises(runs: list[list[dict]]) -> str:
    """The rule for the bound: "rises", "falls again", or "stays 0"."""
    said = set()
    for lines in runs:
        p = np.array([line["p"] for line in lines])
        begun = p > BEGUN
        falls = begun.any() and (np.diff(p[begun.argmax() :]) < 0).any()
        said.add("stays 0" if not begun.any() else "falls again" if falls else "rises")
    return said.pop() if len(said) == 1 else "differs between the seeds"


def table(rows: list[dict]) -> str:
    """The moments and the bound at the end of each run, means and deviations over the seeds."""
    names = ("skewness", "kurtosis", "correlation", "off", "p", "p_white", "above_white")
    lines = []
    for (data, model, activation, sigma2), runs in cells(rows).items():
        shown = (study_rows.mean_and_deviation(ends(runs, name)) for name in names)
        gaussian = "yes" if is_gaussian(runs) else "no"
        lines.append((data, model, activation, f"{sigma2:g}", len(runs), *shown, gaussian, rises(runs)))
    head = ("data", "model", "activation", "sigma^2", "seeds", "skewness", "excess kurtosis", "largest correlation",
            "pairs off", "mean p_j", "mean p_j with c = 1", "units with p_j above the share off, c = 1",
            "Gaussian", "p_j")  # fmt: skip
    spectra = {row["data"]: (row["eigenvalue"], row["features"]) for row in rows}
    text = "\n".join(
        f"{data}: largest eigenvalue of the covariance {largest:.1f}, {features} features"
        for data, (largest, features) in spectra.items()
    )
    return f"{study_rows.text_table(head, lines)}\n{text}"


@in_default_style
def picture(rows: list[dict]) -> Figure:
    """Excess kurtosis of the residual, and the mean bound beside the share of inactive pairs, over the epochs."""
    found = cells(rows)
    names = list(dict.fromkeys(row["data"] for row in rows))
    figure = new_figure(9, 3.6 * len(names))
    axes = figure.subplots(len(names), 2, squeeze=False)
    for (data, model, activation, _), runs in found.items():
        left, right = axes[names.index(data)]
        color, marker = STYLES[model] if activation == "relu" else ("grey", "x")
        epochs = [line["epoch"] for line in runs[0]]
        look = {"color": color, "marker": marker, "ms": 4}
        left.plot(epochs, [line["kurtosis"] for line in runs[0]], label=f"{model}, {activation}", **look)
        right.plot(epochs, [line["p"] for line in runs[0]], **look)
        right.plot(epochs, [line["p_white"] for line in runs[0]], ls="--", color=color)
        right.plot(epochs, [line["off"] for line in runs[0]], ls=":", color=color)
        left.set(title=f"{data}: residual", xlabel="epoch", ylabel="excess kurtosis", yscale="symlog")
        right.set(title=f"{data}: bound and units that are off", xlabel="epoch", ylim=(-0.03, 1.03))
        right.set_ylabel("solid: mean $p_j$; dashed: with c = 1\ndotted: share of pairs that are off")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def parser() -> argparse.ArgumentParser:
    p = command_line.picture_parser("theory_in_training", __doc__)
    p.add_argument("--plot-only", action="store_true", help="table and picture from the stored runs, train nothing")
    p.add_argument("--images", type=command_line.user_path, metavar="FILE.npy", help="uint8 images for the patches")
    return p


@command("theory_in_training")
def main(argv=None):
    args = parser().parse_args(argv)
    out = args.out / f"theory_in_training-{args.preset}.jsonl"
    rows = jsonl.read(out) if args.plot_only else all_runs(args.preset, args.images)
    if not rows:
        raise ValueError(f"results file {out} holds no run; run it without --plot-only first")
    print(f"{table(rows)}\nresults: {out}")
    if not args.plot_only:
        jsonl.rewrite(out, rows)
    return picture_script.save(picture(rows), args, f"theory_in_training-{args.preset}.png")


if __name__ == "__main__":
    sys.exit(main())
