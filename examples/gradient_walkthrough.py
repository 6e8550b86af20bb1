"""One tiny auto-encoder, forward and backward, line by line: equation, name, shape, value, finite difference.

CAE, Eq. (9), with softplus: every step of `autoencoder` and of `penalties.JacobianPenalty`, in order. "der. 3 (b)" is
section 3, step (b) of docs/derivations.md. Each gradient is compared with a difference of its function; other
quantities have no difference. The exit code is 1 if they disagree.
"""

import sys
from collections.abc import Callable
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from numpy_rae.activations import SOFTPLUS
from numpy_rae.autoencoder import Forward, Params, PenaltyGrad, backward, decode, forward, reconstruction
from numpy_rae.experiments import command_line
from numpy_rae.experiments.command import command
from numpy_rae.gradcheck import Check, directional
from numpy_rae.penalties import CAE
from numpy_rae.registry import OBJECTIVES
from numpy_rae.row_norms import row_len2

LAM = 0.5
X = np.array([[1.0, -0.5], [0.2, 0.8]])
PARAMS = Params(np.array([[0.6, -0.3], [0.1, 0.9]]), np.array([0.1, -0.2]))
ROW = "{:>4} {:20} {:26} {:7} {:23} {}"


class Step(NamedTuple):
    """One line; a gradient comes with the function `f` whose gradient it is, and the point `at`, in its own shape."""

    source: str
    name: str
    value: np.ndarray
    f: Callable | None = None
    at: np.ndarray | None = None


def J_AE_of(h):
    return reconstruction(decode(PARAMS.W, h), X)[0]


def R_of(a, W=PARAMS.W):
    jet = SOFTPLUS(a, 2)
    return CAE.value_and_grad(PARAMS._replace(W=W), SOFTPLUS, Forward(X, a, jet, decode(W, jet.h)))[0]


def J_of(**part):
    return OBJECTIVES["CAE"](PARAMS._replace(**part), SOFTPLUS, X, LAM, None)[0]


def rows_of(len2):
    """W's rows, made as long as that."""
    return PARAMS.W * np.sqrt(len2 / row_len2(PARAMS.W))[:, None]


def forward_steps(fwd: Forward) -> list[Step]:
    h, dh_da, d2h_da2, _ = fwd.jet
    return [
        Step("Eq. (3), der. 1", "a = x W^T + b_e", fwd.a),
        Step("Sec. 2, der. 1", "h = s_e(a)", h),
        Step("der. 2", "h' = dh/da", dh_da, lambda a: SOFTPLUS(a).h.sum(), fwd.a),
        Step("der. 2", "h'' = dh'/da", d2h_da2, lambda a: SOFTPLUS(a).dh_da.sum(), fwd.a),
        Step("Sec. 2, der. 1", "y = h W", fwd.y),
        Step("der. 3 (a)", "r = x - y", X - fwd.y),
        Step("Eq. (1), der. 3 (b)", "J_AE = mean of |r|^2", reconstruction(fwd.y, X)[0]),
        Step("Eq. (9), der. 5 (a)", "len2 = |W_j|^2", row_len2(PARAMS.W)),
        Step("Eq. (9), der. 5 (c)", "R = sum of E[h'^2] len2", CAE.value_and_grad(PARAMS, SOFTPLUS, fwd)[0]),
        Step("Eq. (8)", "J = J_AE + lam R", J_of()),
    ]


def backward_steps(fwd: Forward) -> list[Step]:
    a, y, (_, g_y), len2 = fwd.a, fwd.y, reconstruction(fwd.y, X), row_len2(PARAMS.W)
    grad = CAE.value_and_grad(PARAMS, SOFTPLUS, fwd)[1]
    # With slope 1 and without a penalty, what reaches a is what reached h.
    straight = fwd._replace(jet=fwd.jet._replace(dh_da=np.ones_like(a)))
    (g_h, _), *_ = backward(PARAMS, straight, g_y, PenaltyGrad()).factors
    gradient = backward(PARAMS, fwd, g_y, grad, LAM)
    (g_a, _), *_ = gradient.factors
    g_W, g_b_e = gradient.dense(PARAMS)
    return [
        Step("Cor. 2, der. 5 (d)", "dR/da = 2 h' h'' len2 / N", grad.dR_da, R_of, a),
        Step("der. 5 (e)", "dR/d(len2) = E[h'^2]", grad.dR_dlen2, lambda len2: R_of(a, rows_of(len2)), len2),
        Step("der. 3 (b)", "g_y = dJ_AE/dy = -2 r / N", g_y, lambda y: reconstruction(y, X)[0], y),
        Step("der. 3 (c)", "g_h = dJ_AE/dh = g_y W^T", g_h, J_AE_of, fwd.jet.h),
        Step("der. 3 (d)", "g_a = g_h h' + lam dR/da", g_a, lambda a: J_AE_of(SOFTPLUS(a).h) + LAM * R_of(a), a),
        Step("der. 3 (e)", "g_W = g_a^T x + h^T g_y\n  + 2 lam dR/d(len2) W", g_W, lambda W: J_of(W=W), PARAMS.W),
        Step("Eq. (5), der. 3 (f)", "g_b_e = sum of g_a", g_b_e, lambda b_e: J_of(b_e=b_e), PARAMS.b_e),
    ]


def steps() -> list[Step]:
    fwd = forward(PARAMS, SOFTPLUS, X, order=2)
    return [*forward_steps(fwd), *backward_steps(fwd)]


def differences(step: Step) -> list[Check]:
    """One for each entry; none if the step is no gradient."""
    if step.f is None:
        return []
    f = lambda point: (step.f(point.reshape(step.at.shape)), step.value.ravel())
    axes = np.eye(step.at.size)
    return [directional(f, step.at.ravel(), axis, index) for index, axis in enumerate(axes)]


def distance(check: Check) -> float:
    return abs(check.analytic - check.numeric)


def show(number: int, step: Step, checks: list[Check]) -> None:
    shape = np.shape(step.value)
    numeric = cells(np.reshape([check.numeric for check in checks], shape)) if checks else []
    names = step.name.split("\n")
    for row in zip_longest([number], [step.source], names, [str(shape)], cells(step.value), numeric, fillvalue=""):
        print(ROW.format(*row).rstrip())


def cells(value) -> list[str]:
    return np.array2string(np.asarray(value), precision=6, floatmode="fixed", sign=" ").split("\n")


@command("gradient_walkthrough")
def main(argv=None):
    command_line.picture_parser("gradient_walkthrough", __doc__).parse_args(argv)
    lines = [(step, differences(step)) for step in steps()]
    print(ROW.format("step", "equation", "name", "shape", "value", "finite difference"))
    for number, line in enumerate(lines, 1):
        show(number, *line)
    apart = {step.name.split()[0]: max(map(distance, checks)) for step, checks in lines if checks}
    wrong = [step.name.split()[0] for step, checks in lines if not all(check.passed for check in checks)]
    worst = max(apart, key=apart.get)
    verdict = f"WRONG: {', '.join(wrong)}" if wrong else "each is within what a difference can tell"
    print(f"largest difference: {apart[worst]:.1e}, of {worst}; {verdict}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
