"""Does noise of mean zero move the biases, and can the movement be predicted from one frozen state?

Question. eDAE adds noise of mean zero to the gradient. To second order in the noise it still moves the mean parameters
(docs/derivations.md, section 21). This script trains a plain auto-encoder and freezes it. At this state it computes the
Hessian, the covariance of the noise and the second differences of the gradient. From these it predicts the drift of the
biases without drawing any noise. Then it draws the noise, in antithetic pairs, and measures the drift.

Rule of decision, written before any result. The derivation stands if the predicted change of the mean bias is within 3
standard errors of the measured one, or within 15 % of it, at every number of steps shown. "The biases go down" holds if
the measured change is negative by 3 standard errors. The derivation is for free rows. Unit rows are measured too, but no
verdict depends on them.

The data are sums of a few random atoms. They are whitened exactly, so that the bias is the mean pre-activation. The
units are ReLU. Each step uses all N samples, without momentum, with eta = .01 and sigma^2 / N = 1 / 50. This is as much noise per
step as with eta = .001, momentum .9, batches of 50 and sigma^2 = 1.
"""

import sys
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from numpy_rae.activations import RELU
from numpy_rae.autoencoder import Params, init_params
from numpy_rae.baselines import dictionary_recovery
from numpy_rae.dae_noise.gradient_noise import (
    decoder_push,
    plain_gradient,
    predicted_drift,
    second_order,
    simulated_drift,
)
from numpy_rae.data.preprocessing import whiten
from numpy_rae.experiments import command_line, picture_script, study_rows
from numpy_rae.experiments.command import command
from numpy_rae.gradcheck import flatten, unflatten
from numpy_rae.plotting.style import MIDDLE_GREY, STYLES, in_default_style, new_figure
from numpy_rae.row_norms import unit_rows
from numpy_rae.storage import jsonl

ETA, BATCH = 0.01, 50
# Samples, n, m; steps of training before the state is frozen; steps with noise; pairs of runs; step for the Hessian.
SIZES = {"sample": (1000, 10, 20, 20_000, 200, 60, 0.01), "tiny": (100, 4, 6, 500, 10, 5, 0.05)}
SHOWN = 8


class Measured(NamedTuple):
    """Hold the change of the mean bias after each of `steps`: mean and standard error over the pairs, (k,) each."""

    mean: np.ndarray
    error: np.ndarray


def frozen_state(x: np.ndarray, m: int, steps: int, unit: bool) -> Params:
    """Return a plain auto-encoder after `steps` steps of gradient descent, with free or unit rows."""
    params = init_params(m, x.shape[1], np.random.default_rng(1), np.float64)
    theta = flatten(params)
    for _ in range(steps):
        theta = theta - ETA * plain_gradient(theta, params, RELU, x)
        if unit:
            unit_rows(unflatten(theta, params).W)
    return unflatten(theta, params)


def second_order_push(params: Params, x: np.ndarray, C: np.ndarray) -> float:
    """Return the mean over the biases of (b), the gradient that the covariance C adds."""
    theta = flatten(params)
    g = plain_gradient(theta, params, RELU, x)
    p = second_order(lambda moved: plain_gradient(theta + moved, params, RELU, x), g, C)
    return float(p[params.W.size :].mean())


def measured(params: Params, x: np.ndarray, at: np.ndarray, draws: int, unit: bool) -> Measured:
    """Simulate the runs with noise, starting from the frozen state."""
    sigma2, rng = len(x) / BATCH, np.random.default_rng(2)
    paths = simulated_drift(params, RELU, x, sigma2, ETA, int(at[-1]), rng, draws, unit)
    bias = paths[:, at, params.W.size :].mean(axis=2)
    return Measured(bias.mean(axis=0), bias.std(axis=0, ddof=1) / draws**0.5)


@command("edae_drift")
def main(argv=None):
    args = command_line.picture_parser("edae_drift", __doc__).parse_args(argv)
    N, n, m, before, steps, draws, h = SIZES[args.preset]
    x = whiten(dictionary_recovery.mixture(N, n, 2 * n, 3, 0.05, np.random.default_rng(0), np.float64).x)
    at = np.unique(np.linspace(0, steps, SHOWN + 1, dtype=int)[1:])
    free = frozen_state(x, m, before, unit=False)
    drift = predicted_drift(free, RELU, x, N / BATCH, ETA, steps, h)
    predicted = drift.mean[:, free.W.size :].mean(axis=1)
    found = {unit: measured(frozen_state(x, m, before, unit), x, at, draws, unit) for unit in (False, True)}
    gradient = np.linalg.norm(plain_gradient(flatten(free), free, RELU, x))
    push = decoder_push(free, RELU, x, drift.covariance).mean()
    whole = second_order_push(free, x, drift.covariance)
    print(f"{N:,} samples, n = {n}, m = {m}, {draws} pairs; norm of the gradient at the frozen state: {gradient:.2g}")
    print(table(at, predicted, found))
    print(
        f"mean push on the biases after the last step: {whole:.3g}, each row's own noise, through the decoder: {push:.3g}"
    )
    print(decision(predicted[at], found[False]))
    rows = [
        {"step": int(step), "predicted": predicted[step],
         "free": found[False].mean[k], "free_error": found[False].error[k],
         "unit": found[True].mean[k], "unit_error": found[True].error[k]}
        for k, step in enumerate(at)
    ]  # fmt: skip
    jsonl.rewrite(args.out / f"edae_drift-{args.preset}.jsonl", rows)
    return picture_script.save(picture(at, predicted, found), args, f"edae_drift-{args.preset}.png")


def table(at: np.ndarray, predicted: np.ndarray, found: dict[bool, Measured]) -> str:
    lines = [
        (step, f"{predicted[step]:+.3e}", *(f"{one.mean[k]:+.3e} +- {one.error[k]:.1e}" for one in found.values()))
        for k, step in enumerate(at)
    ]
    head = ("step", "predicted change of the mean bias", "measured, free rows", "measured, unit rows")
    return study_rows.text_table(head, lines)


def decision(predicted: np.ndarray, found: Measured) -> str:
    """Apply the rule in the docstring of this script to free rows."""
    gap = abs(predicted - found.mean)
    stands = ((gap <= 3 * found.error) | (gap <= 0.15 * abs(found.mean))).all()
    down = (found.mean < -3 * found.error).all()
    worst = (gap / abs(found.mean)).max()
    return (
        f"the derivation {'stands' if stands else 'does not stand'} (largest relative gap {worst:.3f}); "
        f"the biases {'go down' if down else 'do not go down at every step shown'}"
    )


@in_default_style
def picture(at: np.ndarray, predicted: np.ndarray, found: dict[bool, Measured]) -> Figure:
    """Draw the predicted change of the mean bias as a line, and the measured changes with bars of two standard errors."""
    figure = new_figure(7, 4.5)
    ax = figure.subplots()
    ax.plot(predicted, color="black", label="predicted from the frozen state, free rows")
    looks = {False: ("measured, free rows", *STYLES["CAE"]), True: ("measured, unit rows", *STYLES["DAE"])}
    for unit, (label, color, marker) in looks.items():
        mean, error = found[unit]
        ax.errorbar(at, mean, 2 * error, color=color, marker=marker, ls="none", capsize=3, label=label)
    ax.axhline(0, color=MIDDLE_GREY, lw=0.8)
    ax.set(xlabel="steps after the state was frozen", ylabel=r"change of the mean bias $b_j$",
           title="Drift by eDAE's noise of mean zero, ReLU (bars: 2 standard errors)")  # fmt: skip
    ax.ticklabel_format(axis="y", scilimits=(-2, 2))
    ax.legend(frameon=False)
    ax.grid(alpha=0.25)
    return figure


if __name__ == "__main__":
    sys.exit(main())
