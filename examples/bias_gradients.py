"""The bias gradient of each penalty as a function of the pre-activation, for the paper's activations.

Upper row: by Cor. 1 the bias gradient of SAE and L1 is never negative. By Cor. 2 that of CAE and mDAE has the sign of
h'': it is 0 for ReLU, positive for softplus, and has both signs for sigmoid and tanh. On unit rows the curves of mDAE
and CAE are equal (Fn. 3).

The lower row has terms that the corollaries do not cover. Thm 3's third term depends on the residual y - x. It is drawn
at two residuals, and can have either sign. The Hessian term (Sec. 2.2) is the term that CAE+H adds to CAE. It is drawn
in expectation over its noise. Both terms are 0 for ReLU, because h'' is 0. Two terms are not drawn: weight decay has no
bias gradient, and Thm 3's cross term is 0 for a single unit.
"""

import sys
from dataclasses import dataclass

import numpy as np

from numpy_rae.activations import PAPER_ACTIVATIONS
from numpy_rae.autoencoder import Params
from numpy_rae.experiments import command_line, picture_script
from numpy_rae.experiments.command import command
from numpy_rae.penalties import PENALTIES
from numpy_rae.plotting import theory_pictures
from numpy_rae.taylor_penalties import HessianTerm, ResidualTerm, WeightedSum, hessian_term
from numpy_rae.theory.theorem_1 import bias_gradient_at, penalty_bias_gradient

A = np.linspace(-6, 6, 241)
NODES = 20
NOISE = HessianTerm().noise


@dataclass(frozen=True)
class HessianAt:
    """The Hessian term of CAE+H for a given noise, which is the same for each sample and input."""

    eps: float
    order: int = 2

    def value_and_grad(self, params, activation, fwd, rng=None):
        return hessian_term(params, activation, fwd, np.full_like(fwd.x, self.eps))


def expected_hessian(noise: float) -> WeightedSum:
    """Return the expectation of the Hessian term over the noise of one input, by Gauss-Hermite quadrature."""
    z, weight = np.polynomial.hermite_e.hermegauss(NODES)
    return WeightedSum(tuple((w, HessianAt(noise * e)) for e, w in zip(z, weight / weight.sum(), strict=True)))


def residual_gradient(activation, a, r_y):
    """Return the bias gradient of Thm 3's third term at a pre-activation, for the input and bias with y - x = r_y."""
    x = activation(np.array([[a]])).h - r_y
    return penalty_bias_gradient(ResidualTerm(), Params(np.eye(1), a - x[0]), activation, x)[0]


def within(s):
    names = [name for name in PENALTIES if name != "decay" and (s.non_negative or name != "KL")]
    return {name: bias_gradient_at(PENALTIES[name], s, A) for name in names}


def third_term(s):
    return {f"y - x = {r:+d}": np.array([residual_gradient(s, a, r) for a in A]) for r in (1, -1)}


def hessian(s):
    return {f"noise {NOISE}": bias_gradient_at(expected_hessian(NOISE), s, A)}


@command("bias_gradients")
def main(argv=None):
    args = command_line.picture_parser("bias_gradients", __doc__).parse_args(argv)
    rows = {
        label: {s.name: lines(s) for s in PAPER_ACTIVATIONS.values()}
        for label, lines in (("Cor. 1 and 2", within), ("Thm 3, third term", third_term), ("CAE+H less CAE", hessian))
    }
    for label, curves in rows.items():
        for activation, lines in curves.items():
            ranges = ", ".join(f"{name} [{values.min():.3g}, {values.max():.3g}]" for name, values in lines.items())
            print(f"{label}, {activation}: range of dR/db: {ranges}")
    title = "Bias gradient at one sample, unit-length row"
    note = "Weight decay has none. Thm 3's cross term is 0 for a unit alone."
    figure = theory_pictures.bias_gradients(A, rows, title, note)
    return picture_script.save(figure, args, f"bias_gradients-{args.preset}.png")


if __name__ == "__main__":
    sys.exit(main())
