"""Cor. 1: for f of the mean activation, f increasing and s_e non-decreasing, the bias gradient is never negative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import white_problems, whitened
from test_theorem_1 import step

from numpy_rae.activations import PAPER_ACTIVATIONS, SOFTPLUS
from numpy_rae.autoencoder import Params, forward
from numpy_rae.objectives import Penalised
from numpy_rae.penalties import EPS_ABOVE_1, L1, SAE, MeanActivationPenalty, sae_with_target
from numpy_rae.row_norms import row_len2
from numpy_rae.theory.lemma_1 import lemma_1_bound
from numpy_rae.theory.theorem_1 import penalty_bias_gradient, reconstruction_bias_gradient, sufficient_lambda

pytestmark = pytest.mark.cor_1
INCREASING = {
    "SAE": SAE,
    "L1": L1,
    "exp": MeanActivationPenalty(lambda rho: (np.exp(rho), np.exp(rho)), domain=(-np.inf, 5)),
    "cubic": MeanActivationPenalty(lambda rho: (rho**3, 3 * rho**2)),
}


@pytest.mark.parametrize("name", INCREASING)
@given(problem=white_problems(), shift=st.floats(-5, 60))
def test_bias_gradient_is_never_negative_also_where_rho_exceeds_one(name, problem, shift):
    """Cor. 1, Eq. (13): also for rho above 1. If the code clipped rho there, the gradient would be 0."""
    params = Params(problem.params.W, problem.params.b_e + shift)
    gradient = penalty_bias_gradient(INCREASING[name], params, problem.activation, problem.x)
    assert (gradient >= 0).all()


@given(problem=white_problems(), shift=st.floats(2, 60))
def test_bias_gradient_is_mean_slope_times_f_slope(problem, shift):
    """Cor. 1 as an equation: dR/db_e_j = f'(rho_j) E[h'_j]. For rho > 1 - eps, f' = 1 / eps."""
    params = Params(problem.params.W, problem.params.b_e + shift)
    jet = SOFTPLUS(problem.x @ params.W.T + params.b_e, 1)
    rho = jet.h.mean(axis=0)
    slope = 1 / (1 - np.minimum(rho, 1 - EPS_ABOVE_1))
    gradient = penalty_bias_gradient(SAE, params, SOFTPLUS, problem.x)
    np.testing.assert_allclose(gradient, slope * jet.dh_da.mean(axis=0), rtol=1e-9)


@pytest.mark.parametrize("activation", [s for s in PAPER_ACTIVATIONS.values() if s.non_negative], ids=lambda s: s.name)
def test_a_target_is_outside_the_corollary_below_it(activation):
    """Eq. (12): f decreases below rho_0, so the bias gradient is negative there and Cor. 1 does not apply."""
    x = np.array([[-1.0], [1.0]])
    low = Params(np.array([[0.1]]), np.array([-6.0 if activation.name != "relu" else 0.0]))
    target = sae_with_target(0.9)
    assert penalty_bias_gradient(target, low, activation, x)[0] < 0


def instance():
    """Return white data and three units. Reconstruction raises the first unit with every activation here."""
    rng = np.random.default_rng(0)
    x = whitened(rng.standard_normal((20, 4)))
    return x, Params(rng.standard_normal((3, 4)) / 2, np.array([-1.5, -1, 0.5]))


def every_mean_preactivation_falls(penalty, activation):
    """Make one full-batch step from `instance`, with lambda just above the condition. Return whether all means fall."""
    x, params = instance()
    dR_db = penalty_bias_gradient(penalty, params, activation, x)
    lam = sufficient_lambda(dR_db, lemma_1_bound(params.W, x - forward(params, activation, x).y))
    assert reconstruction_bias_gradient(params, activation, x)[0] < 0
    moved = step(params, Penalised(penalty)(params, activation, x, lam)[1], 1e-3)
    before, after = (forward(p, activation, x).a for p in (params, moved))
    np.testing.assert_allclose(after.var(axis=0), row_len2(moved.W), rtol=1e-12)
    return (after.mean(axis=0) < before.mean(axis=0)).all()


@pytest.mark.parametrize("name", INCREASING)
@pytest.mark.parametrize("activation", PAPER_ACTIVATIONS.values(), ids=lambda s: s.name)
def test_instance_with_a_lambda_for_which_every_mean_preactivation_falls(name, activation):
    """An instance of Cor. 1 for one step. The variance is ||W_j||^2 after the step, too."""
    assert every_mean_preactivation_falls(INCREASING[name], activation)
