"""Stein's identities: exact by quadrature for smooth activations, within standard errors for ReLU."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS, TANH
from numpy_rae.autoencoder import Params, forward
from numpy_rae.dae_noise.stein import denoising_sides, level_sides
from numpy_rae.objectives import ae, denoising
from numpy_rae.penalties import CAE, JacobianPenalty
from numpy_rae.row_norms import row_len2, unit_rows

ACTIVATIONS = (RELU, SOFTPLUS, SIGMOID, TANH)
by_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda s: s.name)
# A correct identity fails such a test once in 10^7 seeds, and the seeds are fixed.
ERRORS = 5.3


def drawn(m, n, N, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return Params(scale * rng.standard_normal((m, n)), rng.standard_normal(m)), rng.standard_normal((N, n)), rng


def in_errors(values):
    """Return the mean of independent values in units of its standard error."""
    return values.mean() / (values.std(ddof=1) / len(values) ** 0.5)


def nodes(n, count=40):
    """Return Gauss-Hermite points (count^n, n) and weights for the standard normal distribution."""
    z, weight = np.polynomial.hermite_e.hermegauss(count)
    weight /= weight.sum()
    points = np.stack(np.meshgrid(*[z] * n, indexing="ij"), axis=-1).reshape(-1, n)
    return points, np.prod(np.stack(np.meshgrid(*[weight] * n, indexing="ij"), axis=-1).reshape(-1, n), axis=1)


@pytest.mark.parametrize("activation", [SOFTPLUS, SIGMOID, TANH], ids=lambda s: s.name)
@pytest.mark.parametrize("n", [1, 2])
@given(seed=st.integers(0, 999), sigma=st.floats(0.05, 0.5))
def test_both_sides_of_dae_agree_by_quadrature(activation, n, seed, sigma):
    """For one clean sample and smooth activations, the only error is that of the quadrature."""
    params, x, _ = drawn(3, n, 1, seed)
    params = Params(0.6 * np.tanh(params.W), params.b_e)  # so that the poles of the activations are far from the nodes
    z, weight = nodes(n)
    sides = denoising_sides(params, activation, np.repeat(x, len(z), axis=0), sigma * z, sigma**2)
    assert weight @ sides.denoising == pytest.approx(weight @ sides.right(sigma**2), rel=1e-8)


@by_activation
def test_both_sides_of_dae_agree_within_standard_errors(activation):
    """This holds at any W and b_e, with rows of any length. Half of the trace term gives a clear difference."""
    params, x, rng = drawn(7, 4, 40_000, 1)
    sigma2 = 0.3
    eps = sigma2**0.5 * rng.standard_normal(x.shape)
    sides = denoising_sides(params, activation, x, eps, sigma2)
    gap = sides.denoising - sides.right(sigma2)
    assert abs(in_errors(gap)) < ERRORS
    assert abs(in_errors(gap + sigma2 * sides.trace)) > 2 * ERRORS


@by_activation
def test_trace_is_that_of_the_jacobian(activation):
    """sum_j h'_j ||W_j||^2 is tr(dy/dx), which is compared with central differences in each input."""
    params, x, _ = drawn(5, 3, 6, 2)
    step, total = 1e-6, 0
    for k, direction in enumerate(np.eye(3)):
        high, low = (forward(params, activation, x + sign * step * direction).y[:, k] for sign in (1, -1))
        total = total + (high - low) / (2 * step)
    np.testing.assert_allclose(denoising_sides(params, activation, x, 0 * x, 0.0).trace, total, rtol=1e-6)


@given(seed=st.integers(0, 999))
def test_trace_is_cae_s_penalty_for_relu_alone(seed):
    """For ReLU, h' = h'^2 at any row length. For softplus, the trace is Cor. 2's penalty with q = 1."""
    params, x, _ = drawn(4, 3, 9, seed)
    for activation, penalty in ((RELU, CAE), (SOFTPLUS, JacobianPenalty(q=1, p=2))):
        R, _ = penalty.value_and_grad(params, activation, forward(params, activation, x, 2))
        assert denoising_sides(params, activation, x, 0 * x, 0.0).trace.mean() == pytest.approx(R, rel=1e-12)
    R, _ = CAE.value_and_grad(params, SOFTPLUS, forward(params, SOFTPLUS, x, 2))
    assert denoising_sides(params, SOFTPLUS, x, 0 * x, 0.0).trace.mean() > 1.01 * R


@by_activation
def test_bias_gradients_differ_by_the_slope_times_the_noise(activation):
    """DAE minus the auto-encoder of the corrupted inputs: (2/N) sum h'(a_tilde) (W eps), for every noise."""
    params, x, rng = drawn(6, 4, 11, 3)
    eps = 0.5 * rng.standard_normal(x.shape)
    denoise, plain = (denoising(params, activation, target, x + eps)[1].g_b_e for target in (x, x + eps))
    slope = forward(params, activation, x + eps).jet.dh_da
    np.testing.assert_allclose(denoise - plain, 2 * (slope * (eps @ params.W.T)).mean(axis=0), atol=1e-12)


def test_that_difference_is_the_density_at_the_kink():
    """The mean over the noise is 2 sigma2 ||W_j||^2 times the density of a_tilde_j at 0: the resolved Dirac."""
    params, x, rng = drawn(4, 3, 1, 4)
    sigma2, draws = 0.25, 200_000
    eps = sigma2**0.5 * rng.standard_normal((draws, 3))
    a, noise, len2 = x @ params.W.T + params.b_e, eps @ params.W.T, row_len2(params.W)
    s = (sigma2 * len2) ** 0.5
    expected = 2 * sigma2 * len2 * np.exp(-((a / s) ** 2) / 2) / (s * (2 * np.pi) ** 0.5)
    for j, values in enumerate((2 * (a + noise > 0) * noise).T):
        assert abs(in_errors(values - expected[0, j])) < ERRORS
    assert (expected > 0).all() and abs(in_errors((2 * (a + noise > 0) * noise)[:, 0])) > ERRORS


def test_the_estimator_of_the_right_side_misses_it():
    """The batch gradient of the right side has no part for the trace: CAE's bias gradient is 0 for ReLU (Fn. 1)."""
    params, x, _ = drawn(4, 3, 9, 5)
    _, grad = CAE.value_and_grad(params, RELU, forward(params, RELU, x, 2))
    assert grad.dR_da is None and (grad.dR_dlen2 > 0).any()
    assert ae(params, RELU, x)[1].g_b_e.any()


@by_activation
def test_level_on_white_gaussian_samples(activation):
    """E tr(dy/dx) = n - E[x . (x - y)] at any W and b_e. The n of the samples must be sum of products + remainder."""
    params, x, _ = drawn(9, 5, 60_000, 6)
    sides = level_sides(params, activation, x)
    assert abs(in_errors(sides.slopes - sides.products)) < ERRORS
    np.testing.assert_allclose(sides.products + sides.remainder, np.square(x).sum(axis=1), rtol=1e-9)
    assert abs(in_errors(sides.slopes - 1.1 * sides.products)) > ERRORS


def test_level_is_the_activation_fraction_on_unit_rows():
    params, x, _ = drawn(9, 5, 100, 7)
    unit_rows(params.W)
    fraction = (x @ params.W.T + params.b_e > 0).mean()
    assert level_sides(params, RELU, x).slopes.mean() == pytest.approx(9 * fraction, rel=1e-12)


@by_activation
@pytest.mark.parametrize("rank", [5, 3])
def test_level_with_a_covariance(activation, rank):
    """The term is tr(S^+ E[x y^T]), also for a singular S.

    The identity matrix in its place gives a clear difference.
    """
    params, z, rng = drawn(9, 5, 60_000, 8)
    mix = rng.standard_normal((rank, 5))
    x, S = z[:, :rank] @ mix, mix.T @ mix
    sides = level_sides(params, activation, x, S)
    assert abs(in_errors(sides.slopes - sides.products)) < ERRORS
    wrong = level_sides(params, activation, x)
    assert abs(in_errors(wrong.slopes - wrong.products)) > ERRORS


def test_exact_reconstruction_needs_two_units_per_input_and_gives_n_over_m():
    """For rows +-e_k without bias, y = x and the remainder is 0. Half of the 2 n units are active."""
    n = 4
    params, x = Params(np.concatenate([np.eye(n), -np.eye(n)]), np.zeros(2 * n)), drawn(1, n, 50, 9)[1]
    sides = level_sides(params, RELU, x)
    np.testing.assert_allclose(sides.remainder, 0, atol=1e-12)
    np.testing.assert_array_equal(sides.slopes, n)


def test_a_covariance_must_be_symmetric():
    params, x, _ = drawn(2, 2, 3)
    with pytest.raises(ValueError, match="^S is not symmetric; it must be a covariance matrix$"):
        level_sides(params, RELU, x, np.array([[1.0, 0.5], [0.0, 1.0]]))
