"""Assumption 1: E[x] = 0, E[x x^T] = I, Gaussian residual; and its consequences on data that satisfy it exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import white_problems

from numpy_rae.autoencoder import forward
from numpy_rae.data.preprocessing import whiten
from numpy_rae.row_norms import row_len2
from numpy_rae.theory.assumption_1 import check_assumption_1, residual_moments

pytestmark = pytest.mark.asm_1


@given(white_problems())
def test_mean_of_a_is_the_bias_and_its_variance_the_squared_length(problem):
    """Eq. (3) on white data: E[a_j] = b_e_j, Var[a_j] = ||W_j||^2."""
    params, activation, x, _, _ = problem
    a = forward(params, activation, x).a
    np.testing.assert_allclose(a.mean(axis=0), params.b_e, atol=1e-12)
    np.testing.assert_allclose(a.var(axis=0), row_len2(params.W), atol=1e-12)


@given(white_problems())
def test_audit_finds_nothing_on_white_data(problem):
    found = check_assumption_1(problem.x)
    assert max(found.mean, found.covariance_spectral, found.covariance_mean) < 1e-13 and found.constant == 0


@given(problem=white_problems(), shift=st.floats(0.1, 2), scale=st.floats(1.1, 3))
def test_audit_measures_what_is_wrong(problem, shift, scale):
    x = problem.x
    assert check_assumption_1(x + shift).mean == pytest.approx(shift, rel=1e-12)
    assert check_assumption_1(x - shift).mean == pytest.approx(shift, rel=1e-12)
    assert check_assumption_1(x / scale).covariance_mean == pytest.approx((1 - scale**-2) / x.shape[1], rel=1e-12)
    assert check_assumption_1(x * scale).covariance_spectral == pytest.approx(scale**2 - 1, rel=1e-12)
    assert check_assumption_1(np.column_stack([x, np.zeros(len(x))])).constant == 1 / (x.shape[1] + 1)


def test_data_whose_squares_overflow_are_refused():
    with pytest.raises(ValueError, match="^x has an entry of size 1e\\+30; it must be at most"):
        check_assumption_1(np.full((3, 2), 1e30, np.float32))


@given(st.integers(0, 999))
def test_whitening_real_valued_data_satisfies_the_audit(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((40, 3)) @ rng.standard_normal((3, 5)) + rng.standard_normal(5)
    found = check_assumption_1(whiten(x))
    assert max(found.mean, found.covariance_spectral) < 1e-10


def test_residual_moments_of_known_distributions():
    """With 10^6 draws, skewness has standard deviation sqrt(6 / 10^6), and kurtosis has sqrt(24 / 10^6)."""
    rng = np.random.default_rng(0)
    gaussian = residual_moments(2 * rng.standard_normal((250_000, 4)))
    assert abs(gaussian.sigma_r - 2) < 5 * 2 / (2e6) ** 0.5
    assert abs(gaussian.skewness) < 5 * 6e-6**0.5 and abs(gaussian.kurtosis) < 5 * 24e-6**0.5
    assert gaussian.correlation < 6 / 250_000**0.5
    uniform = residual_moments(rng.uniform(-1, 1, (250_000, 4)))
    assert uniform.kurtosis == pytest.approx(-1.2, abs=0.02)
    one = rng.standard_normal((1000, 1))
    assert residual_moments(np.column_stack([one, -one])).correlation == pytest.approx(1, abs=1e-12)
