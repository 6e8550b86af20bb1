"""Further tests of theory/: values by hand, dtypes, sizes, refusals, and `bias_gradient_at` against the formulas."""

from math import factorial, prod

import numpy as np
import pytest
import reference

from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS, Activation, Jet
from numpy_rae.autoencoder import Params
from numpy_rae.penalties import CAE, EPS_ABOVE_1, L1, MDAE, SAE
from numpy_rae.row_norms import row_lengths
from numpy_rae.taylor_penalties import HessianTerm
from numpy_rae.theory import theorem_3
from numpy_rae.theory.assumption_1 import check_assumption_1, residual_moments
from numpy_rae.theory.lemma_1 import lemma_1_bound, lemma_1_bound_free, lemma_1_bound_gaussian, sigma_r
from numpy_rae.theory.theorem_1 import (
    bias_gradient_at,
    penalty_bias_gradient,
    predicted_mean_preactivation,
    reconstruction_bias_gradient,
    sufficient_lambda,
    theorem_1_holds,
)
from numpy_rae.theory.theorem_2 import theorem_2_bound  # fmt: skip
from numpy_rae.theory.theorem_3 import expected_denoising

A = np.linspace(-5, 0.5, 23)


def test_bias_gradient_at_a_point_is_the_formula_of_the_corollaries():
    for s_e in (RELU, SIGMOID, SOFTPLUS):
        h, dh_da, d2h_da2, _ = s_e(A)
        for penalty, expected in ((CAE, 2 * dh_da * d2h_da2), (MDAE, 2 * dh_da * d2h_da2), (L1, dh_da)):
            np.testing.assert_allclose(bias_gradient_at(penalty, s_e, A), expected, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(
            bias_gradient_at(SAE, s_e, A), dh_da / (1 - np.minimum(h, 1 - EPS_ABOVE_1)), rtol=1e-9
        )


def test_a_penalty_with_noise_of_its_own_draws_it_from_the_generator_given():
    rng = np.random.default_rng(0)
    W, b_e, x = rng.standard_normal((3, 2)), rng.standard_normal(3), rng.standard_normal((4, 2))
    found = penalty_bias_gradient(HessianTerm(0.1), Params(W, b_e), SOFTPLUS, x, np.random.default_rng(5))
    eps = 0.1 * np.random.default_rng(5).standard_normal(x.shape)
    _, g_b = reference.complex_gradient(lambda W, b: reference.hessian_term(W, b, x, eps, "softplus"), W, b_e)
    np.testing.assert_allclose(found, g_b, rtol=1e-9)


def test_bounds_by_hand():
    """r has the rows (3, 4) and (0, 0): sigma_r^2 = 25/4. W = (1, 0): W r = 3 and 0."""
    r, W = np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[1.0, 0.0]])
    assert sigma_r(r) == 2.5
    np.testing.assert_allclose(lemma_1_bound(W, r), 2 * 2.5 * np.sqrt(2))
    np.testing.assert_allclose(lemma_1_bound_free(W, r), 2 * np.sqrt(4.5))


@pytest.mark.parametrize("k", [1, 2, 3, 7, 8])
def test_quadrature_with_its_8_nodes_is_exact_up_to_degree_15_and_8_factorial_short_at_16(k):
    """For s_e(a) = a^k at x = 0 with W = 1, the loss is z^(2k). Its mean is 1 * 3 * ... * (2k - 1)."""
    power = Activation("power", lambda a, order: Jet(a**k, k * a ** (k - 1)), 0.1)
    J = expected_denoising(Params(np.eye(1), np.zeros(1)), power, np.zeros((1, 1)), 1.0)
    assert J == pytest.approx(prod(range(1, 2 * k, 2)) - (factorial(8) if k == 8 else 0), rel=1e-11)


def test_as_many_points_as_the_limit_are_taken_and_no_more(monkeypatch):
    """8 nodes in each of 2 columns are 64 points, so a limit of 64 must accept them and a limit of 63 must not."""
    given = {k: (Params(np.ones((1, k)), np.zeros(1)), SIGMOID, np.ones((1, k)), 0.1) for k in (2, 4)}
    monkeypatch.setattr(theorem_3, "MOST_POINTS", 64)
    assert np.isfinite(expected_denoising(*given[2]))
    with pytest.raises(ValueError, match="^x has 4 columns; 8 nodes in each must be at most 64 points"):
        expected_denoising(*given[4])
    monkeypatch.setattr(theorem_3, "MOST_POINTS", 63)
    with pytest.raises(ValueError, match="^x has 2 columns"):
        expected_denoising(*given[2])


def test_at_the_bound_the_condition_does_not_hold():
    assert theorem_1_holds(2.0, np.array([1.0, 1.0, 2.0]), np.array([2.0, 1.5, 3.0])).tolist() == [False, True, True]


def test_audit_by_hand():
    """x has the rows (1, -1, 7) and (3, -5, 7). In the first two features, E[x x^T] - I is (4, -8), (-8, 12)."""
    x = np.array([[1.0, -1.0], [3.0, -5.0]])
    found = check_assumption_1(x)
    assert found.mean == 3 and found.covariance_mean == 8
    assert found.covariance_spectral == pytest.approx(8 + 80**0.5)  # the root of (4 - t) (12 - t) = 64
    assert found.constant == 0 and check_assumption_1(np.column_stack([x, [7.0, 7.0]])).constant == 1 / 3


def test_audit_of_float32_data_is_computed_in_float32():
    """The results must be float32 numbers. In float64, the covariance of n features would take twice the memory."""
    x = np.random.default_rng(0).standard_normal((9, 4), np.float32)
    assert all(float(np.float32(figure)) == figure for figure in check_assumption_1(x))


def test_residual_moments_by_hand():
    """For the entries 0, 0, 0, 4, z = (-1, -1, -1, 3) / sqrt(3). A constant feature has no correlation with another."""
    found = residual_moments(np.array([[0.0, 0.0], [0.0, 4.0]]))
    assert (found.mean, found.sigma_r, found.correlation) == (1, 2, 0)
    assert found.skewness == pytest.approx(24 / 4 / 3**1.5)
    assert found.kurtosis == pytest.approx(84 / 4 / 9 - 3)
    opposite = np.array([[1.0, 5.0, -2.0], [-1.0, 5.0, 2.0]])
    assert residual_moments(opposite).correlation == pytest.approx(1)


def test_a_constant_residual_has_neither_skewness_nor_kurtosis():
    found = residual_moments(np.full((3, 2), 2.0))
    assert np.isnan([found.skewness, found.kurtosis]).all() and found[:2] == (2, 2) and found.correlation == 0


def test_residuals_of_any_size_beside_each_other_correlate():
    """Each feature must have its own scale, because the square of 1e-200 is 0 in float64."""
    r = np.array([[1e-200, 3.0], [-1e-200, -1.0], [0.0, 1.0]])
    assert residual_moments(r).correlation == pytest.approx(residual_moments(r * [1e200, 1]).correlation, rel=1e-14)


@pytest.mark.parametrize(("function", "name"), [(check_assumption_1, "x"), (residual_moments, "r")])
def test_data_with_nan_are_refused(function, name):
    with pytest.raises(ValueError, match=f"^{name} contains NaN or inf"):
        function(np.full((3, 2), np.nan))


HUGE = np.full(2, 1e308)
# Two units are at inf, and the second entry of the reconstruction is inf - inf.
OPPOSED, FAR = Params(np.array([[1e200, 1e200], [1e200, -1e200]]), np.ones(2)), np.array([[1e200, 0.0]])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: sufficient_lambda(np.array([1e-308]), np.array([1e308])),
         "bound is too large for dR_db; no finite lambda satisfies Thm 1's condition"),
        (lambda: sufficient_lambda(np.ones(1), np.ones(1), 0.0),
         "margin is 0.0; it must be a number in (0, inf]"),
        (lambda: theorem_2_bound(np.zeros(2), 0.5, np.ones(3)), "c has shape (3,); it must be one-dimensional with 2 entries"),
        (lambda: expected_denoising(Params(np.ones((1, 1)), np.ones(1)), RELU, np.ones((1, 1)), 1.0, 301),
         "nodes is 301; it must be a number in [1, 300]"),
        (lambda: expected_denoising(Params(np.ones((1, 1)), np.ones(1)), RELU, np.ones((1, 1)), 1.0, 0),
         "nodes is 0; it must be a whole number of at least 1"),
        (lambda: expected_denoising(Params(np.ones((1, 1)), np.ones(1)), RELU, np.ones((1, 1)), -1.0),
         "sigma is -1.0; it must be a number in [0, inf]"),
        (lambda: reconstruction_bias_gradient(Params(np.ones((1, 1)), np.ones(1)), "relu", np.ones((1, 1))),
         "activation is 'relu'; it must be "),
        (lambda: reconstruction_bias_gradient(Params(np.ones((1, 1)), np.ones(1)), RELU, np.full((1, 1), np.nan)),
         "x contains NaN or inf"),
        (lambda: penalty_bias_gradient("CAE", Params(np.ones((1, 1)), np.ones(1)), RELU, np.ones((1, 1))),
         "penalty is a str; it must have an order and a method value_and_grad"),
        (lambda: lemma_1_bound(np.ones((2, 3)), np.ones((4, 2))), "W has 3 columns; it must have 2"),
        (lambda: lemma_1_bound_free(np.ones((2, 3)), np.ones((4, 2))), "W has 3 columns; it must have 2"),
    ],
)  # fmt: skip
def test_what_has_no_answer_is_one_sentence(call, sentence):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x or params", lambda: reconstruction_bias_gradient(
            Params(np.full((1, 1), 1e200), np.ones(1)), RELU, np.full((1, 1), 1e200))),
        ("x or params", lambda: penalty_bias_gradient(
            CAE, Params(np.full((1, 1), 1e200), np.ones(1)), SOFTPLUS, np.full((1, 1), 1e-200))),
        ("x, sigma or params", lambda: expected_denoising(
            Params(np.full((1, 1), 1e200), np.ones(1)), RELU, np.full((1, 1), 1e200), 1.0)),
        ("x or params", lambda: reconstruction_bias_gradient(OPPOSED, RELU, FAR)),
        ("x or params", lambda: penalty_bias_gradient(CAE, OPPOSED, SOFTPLUS, FAR)),
        ("x, sigma or params", lambda: expected_denoising(OPPOSED, RELU, FAR, 1.0)),
        ("dJ_db", lambda: predicted_mean_preactivation(HUGE, 1e300, -HUGE)),
    ],
)  # fmt: skip
def test_what_overflows_is_named(name, call):
    with pytest.raises(ValueError, match=f"^{name} "):
        call()


def test_bounds_and_conditions_that_overflow_are_infinite_without_a_warning():
    W, r = np.full((1, 2), 1e200), np.full((3, 2), 1e200)
    for bound in (lemma_1_bound(W, r), lemma_1_bound_free(W, r), lemma_1_bound_gaussian(W, 1e200)):
        np.testing.assert_array_equal(bound, np.inf)
    np.testing.assert_array_equal(theorem_1_holds(1e300, HUGE, np.ones(2)), True)
    np.testing.assert_array_equal(theorem_2_bound(-np.full(2, 5e-324), 0.0, 1.0), 0)


def test_rows_of_any_size_beside_each_other_keep_their_lengths():
    """Each row must have its own scale, because the square of 1e-200 is 0 and that of 1e200 is inf in float64."""
    W, r = np.array([[3e-200, 4e-200], [3e200, 4e200]]), np.ones((2, 2))
    np.testing.assert_allclose(row_lengths(W), [5e-200, 5e200], rtol=1e-15)
    np.testing.assert_allclose(lemma_1_bound_free(W, r), [1.4e-199, 1.4e201], rtol=1e-15)
