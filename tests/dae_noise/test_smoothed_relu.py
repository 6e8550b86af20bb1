"""The smoothed ReLU: closed forms against quadrature, gradients by slope and by difference, and its bias gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems

from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.autoencoder import Params
from numpy_rae.dae_noise.smoothed_relu import expected_dae, expected_dae_with_covariances, smoothed_mdae, smoothed_relu
from numpy_rae.gradcheck import check_gradient, flatten, on_vector, taylor_slope
from numpy_rae.objectives import PAPER_OBJECTIVES, ae
from numpy_rae.theory.theorem_3 import expected_denoising

OBJECTIVES = {
    "smoothed mDAE": smoothed_mdae,
    "expected DAE": expected_dae,
    "with covariances": expected_dae_with_covariances,
}
by_name = pytest.mark.parametrize("name", OBJECTIVES)


@given(a=st.floats(-4, 4), s=st.floats(0.2, 3))
def test_moments_and_slopes_by_quadrature(a, s):
    """M, Phi and Q = E[max(a + s z, 0)^2], by Gauss-Legendre quadrature from the kink on."""
    t, weight = np.polynomial.legendre.leggauss(200)
    low, high = max(-a / s, -10), max(-a / s, -10) + 20
    z = (high - low) / 2 * (t + 1) + low
    density = weight * (high - low) / 2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    M, Phi, phi, _ = (part.item() for part in smoothed_relu(np.array([[a]]), np.array([s])))
    assert M == pytest.approx(density @ (a + s * z), abs=1e-10)
    assert Phi == pytest.approx(density.sum(), abs=1e-10)
    assert (a * a + s * s) * Phi + a * s * phi == pytest.approx(density @ (a + s * z) ** 2, abs=1e-9)


@by_name
@given(problem=problems((RELU,)), seed=st.integers(0, 99))
def test_gradients_by_slope_and_difference(name, problem, seed):
    params = Params(problem.params.W + np.copysign(0.3, problem.params.W), problem.params.b_e)
    x, params = clear(problem.x, params)

    def objective(p):
        return OBJECTIVES[name](p, RELU, x, 0.3)

    directions = np.random.default_rng(seed).standard_normal((3, params.W.size + params.b_e.size))
    f, point = on_vector(objective, params), flatten(params)
    assert max(taylor_slope(f, point, d, 10.0 ** np.arange(-2.5, -4.6, -0.5) / point.size) for d in directions) > 1.9
    for check in check_gradient(objective, params, np.random.default_rng(seed), directions=2):
        assert check.passed, str(check)


def clear(x, params):
    """Return x and parameters with biases such that every pre-activation of x is at least 0.5."""
    a = x @ params.W.T
    return x, Params(params.W, 0.5 - a.min(axis=0))


@by_name
def test_coincides_with_the_auto_encoder_at_zero_noise(name):
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((3, 2)), rng.standard_normal(3)), rng.standard_normal((4, 2))
    (J, grad), (plain, expected) = OBJECTIVES[name](params, RELU, x, 0.0), ae(params, RELU, x)
    assert J == plain
    np.testing.assert_array_equal(grad.dense(params).W, expected.dense(params).W)


def test_expected_dae_of_one_unit_is_exact():
    """With m = 1 there is no covariance to leave out, so the result must equal the mean of Eq. (6), by quadrature."""
    params, x = Params(np.array([[0.8]]), np.array([0.1])), np.array([[0.3], [-1.2]])
    J, _ = expected_dae(params, RELU, x, 0.25)
    # At ReLU's kink, Gauss-Hermite quadrature has an error of order 1/nodes.
    assert J == pytest.approx(expected_denoising(params, RELU, x, 0.5, nodes=300), rel=1e-3)


def test_covariances_are_exact_to_first_order_in_the_rows_correlation():
    """At the kinks of two unit rows of correlation k, E[h_1 h_2] is the arc-cosine kernel. The rest is k^3 / (2 pi)."""
    k, sigma2 = np.array([0.4, 0.2, 0.1, 0.05]), 0.09
    exact = sigma2 * (np.sqrt(1 - k * k) + k * np.arccos(-k) - 1) / (2 * np.pi)
    added = []
    for W in (np.array([[1.0, 0.0], [each, np.sqrt(1 - each * each)]]) for each in k):
        given = Params(W, np.zeros(2)), RELU, np.zeros((1, 2)), sigma2
        added.append(expected_dae_with_covariances(*given)[0] - expected_dae(*given)[0])
    left = 2 * k * exact - added
    np.testing.assert_allclose(left / (sigma2 * k**3 / (2 * np.pi)), 1 + k * k / 12, rtol=2e-3)


def test_covariances_complete_the_expectation_where_the_slope_is_one():
    """Away from the kinks, Phi is 1 and Cov[h_j, h_k] is exactly sigma2 G_jk. The sum equals the mean of DAE."""
    rng = np.random.default_rng(0)
    W, x = rng.standard_normal((3, 2)), rng.standard_normal((4, 2))
    params, sigma2 = Params(W, 3 - (x @ W.T).min(axis=0)), 0.04
    whole, part = (f(params, RELU, x, sigma2)[0] for f in (expected_dae_with_covariances, expected_dae))
    exact = expected_denoising(params, RELU, x, sigma2**0.5, nodes=20)
    assert whole == pytest.approx(exact, rel=1e-9) and abs(part - exact) > 1e-3


@pytest.mark.parametrize("name", ["smoothed mDAE", "expected DAE"])
@given(seed=st.integers(0, 99))
def test_noise_gives_relu_a_positive_bias_gradient(name, seed):
    """Noise gives a positive bias gradient where mDAE with ReLU itself has none (Fn. 1)."""
    rng = np.random.default_rng(seed)
    params, x = Params(rng.standard_normal((3, 2)), rng.standard_normal(3)), rng.standard_normal((20, 2))
    plain = ae(params, RELU, x)[1].g_b_e
    np.testing.assert_array_equal(PAPER_OBJECTIVES["mDAE"](params, RELU, x, 4.0, None)[1].g_b_e, plain)
    if name == "smoothed mDAE":
        assert (smoothed_mdae(params, RELU, x, 4.0)[1].g_b_e > plain).all()
    else:
        push = bias_gradient_of_variance(params, x, 4.0)
        assert (push > 0).all()


def bias_gradient_of_variance(params, x, sigma2):
    """Return (1/N) sum len2 dV/da by finite differences of the variance term."""

    def variance(b):
        moved = Params(params.W, b)
        J, _ = expected_dae(moved, RELU, x, sigma2)
        s = np.sqrt(sigma2) * np.linalg.norm(params.W, axis=1)
        M = smoothed_relu(x @ params.W.T + b, s).M
        return J - ((x - M @ params.W) ** 2).sum() / len(x)

    steps = 1e-5 * np.eye(len(params.b_e))
    return np.array([(variance(params.b_e + t) - variance(params.b_e - t)) / 2e-5 for t in steps])


@by_name
def test_another_activation_is_refused_by_name(name):
    params = Params(np.ones((1, 1)), np.zeros(1))
    with pytest.raises(ValueError, match="^activation is sigmoid; this objective .* needs relu"):
        OBJECTIVES[name](params, SIGMOID, np.ones((1, 1)), 0.1)
