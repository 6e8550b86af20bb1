"""Two controls for certificate_validation.py: momentum in ReLU's wrong predictions, and the units below KL's target.

The seed is 0. The data are those of `numpy_rae.experiments.certificate_data`, and the sizes those of
`certificate_trials`. The script prints two tables, which docs/certificate.md quotes.
"""

import sys
from dataclasses import replace

from numpy_rae.activations import RELU
from numpy_rae.autoencoder import forward
from numpy_rae.experiments import certificate_data, certificate_trials, command_line
from numpy_rae.experiments.command import command
from numpy_rae.objectives import AE
from numpy_rae.registry import OBJECTIVES, find_activation
from numpy_rae.training import train

SLOPED, TARGET = 50, 25  # epochs of each control
STEPS = {"with momentum": (0.9, 1), "without, ten times eta": (0.0, 10), "without, the same eta": (0.0, 1)}
ACTIVATIONS = ("relu", "sigmoid", "softplus", "softplus(beta=4)", "softplus(beta=16)", "hard_sigmoid", "squared_relu")
RHO_0 = 0.05


@command("certificate_controls")
def main(argv=None):
    args = command_line.text_parser("certificate_controls", __doc__, certificate_trials.PRESETS).parse_args(argv)
    preset = certificate_trials.PRESETS[args.preset]
    momentum(preset)
    below_target(preset)
    return 0


def trained(preset, model, s_e, data, lam, epochs, **changed):
    config = replace(certificate_trials.config(preset, s_e, data, lam, seed=0, tangent=False), epochs=epochs, **changed)
    return train(certificate_data.load(data, preset.samples), model, s_e, config)


def momentum(preset):
    """Print the activation fraction of ReLU with mDAE on digits, with and without momentum."""
    epochs = min(SLOPED, preset.epochs[-1])
    print(f"relu, mDAE, digits, {epochs} epochs: activation fraction at lambda = 0 and 1")
    for name, (mu, factor) in STEPS.items():
        given = {"momentum": mu, "eta": factor * certificate_trials.ETA["digits"]}
        ends = [trained(preset, OBJECTIVES["mDAE"], RELU, "digits", lam, epochs, **given) for lam in (0.0, 1.0)]
        print(f"{name:24s}" + "".join(f"{end.metrics['activation_fraction']:8.3f}" for end in ends))


def below_target(preset):
    """Print the number of units with E[h_j] below KL's target, where its f decreases."""
    epochs = min(TARGET, preset.epochs[-1])
    print(f"units with E[h_j] < {RHO_0} after {epochs} epochs: AE at lambda = 0, KL at 1")
    for data in preset.hidden:
        for s_e in map(find_activation, ACTIVATIONS):
            few = [
                count_below(preset, model, s_e, data, lam, epochs)
                for model, lam in ((AE, 0.0), (OBJECTIVES["KL"], 1.0))
            ]
            print(f"{data:8s} {s_e.name:18s} {few[0]:4d} {few[1]:4d} of {preset.hidden[data]}")


def count_below(preset, model, s_e, data, lam, epochs) -> int:
    params = trained(preset, model, s_e, data, lam, epochs).params
    h = forward(params, s_e, certificate_data.load(data, preset.samples)).jet.h
    return int((h.mean(axis=0) < RHO_0).sum())


if __name__ == "__main__":
    sys.exit(main())
