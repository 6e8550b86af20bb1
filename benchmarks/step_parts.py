"""Profile short runs of Figure 1, and print the time per step that each function of the package takes.

    OPENBLAS_NUM_THREADS=1 python benchmarks/step_parts.py [--epochs 10] [--models DAE CAE mDAE SAE]

The runs have the settings of the default job, `python examples/fig1_relu_mnist.py`, at sigma^2 = 0.25, and no worker
processes. The time of a function includes the NumPy and BLAS calls in it, but not the functions of the package that it
calls. Functions that take less than 1 % of the time are added up in the last row.
"""

import argparse
import cProfile
import pstats
from collections import Counter
from pathlib import Path

import numpy_rae
from numpy_rae.activations import RELU
from numpy_rae.data import data_spec, prepared, preprocessing
from numpy_rae.experiments import protocol
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

PACKAGE = Path(numpy_rae.__file__).parent
REST = "all other functions"


def milliseconds(model: str, epochs: int) -> Counter[str]:
    """Return the time per step of each function, in milliseconds. Calls from the package into NumPy are its own."""
    x = prepared.load(prepared.prepare(data_spec.DataSpec("digits", protocol.EMBEDDED, preprocessing.MNIST_STD_OFFSET)))
    # `builtins=False` charges a call of compiled code to the Python function that makes it.
    profile = cProfile.Profile(builtins=False)
    trained = profile.runcall(train, x, OBJECTIVES[model], RELU, TrainConfig(0.25, epochs=epochs))
    found: Counter[str] = Counter()
    for (file, _, function), (_, _, own, _, _) in pstats.Stats(profile).stats.items():
        ours = PACKAGE in Path(file).parents
        found[f"{Path(file).stem}.{function}" if ours else REST] += own / trained.steps * 1e3
    return found


def table(found: dict[str, Counter[str]]) -> str:
    """Return one row per function, with the largest first, and one column per model."""
    total = Counter({model: each.total() for model, each in found.items()})
    large = {name for model, each in found.items() for name in each if each[name] >= total[model] / 100} - {REST}
    order = sorted(large, key=lambda name: -sum(each[name] for each in found.values()))
    rows = [(name, *(f"{each[name]:.2f}" for each in found.values())) for name in order]
    rows += [(REST, *(f"{each.total() - sum(each[name] for name in large):.2f}" for each in found.values()))]
    rows += [("sum", *(f"{total[model]:.2f}" for model in found))]
    head = [("function", *found), ("---",) * (len(found) + 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in head + rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--models", nargs="+", default=["DAE", "CAE", "mDAE", "SAE"], metavar="MODEL")
    args = parser.parse_args()
    print(table({model: milliseconds(model, args.epochs) for model in args.models}))
