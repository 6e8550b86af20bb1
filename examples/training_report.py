"""Draw one training run in one picture: history, L0, densities, biases, pre-activations, filters, and the numbers.

Unit rows on the embedded digits; any model and activation of the package.
"""

import sys

from numpy_rae import _validation
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.experiments import command_line, picture_script
from numpy_rae.experiments.command import command
from numpy_rae.plotting import training_report
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.sparsity import Sparsity, measure
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import TrainResult
from numpy_rae.training import train

SIZES = {"sample": (5000, 20, 1000), "tiny": (500, 6, 50)}


def parser():
    p = command_line.picture_parser("training_report", __doc__)
    p.add_argument("--model", default="CAE", metavar="M", help=f"one of {', '.join(OBJECTIVES)}")
    p.add_argument("--activation", default="relu", metavar="S", help=f"one of {', '.join(ACTIVATIONS)}")
    p.add_argument("--sigma2", type=float, default=0.25, metavar="S", help="regularisation coefficient")
    p.add_argument("--seed", type=int, default=0, metavar="K", help="of weights, batches and noise")
    return p


@command("training_report")
def main(argv=None):
    args = parser().parse_args(argv)
    trained, seen = run(args)
    text = training_report.in_words(trained.last, seen)
    print(text)
    title = f"{args.model}, {args.activation}, unit rows, sigma^2 = {args.sigma2:g}, {trained.steps:,} updates, digits"
    figure = training_report.training_report(trained.history, trained.params, seen, (28, 28), text, title)
    return picture_script.save(figure, args, f"training_report-{args.preset}.png")


def run(args) -> tuple[TrainResult, Sparsity]:
    """Train and measure. Raise ValueError for unknown names, numbers outside their range, and a run that diverged."""
    samples, epochs, hidden = SIZES[args.preset]
    model = OBJECTIVES[_validation.one_of("--model", args.model, OBJECTIVES)]
    activation = ACTIVATIONS[_validation.one_of("--activation", args.activation, ACTIVATIONS)]
    config = TrainConfig(args.sigma2, args.seed, hidden, epochs=epochs)
    x = build(DataSpec("digits", samples, std_offset=0.1))
    trained = train(x, model, activation, config)
    if trained.diverged:
        raise ValueError(f"the run diverged at step {trained.diverged}; there is nothing to report at this --sigma2")
    return trained, measure(trained.params, activation, x)


if __name__ == "__main__":
    sys.exit(main())
