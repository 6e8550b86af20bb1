"""Cor. 2: for powers of the Jacobian, the sign of the bias gradient is the sign of the second derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import white_problems
from test_corollary_1 import every_mean_preactivation_falls, instance
from test_theorem_1 import step

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SIGMOID, SOFTPLUS, TANH
from numpy_rae.autoencoder import Params, forward
from numpy_rae.extra_activations import SOFTPLUS_4
from numpy_rae.objectives import Penalised
from numpy_rae.penalties import CAE, MDAE, JacobianPenalty
from numpy_rae.taylor_penalties import CrossTerm
from numpy_rae.theory.theorem_1 import penalty_bias_gradient, reconstruction_bias_gradient

pytestmark = pytest.mark.cor_2
POWERS = {"q": st.integers(1, 4), "p": st.integers(0, 5)}
CONVEX = tuple(s for s in PAPER_ACTIVATIONS.values() if s.convex)


@given(problem=white_problems((SOFTPLUS,)), **POWERS)
def test_strictly_positive_for_softplus(problem, q, p):
    """Cor. 2 for h'' > 0: the gradient must be positive.

    Rows are not zero, and a is moderate because h'' underflows far out.
    """
    params = Params(problem.params.W + np.copysign(0.1, problem.params.W), problem.params.b_e)
    assert (penalty_bias_gradient(JacobianPenalty(q, p), params, SOFTPLUS, problem.x) > 0).all()


@given(problem=white_problems((RELU,)), **POWERS)
def test_exactly_zero_for_relu(problem, q, p):
    """Cor. 2 with Fn. 1: h'' is 0 at every sample."""
    assert not penalty_bias_gradient(JacobianPenalty(q, p), problem.params, RELU, problem.x).any()


@pytest.mark.parametrize("penalty", [CAE, MDAE])
@pytest.mark.parametrize("activation", [SIGMOID, TANH])
def test_both_signs_for_activations_that_are_not_convex(penalty, activation):
    """Outside of Cor. 2, the gradient is positive if most a are negative, and negative if most a are positive."""
    x, W = np.array([[-1.0], [1.0]]), np.array([[0.5], [0.5]])
    gradient = penalty_bias_gradient(penalty, Params(W, np.array([-2.0, 2.0])), activation, x)
    assert gradient[0] > 0 > gradient[1]


@given(problem=white_problems(CONVEX))
def test_cross_term_of_theorem_3_pushes_the_same_way(problem):
    """Thm 3's second term: its bias gradient must not be negative for a convex, non-decreasing s_e."""
    assert (penalty_bias_gradient(CrossTerm(), problem.params, problem.activation, problem.x) >= 0).all()


@given(problem=white_problems((SIGMOID,)), **POWERS)
def test_bias_gradient_formula(problem, q, p):
    """dR/db_e_j = q E[h'^(q-1) h''] ||W_j||^p, compared with finite differences of h' in a."""
    params, _, x, _, _ = problem
    a = x @ params.W.T + params.b_e
    slope = [SIGMOID(a + t, 1).dh_da ** q for t in (-1e-5, 1e-5)]
    expected = ((slope[1] - slope[0]) / 2e-5).mean(axis=0) * np.linalg.norm(params.W, axis=1) ** p
    found = penalty_bias_gradient(JacobianPenalty(q, p), params, SIGMOID, x)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("q", "p"), [(1, 0), (1, 1), (2, 2), (2, 4), (3, 3)])
@pytest.mark.parametrize("activation", [SOFTPLUS, SOFTPLUS_4], ids=lambda s: s.name)
def test_instance_with_a_lambda_for_which_every_mean_preactivation_falls(activation, q, p):
    """An instance of Cor. 2 for one step with s_e strictly convex. The variance is ||W_j||^2 after the step, too."""
    assert every_mean_preactivation_falls(JacobianPenalty(q, p), activation)


@given(**POWERS)
def test_fails_as_worded_for_relu_where_no_lambda_keeps_a_unit_from_rising(q, p):
    """Counter-example to Cor. 2: dR/db_e = 0 for ReLU, so no lambda changes how far reconstruction raises a unit."""
    x, params = instance()
    pull = reconstruction_bias_gradient(params, RELU, x)
    for lam in (1e-6, 1e-3, 1.0, 1e3, 1e6):
        moved = step(params, Penalised(JacobianPenalty(q, p))(params, RELU, x, lam)[1], 1e-3)
        np.testing.assert_array_equal(moved.b_e, params.b_e - 1e-3 * pull)
        before, after = (forward(at, RELU, x).a.mean(axis=0) for at in (params, moved))
        assert after[0] > before[0]
