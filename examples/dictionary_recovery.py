"""Which of them finds the atoms that data are made of? Auto-encoders with ReLU and unit rows beside sparse coding.

Every sample is a sum of a few known atoms with non-negative weights, plus noise. The score is the mean over atoms of the
|cosine| with the learned row assigned to it; random rows and samples taken as rows are the levels to compare with. On
ReLU and unit rows the penalties of CAE and mDAE leave the biases alone (h'' = 0, Cor. 2). sigma^2 is sparse coding's
lambda, Eq. (2), which must be above 0: at 0 there is only the plain auto-encoder.
"""

import math
import sys

import numpy as np

from numpy_rae import options, panels, recovery, report, sparse_coding, validation
from numpy_rae.activations import RELU
from numpy_rae.objectives import MODELS
from numpy_rae.training import TrainConfig, train

# (N, n, m, active, noise), epochs, half-steps of sparse coding, sigma^2
SIZES = {
    "sample": ((2000, 32, 48, 3, 0.05), 100, 10, (0.0, 0.04, 0.09, 0.25, 0.49, 1.0)),
    "tiny": ((500, 12, 16, 2, 0.05), 20, 5, (0.0, 0.09, 0.25)),
}
AUTOENCODERS = ("DAE", "CAE", "mDAE", "SAE")
SPARSE_CODING = "sparse coding"
ETA = 0.01


def main(argv=None):
    p = options.picture_parser("dictionary_recovery", __doc__)
    p.add_argument("--seed", type=int, default=0, metavar="K", help="of data, weights, batches and noise")
    args = p.parse_args(argv)
    size, epochs, iterations, sigma2 = SIZES[args.preset]
    try:
        validation.whole("--seed", args.seed, low=0)
    except ValueError as error:
        print(f"dictionary_recovery: {error}", file=sys.stderr)
        return 2
    rng = np.random.default_rng(args.seed)
    made = recovery.mixture(*size, rng)
    m = len(made.atoms)
    lucky = recovery.chance(made.atoms, m, rng)
    levels = {"random rows": lucky.mean, "samples as rows": recovery.score(made.x[:m], made.atoms)}
    rows = learned(made.x, m, sigma2, epochs, iterations, args.seed)
    cosines = {key: recovery.found(W, made.atoms) for key, W in rows.items()}
    scores = {name: [cosine_mean(cosines, s, name) for s in sigma2] for name in (*AUTOENCODERS, SPARSE_CODING)}
    title = "{} samples of {} features, {} atoms, {} in each, noise {}".format(*size)
    print(title, table(scores, sigma2), sep="\n\n")
    print(f"\nrandom rows: {lucky.mean:.3f} +- {lucky.deviation:.3f};  samples as rows: {levels['samples as rows']:.3f}")
    best = {name: cosines[sigma2[int(np.nanargmax(values))], name] for name, values in scores.items()}
    figure = panels.recovery(sigma2, scores, levels, best, title)
    return report.save(figure, args.out, f"dictionary_recovery-{args.preset}.png")


def learned(x, m, sigma2, epochs, iterations, seed) -> dict[tuple[float, str], np.ndarray]:
    """The rows that every method learns, by (sigma^2, method)."""
    rows = {}
    for s in sigma2:
        config = TrainConfig(s, seed, m, epochs=epochs, eta=ETA)
        for name in AUTOENCODERS:
            rows[s, name] = train(x, MODELS[name], RELU, config).params.W
        if s > 0:
            fit = sparse_coding.fit(
                x, m, s, np.random.default_rng(seed), iterations, non_negative=True, tol=1e-3, max_iterations=200
            )
            rows[s, SPARSE_CODING] = fit.W
    return rows


def cosine_mean(cosines, s, name) -> float:
    return float(cosines[s, name].mean()) if (s, name) in cosines else math.nan


def table(scores, sigma2) -> str:
    """A row for each sigma^2."""
    lines = ["sigma^2  " + "".join(f"{name:>15}" for name in scores)]
    for k, s in enumerate(sigma2):
        cells = (f"{values[k]:.3f}" if not math.isnan(values[k]) else "-" for values in scores.values())
        lines.append(f"{s:<9g}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
