"""Rem. 1: the squared Frobenius norm of the Jacobian, Eq. (8), is a sum over units, Eq. (9)."""

import numpy as np
import pytest
from hypothesis import given
from strategies import problems

from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.autoencoder import Params, forward
from numpy_rae.penalties import CAE

pytestmark = pytest.mark.rem_1


@given(problems())
def test_equation_9_equals_the_whole_jacobian_of_equation_8(problem):
    """Eq. (8) by finite differences of h in x, for every entry of the (N, m, n) Jacobian."""
    params, activation, x, _, _ = problem
    fwd = forward(params, activation, x, order=2)
    t = 1e-6
    columns = [
        (forward(params, activation, x + t * e).jet.h - forward(params, activation, x - t * e).jet.h) / (2 * t)
        for e in np.eye(x.shape[1])
    ]
    J = np.stack(columns, axis=2)
    R, _ = CAE.value_and_grad(params, activation, fwd)
    assert R == pytest.approx((J**2).sum() / len(x), rel=1e-6, abs=1e-9)


def test_neither_square_of_the_sum_nor_mean_nor_summed_unit():
    """Other implementations compute these quantities in its place. All differ from it on two units and two samples."""
    params, x = Params(np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([0.1, -0.2])), np.array([[0.3, 0.1], [-0.4, 0.9]])
    fwd = forward(params, SIGMOID, x, order=2)
    R, _ = CAE.value_and_grad(params, SIGMOID, fwd)
    J = fwd.jet.dh_da[:, :, None] * params.W
    frobenius = np.mean((J**2).sum(axis=(1, 2)))
    others = [J.sum() ** 2 / 2, (J**2).mean(), np.mean((J.sum(axis=1) ** 2).sum(axis=1)), (params.W**2).sum()]
    assert R == pytest.approx(frobenius, rel=1e-13) and all(abs(R - other) > 0.01 for other in others)


def test_relu_s_jacobian_counts_active_rows():
    params, x = Params(np.array([[3.0, 4.0], [1.0, 0.0]]), np.zeros(2)), np.array([[1.0, 0.0], [-1.0, 1.0]])
    fwd = forward(params, RELU, x, order=2)
    # Sample 1 activates both rows (25 + 1). Sample 2 activates the first row (25).
    assert CAE.value_and_grad(params, RELU, fwd)[0] == (26 + 25) / 2
