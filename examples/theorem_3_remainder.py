"""Thm 3: the remainder of Eq. (7) against sigma, with all its terms and without one of them.

The expectation over the noise is computed by Gauss-Hermite quadrature, without random numbers. The slope is 4 with all
terms, because odd Gaussian moments are 0. It is 2 if one of the terms is left out.
"""

import sys

import numpy as np

from numpy_rae.activations import SIGMOID, SOFTPLUS, TANH
from numpy_rae.autoencoder import Params, forward
from numpy_rae.experiments import command_line, picture_script
from numpy_rae.experiments.command import command
from numpy_rae.objectives import ae
from numpy_rae.penalties import MDAE
from numpy_rae.plotting import theory_pictures
from numpy_rae.taylor_penalties import CrossTerm, ResidualTerm
from numpy_rae.theory.theorem_3 import expected_denoising

TERMS = {"diagonal": MDAE, "cross": CrossTerm(), "residual": ResidualTerm()}
SIGMA = np.geomspace(0.02, 0.3, 8)


def remainder(params, activation, x, dropped=None):
    fwd = forward(params, activation, x, order=3)
    R = sum(term.value_and_grad(params, activation, fwd)[0] for name, term in TERMS.items() if name != dropped)
    J = ae(params, activation, x)[0]
    return np.array([abs(expected_denoising(params, activation, x, s) - J - s**2 * R) for s in SIGMA])


@command("theorem_3_remainder")
def main(argv=None):
    args = command_line.picture_parser("theorem_3_remainder", __doc__).parse_args(argv)
    rng = np.random.default_rng(1)
    params, x = Params(rng.standard_normal((4, 2)), rng.standard_normal(4)), rng.standard_normal((6, 2))
    lines = {f"{s.name}, all terms": remainder(params, s, x) for s in (SIGMOID, SOFTPLUS, TANH)}
    lines |= {f"sigmoid without the {name} term": remainder(params, SIGMOID, x, name) for name in TERMS}
    for label, values in lines.items():
        print(f"{label:35s} slope {np.polyfit(np.log(SIGMA[:4]), np.log(values[:4]), 1)[0]:.2f}")
    figure = theory_pictures.theorem_3(SIGMA, lines, "Thm 3: remainder of Eq. (7), n = 2, m = 4")
    return picture_script.save(figure, args, f"theorem_3_remainder-{args.preset}.png")


if __name__ == "__main__":
    sys.exit(main())
