"""One training step at the paper's size: ours, PyTorch's, JAX's, and the five matrix products alone, side by side.

    python benchmarks/step.py [--rounds 40] [--out results]

One core and one thread each; contenders take turns in every round; medians and their ratios. Before timing, three steps
with the same noise must give the same weights. Peers come with `pip install -e ".[bench]"` and are left out if missing.
"""

import os
import sys

from numpy_rae import _blas

os.environ.update(_blas.ONE_THREAD)
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import argparse
import importlib.util
import json
import platform
import time
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import peers

from numpy_rae.autoencoder import Params, init_params
from numpy_rae.constraints import unit_rows
from numpy_rae.experiments import command_line
from numpy_rae.objectives import denoising, first_order
from numpy_rae.optimizer import zero_velocity
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.training import TrainConfig, update

SIZES = {"MNIST": 784, "CIFAR-10": 192}
ACTIVE = ("AE", "DAE", "CAE", "mDAE", "SAE", "eDAE")
HIDDEN, BATCH, SIGMA2 = 1000, 50, 0.25
CONFIG = TrainConfig(sigma2=SIGMA2)


class Ours:
    """The step that `training.run_step` makes."""

    def __init__(self, model, activation, W, b, x):
        self.model, self.activation, self.x = model, ACTIVATIONS[activation], x
        self.params = Params(W.copy(order="K"), b.copy())
        self.velocity, self.rng = zero_velocity(self.params), np.random.default_rng(0)

    def step(self, eps=None):
        if eps is not None and self.model == "DAE":
            _, grad = denoising(self.params, self.activation, self.x, self.x + eps)
        elif eps is not None and self.model == "eDAE":
            _, grad = first_order(self.params, self.activation, self.x, eps)
        else:
            _, grad = OBJECTIVES[self.model](self.params, self.activation, self.x, SIGMA2, self.rng)
        update(self.params, self.velocity, grad, CONFIG)

    def weights(self):
        return self.params


class Products:
    """The five matrix products of a step, in the memory order that is fastest here, and nothing else."""

    def __init__(self, W, x):
        self.W, self.x = W, x
        self.h = np.asfortranarray(np.maximum(x @ W.T, 0))
        self.y = self.h @ W
        self.left, self.right = np.asfortranarray(np.concatenate([self.h, self.h])), np.concatenate([x, self.y])
        self.out = np.empty_like(W)

    def step(self):
        self.W @ self.x.T
        self.h @ self.W
        self.W @ self.y.T
        np.matmul(self.left.T, self.right, out=self.out)  # g_a^T x + h^T g_y, two products in one


def contenders(model, activation, n):
    """Everything that makes this step, from the same start."""
    rng = np.random.default_rng(0)
    W, b = init_params(HIDDEN, n, rng)
    unit_rows(W)
    x = rng.standard_normal((BATCH, n), dtype=np.float32)
    found = {"numpy_rae": Ours(model, activation, W, b, x)}
    rest = (W, b, x, SIGMA2, CONFIG.eta, CONFIG.momentum)
    if importlib.util.find_spec("torch"):
        found["PyTorch"] = peers.Torch(model, activation, *rest)
        found["PyTorch compiled"] = peers.Torch(model, activation, *rest, compiled=True)
    if importlib.util.find_spec("jax"):
        found["JAX"] = peers.Jax(model, activation, *rest)
    check_equal(found, rng.standard_normal(x.shape, dtype=np.float32) * SIGMA2**0.5)
    return {**found, "products": Products(W, x)}


def check_equal(found, eps):
    """Three steps with the same noise give every contender our weights, to float32 rounding."""
    for contender in found.values():
        for _ in range(3):
            contender.step(eps)
    W, b = found["numpy_rae"].weights()
    for name, contender in found.items():
        other_W, other_b = contender.weights()
        if not (np.allclose(W, other_W, atol=2e-5) and np.allclose(b, other_b, atol=2e-5)):
            raise SystemExit(f"{name} computes another step: {np.abs(W - other_W).max()}")


def medians(found, rounds, inner=10):
    """Median milliseconds a step; the contenders take turns."""
    times = {name: [] for name in found}
    for _ in range(rounds):
        for name, contender in found.items():
            start = time.perf_counter()
            for _ in range(inner):
                contender.step()
            times[name].append((time.perf_counter() - start) / inner * 1e3)
    return {name: float(np.median(values)) for name, values in times.items()}


def table(rows):
    names = list(rows[0]["ms"])
    others = [name for name in names if name != "numpy_rae"]
    lines = ["| data | activation | model | " + " | ".join(f"{name}, ms" for name in names) + " | "
             + " | ".join(f"ours / {name}" for name in others) + " |",
             "|" + "---|" * (3 + len(names) + len(others))]  # fmt: skip
    for row in rows:
        ms = row["ms"]
        cells = [f"{ms[name]:.2f}" for name in names] + [f"{ms['numpy_rae'] / ms[name]:.2f}" for name in others]
        lines.append(f"| {row['size']} | {row['activation']} | {row['model']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(rows, path):
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for ax, size in zip(axes, SIZES, strict=True):
        mine = [row for row in rows if row["size"] == size]
        names = list(mine[0]["ms"])
        place = np.arange(len(mine))
        for k, (name, color) in enumerate(zip(names, ("#D55E00", "#0072B2", "#56B4E9", "#009E73", "#7F7F7F"), strict=False)):
            ax.bar(place + (k - len(names) / 2) * 0.16, [row["ms"][name] for row in mine], 0.16, label=name, color=color)
        ax.set_xticks(place, [f"{row['model']}\n{row['activation']}" for row in mine], fontsize=7)
        ax.set(title=f"{size}: {SIZES[size]} inputs, {HIDDEN:,} units, batch {BATCH}", ylabel="ms a step, one core")
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=130)


def versions():
    installed = {name: importlib.util.find_spec(name) and importlib.import_module(name).__version__
                 for name in ("numpy", "scipy", "torch", "jax")}  # fmt: skip
    return {"python": platform.python_version(), "machine": platform.processor() or platform.machine(), **installed}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--models", nargs="+", choices=ACTIVE, default=ACTIVE)
    parser.add_argument("--out", type=command_line.user_path, default=Path("results"))
    args = parser.parse_args()
    rows = []
    for size, n in SIZES.items():
        for activation in ("relu", "sigmoid"):
            for model in args.models:
                rows.append({"size": size, "activation": activation, "model": model,
                             "ms": medians(contenders(model, activation, n), args.rounds)})  # fmt: skip
                print(table(rows[-1:]).splitlines()[-1], flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "step.json").write_text(json.dumps({"versions": versions(), "rows": rows}, indent=1))
    plot(rows, args.out / "step.png")
    print(f"\n{versions()}\n\n{table(rows)}\n\npicture: {args.out / 'step.png'}")


if __name__ == "__main__":
    sys.exit(main())
