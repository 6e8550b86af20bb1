"""Thm 1 during training: both sides of its condition, and the change of E[a_j], predicted by Eq. (5) and measured.

SAE with sigmoid units and unit rows on the embedded digits, with momentum and minibatches. One side of the condition has
the bound of Lemma 1.
"""

import sys

from numpy_rae.activations import SIGMOID
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.experiments import command_line, picture_script
from numpy_rae.experiments.command import command
from numpy_rae.plotting import theory_pictures
from numpy_rae.registry import OBJECTIVES
from numpy_rae.theory.monitor import Monitor
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

SIZES = {"sample": (5000, 10, 1000), "tiny": (500, 4, 50)}


@command("theorem_1_condition")
def main(argv=None):
    args = command_line.picture_parser("theorem_1_condition", __doc__).parse_args(argv)
    samples, epochs, hidden = SIZES[args.preset]
    x = build(DataSpec("digits", samples, std_offset=0.1))
    config = TrainConfig(sigma2=1.0, hidden=hidden, epochs=epochs)
    monitor = Monitor(x.mean(axis=0), SIGMOID, config.eta, config.momentum, every=10)
    train(x, OBJECTIVES["SAE"], SIGMOID, config, watch=monitor)
    for seen in monitor.observations[:: max(1, len(monitor.observations) // 5)]:
        shares = "  ".join(f"{name} {share:.2f}" for name, share in seen.holds().items())
        right = f"sign of Eq. (5) right: {seen.sign_right():.2f}"
        print(f"update {seen.step:5d}: units above the bound: {shares};  {right}")
    figure = theory_pictures.theorem_1(monitor.observations, f"SAE, sigmoid, unit rows, {samples:,} digits")
    return picture_script.save(figure, args, f"theorem_1_condition-{args.preset}.png")


if __name__ == "__main__":
    sys.exit(main())
