"""Which method finds the atoms of the data? Auto-encoders with ReLU and unit rows, compared with sparse coding.

Every sample is a sum of a few known atoms with non-negative weights, plus noise. The score is the mean over atoms of
the |cosine| with the learned row that is assigned to the atom. For comparison, the score is also given for random rows
and for samples that are used as rows.
On ReLU the penalties of CAE and mDAE do not change the biases (h'' = 0, Cor. 2). sigma^2 is sparse coding's lambda,
Eq. (2), which must be above 0: at 0 there is only the plain auto-encoder.
"""

import sys
from functools import partial

import numpy as np

from numpy_rae.activations import RELU
from numpy_rae.baselines import dictionary_recovery
from numpy_rae.baselines.sparse_coding import fit
from numpy_rae.experiments import command_line, picture_script
from numpy_rae.experiments.command import command
from numpy_rae.plotting import recovery_figure
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

# (N, n, m, active, noise); epochs; rounds of sparse coding; sigma^2; seeds
SIZES = {
    "sample": ((2000, 32, 48, 3, 0.05), 100, 10, (0.0, 0.04, 0.09, 0.25, 0.49, 1.0), 3),
    "tiny": ((500, 12, 16, 2, 0.05), 20, 5, (0.0, 0.09, 0.25), 1),
}
AUTOENCODERS = ("DAE", "CAE", "mDAE", "SAE")
SPARSE_CODING = "sparse coding"
METHODS = (*AUTOENCODERS, SPARSE_CODING)
ETA = 0.01
# Measured by the cosines.
code = partial(fit, non_negative=True, tol=1e-3, max_iterations=200)


@command("dictionary_recovery")
def main(argv=None):
    args = command_line.picture_parser("dictionary_recovery", __doc__).parse_args(argv)
    size, epochs, rounds, sigma2, seeds = SIZES[args.preset]
    cosines = {name: np.full((seeds, len(sigma2), size[2]), np.nan) for name in METHODS}
    levels = {"random rows": [], "samples as rows": []}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        x, atoms, _ = dictionary_recovery.mixture(*size, rng)
        levels["random rows"].append(dictionary_recovery.chance(atoms, len(atoms), rng).mean)
        levels["samples as rows"].append(dictionary_recovery.score(x[: len(atoms)], atoms))
        for k, lam in enumerate(sigma2):
            for name, W in learned(x, len(atoms), lam, seed, epochs, rounds):
                cosines[name][seed, k] = dictionary_recovery.found(W, atoms)
    levels = {name: float(np.mean(values)) for name, values in levels.items()}
    title = "{:,} samples of {} features, {} atoms, {} in each, noise {}; seeds: {}".format(*size, seeds)
    print(title, table(cosines, sigma2), "; ".join(f"{name}: {v:.3f}" for name, v in levels.items()), sep="\n\n")
    figure = recovery_figure.recovery(sigma2, cosines, levels, title)
    return picture_script.save(figure, args, f"dictionary_recovery-{args.preset}.png")


def learned(x, m, lam, seed, epochs, rounds):
    """Yield (method, its rows) at one sigma^2. Runs that diverged are left out."""
    for name in AUTOENCODERS:
        trained = train(x, OBJECTIVES[name], RELU, TrainConfig(lam, seed, m, epochs=epochs, eta=ETA))
        if not trained.diverged:
            yield name, trained.params.W
    if lam > 0:
        yield SPARSE_CODING, code(x, m, lam, np.random.default_rng(seed), rounds).W


def table(cosines, sigma2) -> str:
    """Return the scores, one row for each sigma^2, with deviations if there are several seeds. "-" means no score."""
    lines = ["sigma^2  " + "".join(f"{name:>16}" for name in cosines)]
    for k, s in enumerate(sigma2):
        scores = [found[:, k].mean(axis=1) for found in cosines.values()]
        lines.append(f"{s:<9g}" + "".join(f"{cell(values):>16}" for values in scores))
    return "\n".join(lines)


def cell(scores: np.ndarray) -> str:
    if np.isnan(scores).any():
        return "-"
    return f"{scores.mean():.3f}" + (f" +- {scores.std(ddof=1):.3f}" if len(scores) > 1 else "")


if __name__ == "__main__":
    sys.exit(main())
