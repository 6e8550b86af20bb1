"""Time one training step at the paper's size in this package, in PyTorch and in JAX, and only its five matrix products.

    python benchmarks/step.py [--rounds 40] [--out results]

Each contender has one core and one thread. Processor time is measured, because other programs on the machine disturb it
less. The contenders take turns in every round. The table shows medians and their ratios, and the picture shows one dot
per objective and contender. Before timing, three steps with the same noise must give the same weights everywhere.
`pip install -e ".[bench]"` installs PyTorch and JAX. A missing one is left out.

- "PyTorch eager" runs each operation separately. "PyTorch compiled" is the same loss after
  `torch.compile`. JAX compiles the whole step (`jax.jit`) and reuses the memory of its arguments (donated buffers).
- "products" are five matrix products and nothing else: x W^T, h W, g_y W^T, g_a^T x and h^T g_y. A step of every
  objective needs at least these, so they are a lower bound. eDAE needs them for a batch of twice the size.
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
import re
import time
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import peers

from numpy_rae.autoencoder import Params, init_params
from numpy_rae.callbacks import Callback
from numpy_rae.experiments import command_line
from numpy_rae.objectives import denoising, first_order
from numpy_rae.optimizer import zero_velocity
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.row_norms import unit_rows
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import RandomStreams, TrainState
from numpy_rae.training import NUMERICS, run_step

SIZES = {"MNIST": 784, "CIFAR-10": 192}
ACTIVE = ("AE", "DAE", "CAE", "mDAE", "SAE", "eDAE")
HIDDEN, BATCH, SIGMA2 = 1000, 50, 0.25
CONFIG = TrainConfig(sigma2=SIGMA2)
XLABEL = "time of numpy_rae / time of the other (left of the line: numpy_rae is faster)"
LOOK = {
    "PyTorch eager": {"color": "#0072B2", "marker": "o"},
    "PyTorch compiled": {"color": "#56B4E9", "marker": "s"},
    "JAX": {"color": "#009E73", "marker": "D"},
    "products": {"color": "#7F7F7F", "marker": "v"},
}


class Ours:
    """Make the step of `training.train`."""

    def __init__(self, model, activation, W, b, x):
        self.model, self.activation, self.x = OBJECTIVES[model], ACTIVATIONS[activation], x
        params = Params(W.copy(), b.copy())
        self.state = TrainState(params, zero_velocity(params), RandomStreams(0))

    def step(self, eps=None):
        model = self.model if eps is None else self.with_noise(eps)
        run_step(self.state, self.x, model, self.activation, CONFIG, Callback())

    def with_noise(self, eps):
        """Return the objective with this noise instead of random noise."""
        given = {
            "DAE": lambda params, activation, x, *_: denoising(params, activation, x, x + eps),
            "eDAE": lambda params, activation, x, *_: first_order(params, activation, x, eps),
        }
        return given.get(self.model.name, self.model)

    def weights(self):
        return self.state.params


class Products:
    """Compute only the five matrix products of a step, in the fastest memory order."""

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
        np.matmul(self.left.T, self.right, out=self.out)  # g_a^T x + h^T g_y: two products in one call


def contenders(model, activation, n):
    """Return all contenders for a step, with the same initial weights."""
    rng = np.random.default_rng(0)
    W, b = init_params(HIDDEN, n, rng)
    unit_rows(W)
    x = rng.standard_normal((BATCH, n), dtype=np.float32)
    found = {"numpy_rae": Ours(model, activation, W, b, x)}
    rest = (W, b, x, SIGMA2, CONFIG.eta, CONFIG.momentum)
    if importlib.util.find_spec("torch"):
        found["PyTorch eager"] = peers.Torch(model, activation, *rest)
        found["PyTorch compiled"] = peers.Torch(model, activation, *rest, compiled=True)
    if importlib.util.find_spec("jax"):
        found["JAX"] = peers.Jax(model, activation, *rest)
    check_equal(found, rng.standard_normal(x.shape, dtype=np.float32) * SIGMA2**0.5)
    return {**found, "products": Products(W, x)}


def check_equal(found, eps):
    """Check that three steps with the same noise give the same weights everywhere, up to float32 rounding."""
    for contender in found.values():
        for _ in range(3):
            contender.step(eps)
    W, b = found["numpy_rae"].weights()
    for name, contender in found.items():
        other_W, other_b = contender.weights()
        if not (np.allclose(W, other_W, atol=2e-5) and np.allclose(b, other_b, atol=2e-5)):
            raise SystemExit(f"{name} computes another step: {np.abs(W - other_W).max()}")


def medians(found, rounds, inner=10):
    """Return the median processor time per step in milliseconds. The contenders take turns."""
    times = {name: [] for name in found}
    for _ in range(rounds):
        for name, contender in found.items():
            start = time.process_time()
            for _ in range(inner):
                contender.step()
            times[name].append((time.process_time() - start) / inner * 1e3)
    return {name: float(np.median(values)) for name, values in times.items()}


def table(rows):
    """Return the times and their ratios as a Markdown table."""
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
    """Draw one dot per objective and contender: our time divided by the contender's."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 6), layout="constrained", sharey=True, sharex=True)
    others = [name for name in rows[0]["ms"] if name != "numpy_rae"]
    for ax, size in zip(axes, SIZES, strict=True):
        mine = [row for row in rows if row["size"] == size]
        for name in others:
            ratios = [row["ms"]["numpy_rae"] / row["ms"][name] for row in mine]
            ax.plot(ratios, range(len(mine)), linestyle="", label=name, markersize=7, **LOOK[name])
        ax.axvline(1, color="black", linewidth=1)
        ax.set_yticks(range(len(mine)), [f"{row['model']}, {row['activation']}" for row in mine])
        ax.set(title=f"{size}: {SIZES[size]} inputs, {HIDDEN:,} units, batch {BATCH}")
        ax.grid(axis="y", linewidth=0.4)
    axes[0].invert_yaxis()
    axes[0].set_xlim(left=0)
    figure.supxlabel(XLABEL, fontsize=10)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(others), frameon=False)
    figure.savefig(path, dpi=130)


def versions():
    """Return the versions and the machine, on which the times depend in addition to the code."""
    names = ("numpy", "scipy", "torch", "jax")
    installed = {
        name: importlib.import_module(name).__version__ if importlib.util.find_spec(name) else None for name in names
    }
    return {
        "python": platform.python_version(),
        **installed,
        "numerics": NUMERICS,
        "machine": machine(),
        "kernels": kernels(),
    }


def machine():
    """Return the name, family and model of the processor, and its number of cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    facts = dict(re.split(r"\s*:\s*", line, maxsplit=1) for line in lines if ":" in line)
    named = [facts.get("model name", platform.machine())]
    named += [f"{name} {facts[key]}" for name, key in (("family", "cpu family"), ("model", "model")) if key in facts]
    return ", ".join([*named, f"{os.cpu_count()} cores"])


def kernels():
    """Return the kernels that the BLAS of NumPy chose for this processor; None without threadpoolctl."""
    if not importlib.util.find_spec("threadpoolctl"):
        return None
    loaded = importlib.import_module("threadpoolctl").threadpool_info()
    blas = [one for one in loaded if one["user_api"] == "blas" and "architecture" in one]
    return ", ".join(sorted({f"{one['internal_api']} {one['architecture']}" for one in blas}))


def main():
    """Run the benchmark, write its record and its picture, and print its table."""
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
    worst = {name: max(row["ms"]["numpy_rae"] / row["ms"][name] for row in rows) for name in rows[0]["ms"]}
    print("\nlargest ratio to each: " + ", ".join(f"{name} {ratio:.3f}" for name, ratio in worst.items()))
    print(f"\n{versions()}\n\n{table(rows)}\n\npicture: {args.out / 'step.png'}")


if __name__ == "__main__":
    sys.exit(main())
