"""CAE's Dirac: value and gradient of the kernel penalty, compared with the population and with the smoothed penalty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from numpy_rae.activations import RELU, SOFTPLUS
from numpy_rae.autoencoder import Params, forward
from numpy_rae.dae_noise.kernel_cae import KernelPenalty, density_at_zero, kernel_cae
from numpy_rae.objectives import denoising
from numpy_rae.penalties import CAE, MDAE
from numpy_rae.row_norms import row_len2, unit_rows
from numpy_rae.theory.theorem_1 import penalty_bias_gradient

ERRORS = 5.3  # standard errors: a correct estimate fails once in 10^7 seeds, and the seeds are fixed


def drawn(m, n, N, seed=0):
    rng = np.random.default_rng(seed)
    return Params(rng.standard_normal((m, n)), rng.standard_normal(m)), rng.standard_normal((N, n))


def normal(z):
    return np.exp(-z * z / 2) / (2 * np.pi) ** 0.5


@given(seed=st.integers(0, 999), w=st.floats(0.01, 3))
def test_value_and_length_part_are_those_of_cae_and_mdae(seed, w):
    params, x = drawn(4, 3, 9, seed)
    for p, usual in ((2, CAE), (4, MDAE)):
        (R, grad), (expected, plain) = (
            penalty.value_and_grad(params, RELU, forward(params, RELU, x, 2))
            for penalty in (KernelPenalty(w, p), usual)
        )
        assert R == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(grad.dR_dlen2, plain.dR_dlen2, rtol=1e-12)
        assert (grad.dR_da >= 0).all() and grad.dR_da.any() and plain.dR_da is None


def test_on_unit_rows_the_penalty_is_m_times_equation_14():
    params, x = drawn(5, 3, 40)
    unit_rows(params.W)
    for penalty in (KernelPenalty(0.1), KernelPenalty(0.1, 4), CAE, MDAE):
        R, _ = penalty.value_and_grad(params, RELU, forward(params, RELU, x, 2))
        assert R == pytest.approx(5 * (x @ params.W.T + params.b_e > 0).mean(), rel=1e-12)


@given(seed=st.integers(0, 999), w=st.floats(0.1, 3), p=st.sampled_from([2, 4]))
def test_gradient_through_a_is_that_of_the_smoothed_slope(seed, w, p):
    """(d) by central differences of sum_j ||W_j||^p E[Phi(a_j / w)] in every pre-activation."""
    params, x = drawn(3, 2, 4, seed)
    fwd, step = forward(params, RELU, x), 1e-5
    _, grad = KernelPenalty(w, p).value_and_grad(params, RELU, fwd)
    lengths = row_len2(params.W) ** (p / 2) / len(x)
    differences = (ndtr((fwd.a + step) / w) - ndtr((fwd.a - step) / w)) / (2 * step) * lengths
    np.testing.assert_allclose(grad.dR_da, differences, rtol=1e-6, atol=1e-9)


def test_population_gradient_of_cae_is_the_density_and_not_zero():
    """x ~ N(0, I): P(a_j > 0) = Phi(b_j / l_j), and its slope in b_j is the density of a_j at 0."""
    params, _ = drawn(4, 3, 1, 1)
    l, b, step = row_len2(params.W) ** 0.5, params.b_e, 1e-5
    slope = l**2 * (ndtr((b + step) / l) - ndtr((b - step) / l)) / (2 * step)
    np.testing.assert_allclose(slope, l**2 * normal(b / l) / l, rtol=1e-6)
    x = np.random.default_rng(2).standard_normal((200_000, 3))
    a = x @ params.W.T + b
    for w in (0.05, 0.5):
        # Noise of deviation w on a_j also gives a known density, so the test needs no allowance for a bias.
        expected = normal(b / np.hypot(l, w)) / np.hypot(l, w)
        seen = density_at_zero(a, w)
        error = seen.std(axis=0, ddof=1) / len(x) ** 0.5
        assert (abs(seen.mean(axis=0) - expected) < ERRORS * error).all()
    assert not penalty_bias_gradient(CAE, params, RELU, x[:1000]).any()
    pushed = penalty_bias_gradient(KernelPenalty(0.05), params, RELU, x)
    np.testing.assert_allclose(pushed, l**2 * density_at_zero(a, 0.05).mean(axis=0), rtol=1e-9)


def test_weights_get_the_samples_at_the_kink():
    """dR/dW_j without the length part is ||W_j||^2 E[x K(a_j / w) / w].

    In the population it is f_j(0) E[x | a_j = 0].
    """
    params, _ = drawn(1, 3, 1, 3)
    l, b, w = row_len2(params.W)[0] ** 0.5, params.b_e[0], 0.3
    x = np.random.default_rng(4).standard_normal((200_000, 3))
    values = density_at_zero(x @ params.W.T + b, w) * x
    spread2 = l**2 + w**2
    expected = normal(b / spread2**0.5) / spread2**0.5 * (-b * params.W[0] / spread2)
    error = values.std(axis=0, ddof=1) / len(x) ** 0.5
    assert (abs(values.mean(axis=0) - expected) < ERRORS * error).all() and (abs(expected) > ERRORS * error).any()


def test_smaller_bandwidths_have_less_bias_and_more_variance():
    a = np.random.default_rng(5).standard_normal((100_000, 1)) + 0.5
    small, large = density_at_zero(a, 0.02), density_at_zero(a, 1.0)
    assert abs(large.mean() - normal(0.5)) > 0.03 > abs(small.mean() - normal(0.5))
    assert small.var() > 5 * large.var()


def test_dae_has_this_gradient_with_the_noise_as_its_kernel():
    """DAE minus the auto-encoder of the corrupted inputs has lambda = 2 sigma2, p = 2 and bandwidth sigma ||W_j||."""
    params, x = drawn(1, 3, 1, 6)
    sigma, draws = 0.4, 100_000
    w = float(sigma * row_len2(params.W)[0] ** 0.5)
    expected = 2 * sigma**2 * penalty_bias_gradient(KernelPenalty(w), params, RELU, x)[0]
    eps = sigma * np.random.default_rng(7).standard_normal((draws, 3))
    x_tilde = x + eps
    mean = np.subtract(*(denoising(params, RELU, np.broadcast_to(x, eps.shape) + shift, x_tilde)[1].g_b_e[0]
                         for shift in (0, eps)))  # fmt: skip
    error = np.std(2 * (x_tilde @ params.W.T + params.b_e > 0) * (eps @ params.W.T), ddof=1) / draws**0.5
    assert abs(mean - expected) < ERRORS * error < expected / 10


def test_float32_stays_and_the_bandwidth_is_in_the_name():
    rng = np.random.default_rng(0)
    params = Params(rng.standard_normal((4, 3), np.float32), np.zeros(4, np.float32))
    model = kernel_cae(np.float64(0.5))
    J, grad = model(params, RELU, rng.standard_normal((5, 3), np.float32), 0.3, None)
    assert model.name == "CAE-kernel-0.5" and isinstance(J, float)
    assert {part.dtype for part in grad.dense(params)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("given_", [{"bandwidth": 0}, {"bandwidth": -1.0}, {"bandwidth": 1.0, "p": 1}])
def test_parameters_are_checked(given_):
    with pytest.raises(ValueError, match="^(bandwidth|p) is "):
        KernelPenalty(**given_)


def test_another_activation_is_refused():
    params, x = drawn(2, 2, 3)
    with pytest.raises(ValueError, match="^activation is softplus; the kernel penalty is defined for relu$"):
        kernel_cae(1.0)(params, SOFTPLUS, x, 0.1, None)
