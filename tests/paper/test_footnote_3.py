"""Fn. 3: with unit rows, CAE and mDAE differ only in the radial part of the weight gradient.

Their values, bias gradients and tangent weight gradients are equal.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import white_problems, whitened

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU
from numpy_rae.autoencoder import Params
from numpy_rae.constraints import tangent
from numpy_rae.objectives import PAPER_OBJECTIVES, ae
from numpy_rae.optimizer import sgd_step, zero_velocity
from numpy_rae.row_norms import row_len2, unit_rows, unit_scale
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import init_state, train

pytestmark = pytest.mark.fn_3
SIGMA2, ETA = 0.7, 0.05
X = whitened(np.random.default_rng(0).standard_normal((40, 4)))
BOTH = [PAPER_OBJECTIVES["CAE"], PAPER_OBJECTIVES["mDAE"]]
by_activation = pytest.mark.parametrize("activation", PAPER_ACTIVATIONS.values(), ids=lambda s: s.name)


@given(white_problems())
def test_same_but_for_the_length_part_of_the_radial_gradient_which_is_twice_as_large(problem):
    """W_j . dR/dW_j = kappa_j + p d_j with kappa_j = 2 E[h' h'' (a_j - b_j)], d_j = E[h'^2]; p = 2 CAE, p = 4 mDAE."""
    params, activation, x, _, _ = problem
    params = Params(params.W + np.copysign(0.5, params.W), params.b_e)
    unit_rows(params.W)
    (J_c, cae), (J_m, mdae) = (model(params, activation, x, SIGMA2, None) for model in BOTH)
    assert J_c == pytest.approx(J_m, rel=1e-13)
    np.testing.assert_allclose(cae.g_b_e, mdae.g_b_e, rtol=1e-10, atol=1e-12)
    along = [tangent(grad, params).dense(params).W for grad in (cae, mdae)]
    np.testing.assert_allclose(*along, rtol=1e-9, atol=1e-11)
    projected = x @ params.W.T
    _, slope, curvature, _ = activation(projected + params.b_e, 2)
    kappa, d = 2 * (slope * curvature * projected).mean(axis=0), (slope**2).mean(axis=0)
    plain = ae(params, activation, x)[1].dense(params).W
    for grad, p in ((cae, 2), (mdae, 4)):
        radial = ((grad.dense(params).W - plain) * params.W).sum(axis=1)
        np.testing.assert_allclose(radial, SIGMA2 * (kappa + p * d), rtol=1e-9, atol=1e-11)
    difference = mdae.dense(params).W - cae.dense(params).W
    np.testing.assert_allclose(difference, 2 * SIGMA2 * d[:, None] * params.W, rtol=1e-9, atol=1e-11)


def ends(activation, unit=True, **settings):
    """Return the parameters of CAE and mDAE after training from one start.

    Rows have unit length or the initial length.
    """
    config = TrainConfig(SIGMA2, hidden=6, eta=ETA, dtype="float64", **settings)
    states = [init_state(4, config) for _ in BOTH]
    for model, state in zip(BOTH, states, strict=True):
        if unit:
            unit_rows(state.params.W)
        train(X, model, activation, config, state=state)
    return [state.params for state in states]


def apart(activation, **settings):
    """Return the distance between CAE and mDAE after twenty steps from unit rows."""
    both = ends(activation, batch_size=10, epochs=5, **settings)
    return max(np.abs(one - other).max() for one, other in zip(*both, strict=True))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@by_activation
def test_one_and_the_same_algorithm_under_the_tangent_projection_momentum_or_not(activation, momentum):
    assert apart(activation, momentum=momentum, tangent=True) < 1e-13


@by_activation
def test_two_algorithms_under_plain_steps_then_projection_and_momentum_enlarges_the_difference(activation):
    assert 1e-5 < apart(activation, momentum=0.0) < apart(activation, momentum=0.9)


@by_activation
def test_a_first_step_from_rows_of_another_length_differs_for_all_but_relu(activation):
    """The biases differ by 2 lambda eta E[h' h''] (len2^2 - len2).

    ReLU's penalty gradients have no tangent part either.
    """
    cae, mdae = ends(activation, unit=False, tangent=True, batch_size=40, epochs=1)
    W, b_e = init_state(4, TrainConfig(hidden=6, dtype="float64")).params
    _, slope, curvature, _ = activation(X @ W.T + b_e, 2)
    len2 = row_len2(W)
    expected = 2 * SIGMA2 * ETA * (slope * curvature).mean(axis=0) * (len2**2 - len2)
    np.testing.assert_allclose(cae.b_e - mdae.b_e, expected, rtol=1e-9, atol=1e-15)
    same = np.abs(cae.W - mdae.W).max() < 1e-13
    assert same == (activation is RELU) == (not expected.any())


def plain_step(params, activation, x, model, eta):
    """Return the rows after one step and the projection to length 1, and the gradient of that step."""
    _, grad = model(params, activation, x, SIGMA2, None)
    moved = Params(*(part.copy() for part in params))
    sgd_step(moved, zero_velocity(moved), grad, eta, 0.0, unit_scale)
    return moved.W, grad


@given(problem=white_problems(), eta=st.floats(1e-3, 1))
def test_a_plain_step_turns_a_row_by_an_angle_of_this_tangent(problem, eta):
    """The tangent of the angle is eta ||g_t|| / (1 - eta rho).

    g_t is the tangent part of the row's gradient, and rho is the radial part.
    """
    params, activation, x, _, _ = problem
    params = Params(params.W + np.copysign(0.5, params.W), params.b_e)
    unit_rows(params.W)
    for model in BOTH:
        moved, grad = plain_step(params, activation, x, model, eta)
        g, g_t = grad.dense(params).W, tangent(grad, params).dense(params).W
        rho = (g * params.W).sum(axis=1)
        across, along = -(moved * g_t).sum(axis=1), (moved * params.W).sum(axis=1)
        size = max(1, np.abs(g).max()) ** 2
        np.testing.assert_allclose(across * (1 - eta * rho), eta * row_len2(g_t) * along, rtol=1e-9, atol=1e-12 * size)


@by_activation
def test_directions_differ_after_one_plain_step_by_twice_lambda_d_eta_squared_tangent_length(activation):
    """The remainder has slope 3 in eta."""
    rng = np.random.default_rng(1)
    params = Params(rng.standard_normal((3, 4)), rng.standard_normal(3))
    unit_rows(params.W)
    _, grad = BOTH[0](params, activation, X, SIGMA2, None)
    d = (activation(X @ params.W.T + params.b_e, 1).dh_da ** 2).mean(axis=0)
    leading = 2 * SIGMA2 * d * np.sqrt(row_len2(tangent(grad, params).dense(params).W))
    etas, remainder = np.array([1e-2, 1e-3]), []
    for eta in etas:
        cae, mdae = (plain_step(params, activation, X, model, eta)[0] for model in BOTH)
        remainder.append(np.abs(np.sqrt(row_len2(mdae - cae)) - leading * eta**2))
    slopes = np.diff(np.log(remainder), axis=0) / np.diff(np.log(etas))
    np.testing.assert_allclose(slopes, 3, atol=0.1)
