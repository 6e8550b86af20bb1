"""Thm 2: the one-sided Chebyshev bound on the probability that a unit is off, and conditions for its rise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import white_problems, whitened

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SIGMOID, SOFTPLUS, TANH, Activation, Jet
from numpy_rae.autoencoder import Params, forward
from numpy_rae.extra_activations import EXTRA_ACTIVATIONS
from numpy_rae.objectives import Penalised
from numpy_rae.optimizer import sgd_step, zero_velocity
from numpy_rae.penalties import SAE
from numpy_rae.row_norms import row_len2, unit_rows, unit_scale
from numpy_rae.theory.lemma_1 import lemma_1_bound
from numpy_rae.theory.theorem_1 import penalty_bias_gradient, sufficient_lambda, theorem_1_holds
from numpy_rae.theory.theorem_2 import activation_threshold, theorem_2_bound

pytestmark = pytest.mark.thm_2


@given(white_problems(), st.floats(0, 10))
def test_never_more_than_the_share_of_samples_that_switch_the_unit_off(problem, drop):
    """Pr(h_j <= delta_min) >= p_j on white data with c = ||W_j||, the standard deviation of a_j.

    This is exact for any draw.
    """
    params = Params(problem.params.W, problem.params.b_e - drop)
    fwd = forward(params, problem.activation, problem.x)
    off = (fwd.jet.h <= problem.activation.delta_min).mean(axis=0)
    tau, c = activation_threshold(problem.activation), np.sqrt(row_len2(params.W))
    # The share of samples is a multiple of 1/N. Rounding of tau and c can move p_j across such a multiple.
    assert (theorem_2_bound(params.b_e, tau - 1e-9, c + 1e-9) <= off + 1e-12).all()


@given(mu=st.floats(-20, 20), fall=st.floats(0.01, 5), tau=st.floats(-3, 3), c=st.floats(0.1, 4))
def test_rises_as_the_mean_falls_while_c_is_fixed(mu, fall, tau, c):
    before, after = theorem_2_bound(np.array([mu, mu - fall]), tau, c)
    assert 0 <= before <= after < 1 and (after > before or tau - (mu - fall) < 1e-3)


def test_attained_by_a_two_point_distribution():
    """The bound p is sharp: mass p below tau and mass 1 - p at tau can have mean mu and standard deviation c."""
    mu, tau, c = -1.0, 0.5, 2.0
    p = theorem_2_bound(np.array([mu]), tau, c).item()
    low, high = mu - c * np.sqrt((1 - p) / p), mu + c * np.sqrt(p / (1 - p))
    assert high == pytest.approx(tau, rel=1e-12)
    assert p * low + (1 - p) * high == pytest.approx(mu)


def test_with_the_current_length_in_place_of_c_it_may_fall():
    """Counter-example: the bound falls when the mean falls from -1 to -1.1 while the row grows from length 1 to 2."""
    before = theorem_2_bound(np.array([-1.0]), 0.0, 1.0).item()
    after = theorem_2_bound(np.array([-1.1]), 0.0, 2.0).item()
    assert before == pytest.approx(0.5) and after < 0.24


def push_and_bound(params, activation, x):
    """Return both sides of the condition on lambda, for SAE."""
    bound = lemma_1_bound(params.W, x - forward(params, activation, x).y)
    return penalty_bias_gradient(SAE, params, activation, x), bound


@pytest.mark.parametrize("times", [10, 30])
@pytest.mark.parametrize("activation", [SIGMOID, SOFTPLUS])
def test_instance_one_lambda_raises_the_probability_in_every_step_from_t_min_to_t_max(activation, times):
    """An instance of Thm 2 with unit rows (c = 1). S holds 10 and 30 times the lambda that suffices at the start.

    Thm 1's condition holds in all 50 steps, so T_max can be the last step. One unit starts with its mean above tau,
    where p_j is 0. T_min is the first step at which its mean is below tau.
    """
    rng = np.random.default_rng(3)
    x, tau = whitened(rng.standard_normal((40, 5))), activation_threshold(activation)
    params = Params(rng.standard_normal((4, 5)), tau + np.array([0.5, -0.2, -0.5, -0.9]))
    unit_rows(params.W)
    lam = sufficient_lambda(*push_and_bound(params, activation, x), margin=times)
    eta = 0.05 / Penalised(SAE)(params, activation, x, lam)[1].g_b_e.max()
    means, p = [], []
    for _ in range(50):
        fwd = forward(params, activation, x)
        means.append(fwd.a.mean(axis=0))
        p.append(theorem_2_bound(means[-1], tau, 1.0))
        assert (p[-1] <= (fwd.jet.h <= activation.delta_min).mean(axis=0)).all()
        assert theorem_1_holds(lam, *push_and_bound(params, activation, x)).all()
        sgd_step(params, zero_velocity(params), Penalised(SAE)(params, activation, x, lam)[1], eta, 0.0, unit_scale)
    above = np.array(means)[:, 0] >= tau
    T_min = int(above.sum())
    assert 5 < T_min < 45 and above[:T_min].all() and not np.array(p)[:T_min, 0].any()
    rise = np.diff(p, axis=0)
    assert (rise >= 0).all() and (rise[T_min:] > 0).all()


@pytest.mark.parametrize(
    ("activation", "tau"),
    [(RELU, 0.0), (SIGMOID, np.log(0.1 / 0.9)), (SOFTPLUS, np.log(np.expm1(0.1))), (TANH, np.arctanh(0.1))],
    ids=lambda value: getattr(value, "name", None),
)
def test_threshold_inverts_the_activation(activation, tau):
    """tau = sup{a : s_e(a) <= delta_min}. This is 0 for ReLU, and the inverse of s_e at delta_min for the others."""
    assert activation_threshold(activation) == pytest.approx(tau, abs=1e-12)


def test_bound_at_the_ends():
    """A unit that never reaches the threshold is off. With variance 0, only the mean decides."""
    np.testing.assert_array_equal(theorem_2_bound(np.array([3.0]), np.inf, 1.0), 1)
    np.testing.assert_array_equal(theorem_2_bound(np.array([-1.0, 0.0, 1.0]), 0.0, 0.0), [1, 0, 0])


def test_a_bound_for_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="^tau is nan; it must be a number"):
        theorem_2_bound(np.array([0.0]), np.nan, 1.0)


def test_threshold_of_relu_is_zero_to_the_last_bit():
    assert activation_threshold(RELU) == 0


def test_threshold_at_the_ends():
    assert activation_threshold(SIGMOID, 1.0) == np.inf
    with pytest.raises(ValueError, match="^activation sigmoid exceeds delta_min -0.5 everywhere"):
        activation_threshold(SIGMOID, -0.5)


def test_threshold_of_an_activation_that_decreases_is_refused():
    with pytest.raises(ValueError, match="^activation silu decreases somewhere; Thm 2 needs a non-decreasing one$"):
        activation_threshold(EXTRA_ACTIVATIONS["silu"])


def test_threshold_asks_for_no_derivative_beyond_the_first():
    """The threshold must not need second derivatives: an activation that returns only h and h' has a threshold, too."""
    line = Activation("line", lambda a, order: {1: Jet(a, np.ones_like(a))}[order], 0.25)
    assert activation_threshold(line) == 0.25


@pytest.mark.parametrize("activation", PAPER_ACTIVATIONS.values(), ids=PAPER_ACTIVATIONS)
def test_sparsity_needs_the_limit_zero_on_the_left(activation):
    """Sec. 2.1.2: when the mean pre-activation falls far, h -> 0 for all activations but tanh, which goes to -1."""
    h = activation(np.array([-50.0]), 1).h.item()
    assert (abs(h) < 1e-20) == activation.zero_on_left
