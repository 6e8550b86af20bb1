"""Thm 3 during training: the three terms of Eq. (7)'s bracket, at the start and after each epoch, on fixed samples.

The third term contains the residual. The paper says that it becomes small after a few epochs, so that the other two
terms dominate. This script measures the terms and their bias gradients (Thm 1), for DAE and the plain auto-encoder with
unit rows on the embedded digits. For ReLU h'' is 0, so the third term and all these bias gradients are 0. Epoch 0 is
the initialisation. Its rows do not have length 1 yet.
"""

import sys

import numpy as np

from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS
from numpy_rae.autoencoder import forward, reconstruction
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.experiments import command_line, picture_script
from numpy_rae.experiments.command import command
from numpy_rae.plotting import theory_pictures
from numpy_rae.registry import OBJECTIVES
from numpy_rae.taylor_penalties import TAYLOR, WeightedSum
from numpy_rae.theory.theorem_1 import penalty_bias_gradient
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import init_state, run_epochs

SIZES = {"sample": (5000, 10, 1000), "tiny": (500, 2, 50)}
SIGMA2 = {"DAE": 0.25, "AE": 0.0}
PROBE = 500


@command("theorem_3_terms")
def main(argv=None):
    args = command_line.picture_parser("theorem_3_terms", __doc__).parse_args(argv)
    samples, epochs, hidden = SIZES[args.preset]
    x = build(DataSpec("digits", samples, std_offset=0.1))
    seen = {}
    for activation in (SIGMOID, SOFTPLUS, RELU):
        for model, sigma2 in SIGMA2.items():
            config = TrainConfig(sigma2, hidden=hidden, epochs=epochs)
            found = watched(x, OBJECTIVES[model], activation, config)
            print(f"{activation.name}, {model}, sigma^2 = {sigma2:g}\n{table(found)}\n")
            label = model if sigma2 == 0 else rf"{model} at $\sigma^2$ = {sigma2:g}"
            seen.setdefault(activation.name, {})[label] = found[:, 1:4]
    title = f"Eq. (7) while training, unit rows, {samples:,} digits, {hidden:,} units"
    figure = theory_pictures.theorem_3_terms(seen, title)
    return picture_script.save(figure, args, f"theorem_3_terms-{args.preset}.png")


def watched(x, model, activation, config) -> np.ndarray:
    """Return the results of `measured` on fixed samples, at the start and after each epoch, shape (epochs + 1, 5)."""
    state, probe = init_state(x.shape[1], config), x[:: max(1, len(x) // PROBE)]
    seen = [measured(state.params, activation, probe)]
    for _ in range(config.epochs):
        run_epochs(state, x, model, activation, config, 1)
        seen.append(measured(state.params, activation, probe))
    return np.array(seen)


def measured(params, activation, x) -> tuple[float, ...]:
    """Return J_AE, the three terms, and the norm of the third term's bias gradient divided by that of the others."""
    fwd = forward(params, activation, x, TAYLOR.order)
    *others, third = TAYLOR.parts
    values = (penalty.value_and_grad(params, activation, fwd)[0] for _, penalty in TAYLOR.parts)
    pushes = (WeightedSum(parts) for parts in ((third,), tuple(others)))
    one, two = (np.linalg.norm(penalty_bias_gradient(push, params, activation, x)) for push in pushes)
    return reconstruction(fwd.y, x)[0], *values, one / two if two else np.nan


def table(seen) -> str:
    lines = ["                                             |third| / (diagonal + cross)",
             "epoch       J_AE   diagonal      cross      third      value  bias gradient"]  # fmt: skip
    for epoch, (J_AE, diagonal, cross, third, push) in enumerate(seen):
        share = abs(third) / (diagonal + cross)
        numbers = f"{J_AE:10.5g} {diagonal:10.5g} {cross:10.5g} {third:10.5g} {share:10.5f}"
        lines.append(f"{epoch:5d} {numbers} " + ("             -" if np.isnan(push) else f"{push:14.3f}"))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
