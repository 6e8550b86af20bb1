"""Thm 1 and Eq. (5) as stated: exactly white data, full batch, no momentum, lambda computed from the draw."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import white_problems, whitened

from numpy_rae.activations import SIGMOID, SOFTPLUS
from numpy_rae.autoencoder import Params, forward
from numpy_rae.objectives import PAPER_OBJECTIVES, Penalised
from numpy_rae.optimizer import sgd_step, zero_velocity
from numpy_rae.penalties import CAE, L1, MDAE, SAE, JacobianPenalty
from numpy_rae.row_norms import row_len2, unit_scale
from numpy_rae.theory.lemma_1 import lemma_1_bound, lemma_1_bound_free
from numpy_rae.theory.theorem_1 import (
    penalty_bias_gradient,
    predicted_mean_preactivation,
    sufficient_lambda,
    theorem_1_holds,
)

pytestmark = pytest.mark.thm_1
PUSHING = {"SAE": SAE, "L1": L1, "CAE": CAE, "mDAE": MDAE, "q=1, p=0": JacobianPenalty(1, 0)}


def step(params, grad, eta, constrain=None):
    """Return the parameters after one plain gradient step. The step works on copies."""
    moved = Params(*(part.copy() for part in params))
    sgd_step(moved, zero_velocity(moved), grad, eta, 0.0, constrain)
    return moved


@pytest.mark.parametrize("model", ["AE", "CAE", "mDAE", "SAE", "eDAE", "taylor_dae", "CAE+H", "L1"])
@given(problem=white_problems(), eta=st.floats(1e-4, 1))
def test_equation_5_is_an_equality_on_white_data(model, problem, eta):
    """Eq. (5) is an equality, and Var[a_j] = ||W_j||^2 after the step, with and without unit rows."""
    params, activation, x, _, seed = problem
    _, grad = PAPER_OBJECTIVES[model](params, activation, x, 0.5, np.random.default_rng(seed))
    mean_a = forward(params, activation, x).a.mean(axis=0)
    predicted = predicted_mean_preactivation(mean_a, eta, grad.g_b_e)
    for constrain in (None, unit_scale):
        moved = step(params, grad, eta, constrain)
        a = forward(moved, activation, x).a
        size = max(1, np.abs(predicted).max(), np.abs(moved.W).max())
        np.testing.assert_allclose(a.mean(axis=0), predicted, atol=1e-12 * size)
        np.testing.assert_allclose(a.var(axis=0), row_len2(moved.W), atol=1e-11 * size**2)


@pytest.mark.parametrize("name", PUSHING)
@pytest.mark.parametrize("bound_of", [lemma_1_bound, lemma_1_bound_free])
@given(problem=white_problems((SOFTPLUS,)), eta=st.floats(1e-3, 10))
def test_condition_makes_the_mean_preactivation_fall(name, bound_of, problem, eta):
    """Thm 1: with lambda just above the condition and any step size, the mean falls for every unit with dR/db_e > 0."""
    params, activation, x, _, _ = problem
    params = Params(params.W + np.copysign(0.1, params.W), params.b_e)
    dR_db = penalty_bias_gradient(PUSHING[name], params, activation, x)
    bound = bound_of(params.W, x - forward(params, activation, x).y)
    lam = sufficient_lambda(dR_db, bound)
    assert theorem_1_holds(lam, dR_db, bound).all()
    _, grad = Penalised(PUSHING[name])(params, activation, x, lam)
    assert (grad.g_b_e > 0).all()
    before, after = (forward(p, activation, x).a.mean(axis=0) for p in (params, step(params, grad, eta)))
    visible = eta * grad.g_b_e > 1e-12 * (1 + np.abs(params.b_e) + np.abs(grad.dense(params).W).max() * eta)
    assert (after[visible] < before[visible]).all() and (after <= before + 1e-9 * (1 + np.abs(before))).all()


@given(problem=white_problems((SOFTPLUS, SIGMOID)))
def test_condition_is_tight_at_its_margin(problem):
    params, activation, x, _, _ = problem
    params = Params(params.W + np.copysign(0.1, params.W), params.b_e)
    dR_db = penalty_bias_gradient(SAE, params, activation, x)
    bound = lemma_1_bound(params.W, x - forward(params, activation, x).y)
    below, above = (sufficient_lambda(dR_db, bound, margin) for margin in (0.99, 1.01))
    assert theorem_1_holds(above, dR_db, bound).all() and not theorem_1_holds(below, dR_db, bound).all()


def test_no_push_means_no_lambda():
    """Thm 1 does not apply if dR/db_e = 0, as for ReLU with CAE."""
    with pytest.raises(ValueError, match="^dR_db has no positive entry; no lambda satisfies Thm 1's condition$"):
        sufficient_lambda(np.zeros(3), np.ones(3))


def test_zero_rows_need_any_positive_lambda():
    lam = sufficient_lambda(np.array([0.5]), np.zeros(1))
    assert theorem_1_holds(lam, np.array([0.5]), np.zeros(1)).all()


def test_the_condition_is_sufficient_not_necessary():
    """There is an instance in which the mean pre-activation falls although the condition does not hold."""
    rng = np.random.default_rng(0)
    x, params = whitened(rng.standard_normal((12, 3))), Params(rng.standard_normal((2, 3)), np.zeros(2))
    dR_db = penalty_bias_gradient(SAE, params, SIGMOID, x)
    bound = lemma_1_bound(params.W, x - forward(params, SIGMOID, x).y)
    lam = 0.5 * sufficient_lambda(dR_db, bound)
    _, grad = Penalised(SAE)(params, SIGMOID, x, lam)
    assert not theorem_1_holds(lam, dR_db, bound).all() and (grad.g_b_e > 0).all()
