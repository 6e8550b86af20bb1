"""One tiny auto-encoder, forward and backward, line by line: equation, shape, value, and the finite difference beside it.

CAE, Eq. (9), with softplus: every step of `autoencoder` and of `penalties.JacobianPenalty`, in order.
"""

import sys

import numpy as np

from numpy_rae import options
from numpy_rae.activations import SOFTPLUS
from numpy_rae.autoencoder import Params, backward, forward, reconstruction, row_len2
from numpy_rae.objectives import MODELS
from numpy_rae.penalties import CAE

LAM = 0.5
X = np.array([[1.0, -0.5], [0.2, 0.8]])
PARAMS = Params(np.array([[0.6, -0.3], [0.1, 0.9]]), np.array([0.1, -0.2]))


def show(step, tag, name, value):
    flat = np.array2string(np.asarray(value), precision=4, floatmode="fixed", sign=" ").replace("\n", "")
    print(f"{step:4s} {tag:9s} {name:22s} {np.shape(value)!s:8s} {flat}")


def difference(index, field):
    """dJ / d(one parameter) by a central difference."""

    def J(t):
        moved = [part.copy() for part in PARAMS]
        moved[field][index] += t
        return MODELS["CAE"](Params(*moved), SOFTPLUS, X, LAM, None)[0]

    return (J(1e-6) - J(-1e-6)) / 2e-6


def main(argv=None):
    options.picture_parser("gradient_walkthrough", __doc__).parse_args(argv)
    fwd = forward(PARAMS, SOFTPLUS, X, order=2)
    J_AE, g_y = reconstruction(fwd.y, X)
    R, grad = CAE.value_and_grad(PARAMS, SOFTPLUS, fwd)
    for line in [("", "Eq. (3)", "a = x W^T + b_e", fwd.a), ("", "", "h = s_e(a)", fwd.jet.h), ("", "", "h'", fwd.jet.dh_da),
                 ("", "", "h''", fwd.jet.d2h_da2), ("", "", "y = h W", fwd.y), ("(a)", "Eq. (1)", "r = x - y", X - fwd.y),
                 ("", "Eq. (1)", "J_AE", J_AE), ("", "Eq. (9)", "len2", row_len2(PARAMS.W)), ("", "Eq. (9)", "R", R),
                 ("", "Eq. (8)", "J = J_AE + lam R", J_AE + LAM * R), ("(b)", "", "g_y = -2 r / N", g_y),
                 ("(c)", "", "g_h = g_y W^T", g_y @ PARAMS.W.T), ("", "Cor. 2", "dR/da", grad.dR_da),
                 ("(d)", "", "g_a = g_h h' + lam dR/da", g_y @ PARAMS.W.T * fwd.jet.dh_da + LAM * grad.dR_da),
                 ("", "Cor. 2", "dR/d(len2)", grad.dR_dlen2)]:  # fmt: skip
        show(*line)
    by_hand = backward(PARAMS, fwd, g_y, grad, LAM).dense(PARAMS)
    by_difference = Params(*(np.array([difference(i, f) for i in np.ndindex(part.shape)]).reshape(part.shape)
                             for f, part in enumerate(PARAMS)))  # fmt: skip
    for step, name, hand, numeric in zip(("(e)", "(f)"), ("g_W", "g_b_e"), by_hand, by_difference, strict=True):
        show(step, "", name, hand)
        show("", "", "  by differences", numeric)
        show("", "", "  largest difference", np.abs(hand - numeric).max())
    return 0


if __name__ == "__main__":
    sys.exit(main())
