"""The bias gradient of each penalty as a function of the pre-activation, for every activation.

Cor. 1 makes it never negative for SAE and L1; Cor. 2 gives CAE and mDAE the sign of h'': 0 for ReLU, positive for
softplus, both signs for sigmoid and tanh. On unit rows mDAE's line is CAE's (Fn. 3).
"""

import sys

import numpy as np

from numpy_rae import illustrations, options, report
from numpy_rae.activations import ACTIVATIONS
from numpy_rae.penalties import PENALTIES
from numpy_rae.theory import bias_gradient_at

A = np.linspace(-6, 6, 241)


def main(argv=None):
    args = options.picture_parser("bias_gradients", __doc__).parse_args(argv)
    curves = {
        s.name: {
            name: bias_gradient_at(penalty, s, A)
            for name, penalty in PENALTIES.items()
            if name != "decay" and (s.non_negative or name != "KL")
        }
        for s in ACTIVATIONS.values()
    }
    for activation, lines in curves.items():
        signs = ", ".join(f"{name} [{values.min():.3g}, {values.max():.3g}]" for name, values in lines.items())
        print(f"{activation}: range of dR/db: {signs}")
    figure = illustrations.bias_gradients(A, curves, "Bias gradient at one sample, unit-length row")
    return report.save(figure, args.out, f"bias_gradients-{args.preset}.png")


if __name__ == "__main__":
    sys.exit(main())
