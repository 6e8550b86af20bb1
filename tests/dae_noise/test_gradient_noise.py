"""eDAE's noise is linear and has mean zero, and its variance causes a drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems

from numpy_rae.activations import RELU, SOFTPLUS, TANH
from numpy_rae.autoencoder import Params
from numpy_rae.dae_noise import gradient_noise
from numpy_rae.dae_noise.gradient_noise import (
    EdaeCopies,
    decoder_push,
    edae_copies,
    noise_covariance,
    noise_gradient,
    plain_gradient,
    predicted_drift,
    simulated_drift,
)
from numpy_rae.gradcheck import flatten, unflatten
from numpy_rae.objectives import ae, corruption, edae, first_order
from numpy_rae.row_norms import unit_rows

ERRORS = 5.3  # standard errors: a correct estimate fails once in 10^7 seeds, and the seeds are fixed


def drawn(m, n, N, seed=0):
    rng = np.random.default_rng(seed)
    W, b_e, x = rng.standard_normal((m, n)), rng.standard_normal(m), rng.standard_normal((N, n))
    return Params(0.6 * W, 0.5 * b_e), x, rng


@given(problem=problems(), K=st.integers(1, 4), sigma2=st.floats(0.01, 1))
def test_mean_over_copies_is_edae_at_the_mean_noise(problem, K, sigma2):
    """Values and gradients must be equal. The K copies cost K gradients here, and one gradient in `EdaeCopies`."""
    params, activation, x, _, seed = problem
    noise = np.random.default_rng(seed)
    each = [first_order(params, activation, x, corruption(x, sigma2, noise)) for _ in range(K)]
    J, grad = EdaeCopies(K)(params, activation, x, sigma2, np.random.default_rng(seed))
    assert J == pytest.approx(np.mean([value for value, _ in each]), rel=1e-9, abs=1e-9)
    expected = np.mean([flatten(g.dense(params)) for _, g in each], axis=0)
    np.testing.assert_allclose(flatten(grad.dense(params)), expected, rtol=1e-8, atol=1e-9)


def test_copies_are_the_variance_divided_in_law():
    """The mean of K standard normal draws is normal with variance 1/K.

    The test checks the noise that `first_order` gets.
    """
    params, x, _ = drawn(3, 2, 20_000, 1)
    for K in (1, 4):
        rng = np.random.default_rng(2)
        eps = sum(corruption(x, 0.5, rng) for _ in range(K)) / K
        J, _ = EdaeCopies(K)(params, RELU, x, 0.5, np.random.default_rng(2))
        assert J == pytest.approx(first_order(params, RELU, x, eps)[0], rel=1e-12)
        square = eps.ravel() ** 2
        assert abs(square.mean() - 0.5 / K) < ERRORS * square.std() / square.size**0.5


def test_one_copy_is_edae_bit_for_bit():
    params, x, _ = drawn(3, 2, 5)
    (one, g), (two, k) = (f(params, RELU, x, 0.3, np.random.default_rng(3)) for f in (edae, edae_copies(1)))
    assert one == two
    np.testing.assert_array_equal(flatten(g.dense(params)), flatten(k.dense(params)))


@given(problem=problems())
def test_antithetic_edae_is_the_plain_auto_encoder(problem):
    params, activation, x, eps, _ = problem
    both = [first_order(params, activation, x, sign * eps) for sign in (1, -1)]
    J, grad = ae(params, activation, x)
    assert sum(value for value, _ in both) / 2 == pytest.approx(J, rel=1e-12, abs=1e-12)
    mean = sum(flatten(g.dense(params)) for _, g in both) / 2
    np.testing.assert_allclose(mean, flatten(grad.dense(params)), rtol=1e-9, atol=1e-11)


@given(problem=problems())
def test_noise_gradient_is_edae_less_the_plain_auto_encoder_and_linear(problem):
    params, activation, x, eps, _ = problem
    xi = noise_gradient(params, activation, x, eps)
    rest = flatten(first_order(params, activation, x, eps)[1].dense(params)) - flatten(
        ae(params, activation, x)[1].dense(params)
    )
    np.testing.assert_allclose(xi, rest, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(noise_gradient(params, activation, x, -3 * eps), -3 * xi, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("activation", [RELU, TANH], ids=lambda s: s.name)
def test_noise_covariance_against_draws(activation):
    """The variance along a direction must agree within its standard error. Its scale is sigma2 / N."""
    params, x, rng = drawn(3, 2, 4, 4)
    S = noise_covariance(params, activation, x)
    draws = np.stack([noise_gradient(params, activation, x, rng.standard_normal(x.shape)) for _ in range(8_000)])
    for direction in rng.standard_normal((3, len(S))):
        square = (draws @ direction) ** 2
        assert abs(square.mean() - direction @ S @ direction) < ERRORS * square.std(ddof=1) / len(draws) ** 0.5
    np.testing.assert_allclose(noise_covariance(params, activation, np.concatenate([x] * 3)), S / 3, rtol=1e-9)


def test_predicted_drift_agrees_with_the_noise_drawn():
    """The start is a stationary state, where freezing has no effect at this order.

    Without (b), the prediction would be 0.
    """
    params, x, _ = drawn(3, 2, 6, 5)
    theta = flatten(params)
    for _ in range(20_000):
        theta = theta - 0.05 * plain_gradient(theta, params, SOFTPLUS, x)
    params = unflatten(theta, params)
    sigma2, eta, steps = 1e-3, 0.05, 12
    drift = predicted_drift(params, SOFTPLUS, x, sigma2, eta, steps)
    found = simulated_drift(params, SOFTPLUS, x, sigma2, eta, steps, np.random.default_rng(6), 400)[:, -1]
    error = found.std(axis=0, ddof=1) / len(found) ** 0.5
    assert (abs(found.mean(axis=0) - drift.mean[-1]) < ERRORS * error).all()
    assert (abs(drift.mean[-1]) > 2 * ERRORS * error).any()
    assert (drift.mean[:2] == 0).all() and np.linalg.eigvalsh(drift.covariance).min() > -1e-15


def test_drift_is_proportional_to_the_variance_and_to_eta_at_fixed_time():
    """d_t / (sigma2 eta) has a limit for small eta at fixed eta t."""
    params, x, _ = drawn(3, 2, 6, 7)
    one = predicted_drift(params, SOFTPLUS, x, 1e-4, 0.02, 10).mean[-1]
    np.testing.assert_allclose(predicted_drift(params, SOFTPLUS, x, 4e-4, 0.02, 10).mean[-1], 4 * one, rtol=1e-2)
    ratios = [
        np.linalg.norm(predicted_drift(params, SOFTPLUS, x, 1e-4, eta / 2, round(0.2 / eta) * 2).mean[-1])
        / np.linalg.norm(predicted_drift(params, SOFTPLUS, x, 1e-4, eta, round(0.2 / eta)).mean[-1])
        for eta in (0.02, 0.005)
    ]
    assert abs(ratios[1] - 0.5) < abs(ratios[0] - 0.5) and ratios[1] == pytest.approx(0.5, abs=0.03)


def test_decoder_noise_pushes_every_bias_down():
    """Independent noise of the rows, in the decoder alone, adds sum_j tr(C_j) E[h_j^2] to the mean loss."""
    params, x, rng = drawn(4, 3, 5, 8)
    variances = rng.uniform(0.001, 0.02, 4)
    C = np.diag(np.concatenate([np.repeat(variances, 3), np.ones(4)]))

    def added(b):
        return 3 * variances @ np.square(np.maximum(x @ params.W.T + b, 0)).mean(axis=0)

    h = np.maximum(x @ params.W.T + params.b_e, 0)
    delta = variances[:, None] ** 0.5 * rng.standard_normal((40_000, 4, 3))
    more = np.square(x - h @ (params.W + delta)).sum(axis=2).mean(axis=1) - np.square(x - h @ params.W).sum() / len(x)
    assert abs(more.mean() - added(params.b_e)) < ERRORS * more.std(ddof=1) / len(more) ** 0.5
    step = 1e-6 * np.eye(4)
    slopes = [(added(params.b_e + e) - added(params.b_e - e)) / 2e-6 for e in step]
    push = decoder_push(params, RELU, x, C)
    np.testing.assert_allclose(push, slopes, rtol=1e-6, atol=1e-12)
    assert (push >= 0).all() and push.any()


def test_covariances_between_rows_can_reverse_the_decoder_s_push():
    """The decoder alone adds sum_jk tr(C_jk) E[h_j h_k]. `decoder_push` is the part j = k of its gradient."""
    params, x, _ = drawn(2, 3, 6, 11)
    rows = np.array([[1.0, -3.0], [-3.0, 9.0]])  # the noise of row 1 is -3 times that of row 0
    C = np.zeros((8, 8))
    C[:6, :6] = 1e-3 * np.kron(rows, np.eye(3))

    def added(b):
        h = np.logaddexp(x @ params.W.T + b, 0)
        return 3e-3 * np.einsum("ij,jk,ik->", h, rows, h) / len(x)

    step = 1e-6 * np.eye(2)
    slopes = [(added(params.b_e + e) - added(params.b_e - e)) / 2e-6 for e in step]
    jet = SOFTPLUS(x @ params.W.T + params.b_e, 1)
    between = 2 * 3e-3 * -3 * (jet.dh_da * jet.h[:, ::-1]).mean(axis=0)
    push = decoder_push(params, SOFTPLUS, x, C)
    np.testing.assert_allclose(push + between, slopes, rtol=1e-6)
    assert (push > 0).all() and slopes[0] < 0


def test_noise_in_the_biases_alone_reaches_the_weights_after_the_first_step(monkeypatch):
    params, x, _ = drawn(3, 2, 20, 12)
    whole = noise_covariance(params, SOFTPLUS, x)
    biases = np.zeros_like(whole)
    biases[6:, 6:] = whole[6:, 6:]
    monkeypatch.setattr(gradient_noise, "noise_covariance", lambda *_: biases)
    first, later = (predicted_drift(params, SOFTPLUS, x, 1.0, 0.01, steps).covariance for steps in (1, 20))
    assert not first[:6].any() and first[6:, 6:].any()
    assert (np.diag(later)[:6] > 0).all()


def test_unit_rows_stay_on_the_sphere_and_opposite_noise_cancels_without_variance():
    params, x, rng = drawn(3, 2, 6, 9)
    unit_rows(params.W)
    found = simulated_drift(params, RELU, x, 0.0, 0.05, 3, rng, 2, unit=True)
    assert found.shape == (2, 4, 9) and not found.any()
    moved = simulated_drift(params, RELU, x, 1e-6, 0.05, 3, rng, 1, unit=True)[0, -1]
    radial = (moved[:6].reshape(3, 2) * params.W).sum(axis=1)
    assert moved.any() and (abs(radial) < 1e-5).all()


def test_number_of_copies_is_checked():
    with pytest.raises(ValueError, match="^K is 0; it must be a whole number"):
        edae_copies(0)
