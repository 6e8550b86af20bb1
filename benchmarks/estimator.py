"""Compare the estimator with two of scikit-learn, MiniBatchDictionaryLearning and MLPRegressor, at 10,000 x 784.

    python benchmarks/estimator.py [--data-dir FOLDER] [--epochs 10] [--out results]

All three learn 500 units that reconstruct their input. The time is processor time per epoch on one core. Reconstruction
is the explained variance, 1 - E||x - y||^2 / E||x - E[x]||^2, of 1,000 samples x and their reconstructions y. It is
compared at equal sparsity: k is the mean number of active units of the auto-encoder, and each method may use k units
per sample.

- SparseAutoEncoder uses its code as it is.
- MiniBatchDictionaryLearning uses orthogonal matching pursuit with k atoms, which solves a problem for every sample.
- MLPRegressor is trained to return its input. Nothing makes its code sparse. So it is shown with all units, and with
  the k largest activations of each sample.

With --data-dir, the data are the first 10,000 digits of the training set of MNIST, and the next 1,000 for the
reconstruction. Without it, they are the 5,000 embedded digits twice. Then reconstruction is measured on digits of the
training data.
"""

import os

from numpy_rae._blas import ONE_THREAD

os.environ.update(ONE_THREAD)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import argparse
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.decomposition import MiniBatchDictionaryLearning
from sklearn.neural_network import MLPRegressor

from numpy_rae.data.images import load_mnist, load_sample
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET, as_rows, standardise
from numpy_rae.estimator import SparseAutoEncoder
from numpy_rae.sparsity import explained_variance
from numpy_rae.training import NUMERICS

COUNT, SHOWN, UNITS, BATCH = 10_000, 1_000, 500, 50
SIGMA2 = 1.0


def digits(folder: Path | None) -> tuple[np.ndarray, np.ndarray, str]:
    """Return training samples, samples to reconstruct, and their description. All are standardised together."""
    if folder is None:
        images, name = np.concatenate([load_sample()[0]] * 2), "5,000 embedded digits, twice"
        x = standardise(as_rows(images), MNIST_STD_OFFSET).astype(np.float32)
        return x, x[:SHOWN], name
    images = load_mnist(folder=folder)[0][: COUNT + SHOWN]
    x = standardise(as_rows(images), MNIST_STD_OFFSET).astype(np.float32)
    return x[:COUNT], x[COUNT:], "10,000 MNIST digits; reconstruction on the next 1,000"


def timed(epoch, epochs: int) -> float:
    """Return the median processor time of one call of `epoch`, in seconds."""
    seconds = []
    for _ in range(epochs):
        start = time.process_time()
        epoch()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds))


def explained(x: np.ndarray, y: np.ndarray) -> float:
    """Return the explained variance of x by y."""
    return explained_variance(float(np.square(x - y).sum(axis=1).mean()), x)


def auto_encoder(x, shown, epochs):
    """Return seconds per epoch, explained variance, and the mean number of active units, k."""
    model = SparseAutoEncoder(UNITS, model="DAE", sigma2=SIGMA2, batch_size=BATCH, random_state=0)
    seconds = timed(lambda: model.partial_fit(x), epochs)
    h = model.transform(shown)
    return seconds, explained(shown, model.inverse_transform(h)), float((h > 0).sum(axis=1).mean())


def dictionary(x, shown, k):
    """Return seconds of one epoch, because each takes minutes, and the explained variance with k atoms per sample."""
    model = MiniBatchDictionaryLearning(
        UNITS, batch_size=256, max_iter=1, fit_algorithm="cd", transform_algorithm="omp", transform_n_nonzero_coefs=k,
        random_state=0,
    )  # fmt: skip
    seconds = timed(lambda: model.fit(x), 1)
    return seconds, explained(shown, model.transform(shown) @ model.components_)


def perceptron(x, shown, epochs, k):
    """Return seconds per epoch, explained variance with all units and with the k largest, and active units."""
    model = MLPRegressor(hidden_layer_sizes=(UNITS,), batch_size=BATCH, random_state=0)
    seconds = timed(lambda: model.partial_fit(x, x), epochs)
    h = np.maximum(shown @ model.coefs_[0] + model.intercepts_[0], 0)
    least = np.partition(h, -k, axis=1)[:, -k, None]
    outputs = (codes @ model.coefs_[1] + model.intercepts_[1] for codes in (h, np.where(h >= least, h, 0)))
    return seconds, *(explained(shown, y) for y in outputs), float((h > 0).sum(axis=1).mean())


def main():
    """Run the benchmark, write its record, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("results"))
    args = parser.parse_args()
    x, shown, data = digits(args.data_dir)
    seconds, share, active = auto_encoder(x, shown, args.epochs)
    k = round(active)
    rows = [row("SparseAutoEncoder", args.epochs, seconds, active, share)]
    seconds, all_units, largest, active = perceptron(x, shown, args.epochs, k)
    rows.append(row("MLPRegressor, all units", args.epochs, seconds, active, all_units))
    rows.append(row("MLPRegressor, k largest", args.epochs, seconds, k, largest))
    seconds, share = dictionary(x, shown, k)
    rows.append(row("MiniBatchDictionaryLearning", 1, seconds, k, share))
    packages = {name: version(name) for name in ("numpy", "scikit-learn")}
    versions = {"python": platform.python_version(), **packages, "numerics": NUMERICS}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "estimator.json").write_text(json.dumps({"data": data, "versions": versions, "rows": rows}, indent=1))
    print(f"{data}; {versions}\n\n{table(rows)}")


def row(estimator, epochs, seconds, active, share):
    """Return one line of the record."""
    return {
        "estimator": estimator,
        "epochs": epochs,
        "seconds_per_epoch": seconds,
        "active_units": active,
        "explained_variance": share,
    }


def table(rows):
    """Return the record as a Markdown table."""
    lines = ["| " + " | ".join(name.replace("_", " ") for name in rows[0]) + " |", "|" + "---|" * len(rows[0])]
    for entry in rows:
        name, epochs, seconds, active, share = entry.values()
        lines.append(f"| {name} | {epochs} | {seconds:.2f} | {active:.1f} | {share:.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
