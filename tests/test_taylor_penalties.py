"""Eq. (7)'s terms, Eq. (10), CAE+H: values against loops, gradients against complex steps, sums and signs."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems
from test_penalties import value_and_dense_gradient

from numpy_rae.activations import PAPER_ACTIVATIONS, SOFTPLUS
from numpy_rae.autoencoder import Params, backward, forward
from numpy_rae.penalties import L1, MDAE, MeanActivationPenalty, kl
from numpy_rae.taylor_penalties import (  # fmt: skip
    CAE_H,
    TAYLOR,
    CrossTerm,
    HessianTerm,
    MarginalisedPenalty,
    ResidualTerm,
    WeightedSum,
    hessian_term,
)

SMOOTH = tuple(s for s in PAPER_ACTIVATIONS.values() if not s.kinks)
TERMS = {"cross": (CrossTerm(), reference.cross), "residual": (ResidualTerm(), reference.residual_term)}


def agree(found, f, params):
    R, grad = found
    assert R == pytest.approx(f(*params), rel=1e-11, abs=1e-13)
    g_W, g_b = reference.complex_gradient(f, *params)
    scale = 1e-12 * max(1, np.abs(g_W).max(), np.abs(g_b).max())
    np.testing.assert_allclose(grad.W, g_W, rtol=1e-9, atol=scale)
    np.testing.assert_allclose(grad.b_e, g_b, rtol=1e-9, atol=scale)


@pytest.mark.parametrize("name", TERMS)
@given(problem=problems())
def test_each_term_of_equation_7(name, problem):
    params, activation, x, _, _ = problem
    penalty, formula = TERMS[name]
    found = value_and_dense_gradient(penalty, params, activation, x)
    agree(found, lambda W, b: formula(W, b, x, activation.name), params)


@given(problem=problems())
def test_bracket_is_the_sum_of_its_terms(problem):
    params, activation, x, _, _ = problem
    R, grad = value_and_dense_gradient(TAYLOR, params, activation, x)
    parts = [value_and_dense_gradient(p, params, activation, x) for p in (MDAE, CrossTerm(), ResidualTerm())]
    assert R == pytest.approx(sum(value for value, _ in parts), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(grad.W, sum(g.W for _, g in parts), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(grad.b_e, sum(g.b_e for _, g in parts), rtol=1e-9, atol=1e-11)


@given(problem=problems(), data=st.data())
def test_equation_10_with_a_variance_for_each_input(problem, data):
    params, activation, x, _, _ = problem
    v = np.array(data.draw(st.lists(st.floats(0, 3), min_size=x.shape[1], max_size=x.shape[1])))
    found = value_and_dense_gradient(MarginalisedPenalty(v), params, activation, x)
    agree(found, lambda W, b: reference.marginalised(W, b, x, activation.name, v), params)


@given(problem=problems())
def test_hessian_term_against_two_whole_jacobians(problem):
    params, activation, x, eps, seed = problem
    penalty = HessianTerm(noise=0.1)
    fwd = forward(params, activation, x, 2)
    R, grad = penalty.value_and_grad(params, activation, fwd, np.random.default_rng(seed))
    found = R, backward(params, fwd, np.zeros_like(x), grad).dense(params)
    agree(found, lambda W, b: reference.hessian_term(W, b, x, 0.1 * eps, activation.name), params)


def test_hessian_term_grows_with_the_square_of_the_noise():
    """This holds in leading order for a smooth activation and one noise."""
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((3, 2)), rng.standard_normal(3)), rng.standard_normal((4, 2))
    noise = np.array([1e-2, 1e-3])
    fwd = forward(params, SOFTPLUS, x, 2)
    R = [HessianTerm(s).value_and_grad(params, SOFTPLUS, fwd, np.random.default_rng(1))[0] for s in noise]
    assert np.diff(np.log(R)) / np.diff(np.log(noise)) == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize("activation", SMOOTH, ids=lambda s: s.name)
def test_mean_hessian_term_is_the_noise_variance_times_its_constant_up_to_fourth_order(activation):
    """E_eps R = noise^2 E sum_j h''^2 len2_j^2 + O(noise^4). The mean over eps is a Gauss-Hermite quadrature."""
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((3, 2)), rng.standard_normal(3)), rng.standard_normal((4, 2))
    fwd = forward(params, activation, x, 2)
    constant = (fwd.jet.d2h_da2**2 @ (params.W**2).sum(axis=1) ** 2).mean()
    z, weight = np.polynomial.hermite_e.hermegauss(8)
    weight /= weight.sum()
    noise = np.array([2e-2, 1e-2])
    mean = np.zeros(2)
    for i, k in np.ndindex(8, 8):
        # All samples have the same noise, because R is a mean over them.
        eps = np.tile(z[[i, k]], (4, 1))
        mean += weight[i] * weight[k] * np.array([hessian_term(params, activation, fwd, s * eps)[0] for s in noise])
    remainder = np.abs(mean - noise**2 * constant)
    assert np.diff(np.log(remainder)) / np.diff(np.log(noise)) == pytest.approx(4, abs=0.05)


@given(problem=problems(SMOOTH), weights=st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_weighted_sum_is_linear(problem, weights):
    params, activation, x, _, _ = problem
    parts = (ResidualTerm(), L1)
    R, grad = value_and_dense_gradient(WeightedSum(tuple(zip(weights, parts, strict=True))), params, activation, x)
    single = [value_and_dense_gradient(part, params, activation, x) for part in parts]
    value = sum(w * value for w, (value, _) in zip(weights, single, strict=True))
    assert R == pytest.approx(value, rel=1e-12, abs=1e-12)
    expected = sum(w * g.W for w, (_, g) in zip(weights, single, strict=True))
    np.testing.assert_allclose(grad.W, expected, rtol=1e-9, atol=1e-11)


def test_sum_counts_continued_units_and_asks_for_the_highest_order():
    steep = MeanActivationPenalty(kl, domain=(-np.inf, 0.5))
    both = WeightedSum(((1.0, steep), (1.0, ResidualTerm())))
    params = Params(np.zeros((2, 1)), np.array([3.0, -3.0]))
    fwd = forward(params, SOFTPLUS, np.ones((2, 1)), both.order)
    assert both.order == 3
    assert both.value_and_grad(params, SOFTPLUS, fwd)[1].n_extrapolated == 1


def test_cae_h_reduces_to_cae_without_noise():
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((3, 2)), rng.standard_normal(3)), rng.standard_normal((4, 2))
    fwd = forward(params, SOFTPLUS, x, 2)
    silent = WeightedSum((CAE_H.parts[0], (1.0, HessianTerm(0.0))))
    R, _ = silent.value_and_grad(params, SOFTPLUS, fwd, rng)
    assert R == pytest.approx(reference.cae(*params, x, "softplus"), rel=1e-13)


def test_variances_of_another_length_are_refused():
    params = Params(np.ones((2, 3)), np.zeros(2))
    with pytest.raises(ValueError, match=r"^v is float64 \(2,\); it must be a float64 array of shape \(3,\)"):
        value_and_dense_gradient(MarginalisedPenalty(np.ones(2)), params, SOFTPLUS, np.ones((1, 3)))
