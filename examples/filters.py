"""The filters of the hidden units: rows of W as images, each with its activation fraction, Eq. (14) for one unit.

DAE with ReLU and unit rows on the embedded digits, sigma^2 = 0.09.
"""

import sys

from numpy_rae.activations import RELU
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.experiments import command_line, picture_script
from numpy_rae.experiments.command import command
from numpy_rae.metrics import measure
from numpy_rae.plotting import filters
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

SIZES = {"sample": (5000, 30, 1000), "tiny": (500, 4, 50)}


@command("filters")
def main(argv=None):
    args = command_line.picture_parser("filters", __doc__).parse_args(argv)
    samples, epochs, hidden = SIZES[args.preset]
    x = build(DataSpec("digits", samples, std_offset=0.1))
    trained = train(x, OBJECTIVES["DAE"], RELU, TrainConfig(sigma2=0.09, hidden=hidden, epochs=epochs))
    active = measure(trained.params, RELU, x).active
    print(f"activation fraction: mean {active.mean():.3f}, lowest {active.min():.3f}, highest {active.max():.3f}")
    title = rf"DAE, ReLU, unit rows, $\sigma^2$ = 0.09, {trained.steps:,} updates"
    figure = filters.filters(trained.params.W, active, (28, 28), title, count=36)
    return picture_script.save(figure, args, f"filters-{args.preset}.png")


if __name__ == "__main__":
    sys.exit(main())
