"""One training run in one picture: history, L0, densities, biases, pre-activations, filters, and the figures in words.

Unit rows on the embedded digits; any model and activation of the package.
"""

import sys

from numpy_rae import options, panels, report, validation
from numpy_rae.command import command
from numpy_rae.datasets import DataSpec, build
from numpy_rae.more_activations import ALL_ACTIVATIONS
from numpy_rae.noise import ALL_MODELS
from numpy_rae.sparsity import Sparsity, measure
from numpy_rae.training import TrainConfig, Trained, train

SIZES = {"sample": (5000, 20, 1000), "tiny": (500, 6, 50)}


def parser():
    p = options.picture_parser("training_report", __doc__)
    p.add_argument("--model", default="CAE", metavar="M", help=f"one of {', '.join(ALL_MODELS)}")
    p.add_argument("--activation", default="relu", metavar="S", help=f"one of {', '.join(ALL_ACTIVATIONS)}")
    p.add_argument("--sigma2", type=float, default=0.25, metavar="S", help="regularisation coefficient")
    p.add_argument("--seed", type=int, default=0, metavar="K", help="of weights, batches and noise")
    return p


@command("training_report")
def main(argv=None):
    args = parser().parse_args(argv)
    trained, seen = run(args)
    text = panels.in_words(trained.last, seen)
    print(text)
    title = f"{args.model}, {args.activation}, unit rows, sigma^2 = {args.sigma2:g}, {trained.steps:,} updates, digits"
    figure = panels.training_report(trained.history, trained.params, seen, (28, 28), text, title)
    return report.save(figure, args.out, f"training_report-{args.preset}.png")


def run(args) -> tuple[Trained, Sparsity]:
    """Train and measure. Raises ValueError for unknown names, numbers outside their range, and a run that diverged."""
    samples, epochs, hidden = SIZES[args.preset]
    model = ALL_MODELS[validation.one_of("--model", args.model, ALL_MODELS)]
    activation = ALL_ACTIVATIONS[validation.one_of("--activation", args.activation, ALL_ACTIVATIONS)]
    config = TrainConfig(args.sigma2, args.seed, hidden, epochs=epochs)
    x = build(DataSpec("digits", samples, std_offset=0.1))
    trained = train(x, model, activation, config)
    if trained.diverged:
        raise ValueError(f"the run diverged at step {trained.diverged}; there is nothing to report at this --sigma2")
    return trained, measure(trained.params, activation, x)


if __name__ == "__main__":
    sys.exit(main())
