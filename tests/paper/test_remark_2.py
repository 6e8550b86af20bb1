"""Rem. 2: with linear decoding, squared loss and equal variances, Eq. (10) becomes Eq. (11)."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems

from numpy_rae.activations import SIGMOID
from numpy_rae.autoencoder import Params, forward
from numpy_rae.penalties import MDAE

pytestmark = pytest.mark.rem_2


@given(problems(), st.floats(0.01, 4))
def test_equation_10_by_loops_equals_equation_11(problem, lam):
    params, activation, x, _, _ = problem
    fwd = forward(params, activation, x, order=2)
    R, _ = MDAE.value_and_grad(params, activation, fwd)
    by_definition = reference.marginalised(*params, x, activation.name, np.full(x.shape[1], lam))
    assert lam * R == pytest.approx(by_definition, rel=1e-11, abs=1e-13)


def test_second_derivative_of_the_loss_in_a_code_is_twice_the_squared_row():
    """d2l/dh_j^2 = 2 ||W_j||^2. The loss is quadratic in h, so its second difference is exact for every step size."""
    rng = np.random.default_rng(0)
    W, h, x = rng.standard_normal((3, 4)), rng.standard_normal(3), rng.standard_normal(4)

    def loss(h):
        return float(((x - h @ W) ** 2).sum())

    for j, e in enumerate(np.eye(3)):
        second = loss(h + e) - 2 * loss(h) + loss(h - e)
        assert second == pytest.approx(2 * W[j] @ W[j], rel=1e-12)


def test_longer_rows_weigh_with_their_fourth_power():
    """If one row is scaled by t at fixed a, its part of mDAE grows by t^4. CAE's would grow by t^2."""
    params = Params(np.array([[1.0, 0.0]]), np.array([0.3]))
    fwd = forward(params, SIGMOID, np.array([[0.0, 2.0]]), order=2)
    one, two = (MDAE.value_and_grad(Params(t * params.W, params.b_e), SIGMOID, fwd)[0] for t in (1, 3))
    assert two / one == pytest.approx(81, rel=1e-13)
