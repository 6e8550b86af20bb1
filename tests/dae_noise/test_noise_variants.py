"""Noise variants of DAE: terms that cancel, averages over copies, and gradients of the denoising loss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems

from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.autoencoder import Params
from numpy_rae.dae_noise.noise_variants import NOISE_OBJECTIVES, Copies, antithetic
from numpy_rae.objectives import ae, corruption, denoising


@given(problems(), st.floats(0.01, 1))
def test_antithetic_is_the_mean_of_both_signs(problem, sigma2):
    params, activation, x, _, seed = problem
    J, grad = antithetic(params, activation, x, sigma2, np.random.default_rng(seed))
    eps = corruption(x, sigma2, np.random.default_rng(seed))
    parts = [denoising(params, activation, x, x + sign * eps) for sign in (1, -1)]
    assert J == pytest.approx(sum(value for value, _ in parts) / 2, rel=1e-12)
    expected = sum(g.dense(params).W for _, g in parts) / 2
    np.testing.assert_allclose(grad.dense(params).W, expected, rtol=1e-9, atol=1e-11)


def test_first_order_term_cancels_in_the_antithetic_pair_only():
    """J - J_AE is of order sigma^2 for the pair and of order sigma for one copy."""
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((4, 3)), rng.standard_normal(4)), rng.standard_normal((5, 3))
    plain, sigma = ae(params, SIGMOID, x)[0], np.array([1e-2, 1e-3])
    for objective, order in ((antithetic, 2), (Copies(1), 1)):
        gap = [abs(objective(params, SIGMOID, x, s**2, np.random.default_rng(1))[0] - plain) for s in sigma]
        assert np.diff(np.log(gap)) / np.diff(np.log(sigma)) == pytest.approx(order, abs=0.1)


def test_copies_average_the_noise_away():
    """The variance of J over the noise falls as 1/K. With 2,000 draws, its error is a few per cent."""
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((4, 3)), rng.standard_normal(4)), rng.standard_normal((5, 3))
    spread = {K: np.var([Copies(K)(params, SIGMOID, x, 0.1, rng)[0] for _ in range(2000)]) for K in (1, 8)}
    assert spread[1] / spread[8] == pytest.approx(8, rel=0.25)


@pytest.mark.parametrize("name", NOISE_OBJECTIVES)
def test_all_coincide_at_sigma2_zero_and_keep_float32(name):
    rng = np.random.default_rng(0)
    params = Params(rng.standard_normal((4, 3), np.float32), np.zeros(4, np.float32))
    x = rng.standard_normal((5, 3), np.float32)
    assert NOISE_OBJECTIVES[name](params, RELU, x, 0.0, rng)[0] == ae(params, RELU, x)[0]
    J, grad = NOISE_OBJECTIVES[name](params, RELU, x, 0.3, rng)
    assert isinstance(J, float) and {part.dtype for part in grad.dense(params)} == {np.dtype(np.float32)}


def test_number_of_copies_is_checked():
    with pytest.raises(ValueError, match="^K is 0; it must be a whole number"):
        Copies(0)
