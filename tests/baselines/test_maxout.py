"""Maxout: gradients by finite differences, identities with the linear and the ReLU auto-encoder, and the witness.

Ties between pieces do not occur. The samples are orthogonal, so W can be solved for given pre-activations. These are
chosen apart from each other, differently for every sample and unit.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpy_rae import autoencoder, objectives
from numpy_rae.activations import PAPER_ACTIVATIONS, RELU
from numpy_rae.baselines import maxout
from numpy_rae.baselines.maxout import MaxoutParams, forward, value_and_grad
from numpy_rae.baselines.maxout_left_limit import left_limit, witness
from numpy_rae.baselines.maxout_training import train

seeds = st.integers(0, 2**32 - 1)


def apart(seed, N=4, m=3, k=3, n=6):
    """Return x (N, n) and parameters with pieces at least 0.6 apart, in a random order for each sample and unit."""
    rng = np.random.default_rng(seed)
    x = np.linalg.qr(rng.standard_normal((n, N)))[0].T * rng.uniform(1, 2, (N, 1))
    b_e = rng.standard_normal((m, k))
    a = rng.permuted(np.broadcast_to(np.arange(k) - 0.5, (N, m, k)), axis=2) + rng.uniform(-0.2, 0.2, (N, m, k))
    W = np.einsum("ijp,in->jpn", a - b_e, x / (x**2).sum(axis=1, keepdims=True))
    return MaxoutParams(W, b_e), x, rng


def direction(params, rng):
    """Return a random direction.

    For |x| <= 2, a step of length 1 changes the distance of two pieces by less than 0.25.
    """
    d = [rng.standard_normal(value.shape) for value in params]
    return MaxoutParams(d[0] / (20 * np.linalg.norm(d[0])), d[1] / (20 * np.linalg.norm(d[1])))


def along(params, d, t, x):
    return value_and_grad(MaxoutParams(params.W + t * d.W, params.b_e + t * d.b_e), x)[0]


def slope(params, d, x):
    grad = value_and_grad(params, x)[1]
    return np.vdot(grad.W, d.W) + np.vdot(grad.b_e, d.b_e)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 4))
def test_gradient_equals_fourth_order_differences(seed, k):
    """J is a polynomial of degree 4 while the same pieces win, so the difference formula is exact."""
    params, x, rng = apart(seed, k=k)
    d = direction(params, rng)
    J = {t: along(params, d, t, x) for t in (-2, -1, 1, 2)}
    difference = (J[-2] - 8 * J[-1] + 8 * J[1] - J[2]) / 12
    assert slope(params, d, x) == pytest.approx(difference, abs=1e-14 * max(J.values()) * 12)


@pytest.mark.parametrize("seed", range(5))
def test_taylor_remainder_has_slope_two(seed):
    params, x, rng = apart(seed)
    d, J = direction(params, rng), value_and_grad(params, x)[0]
    first = slope(params, d, x)
    t = 2.0 ** -np.arange(4, 9)
    remainder = [abs(along(params, d, step, x) - J - step * first) for step in t]
    assert np.polyfit(np.log(t), np.log(remainder), 1)[0] == pytest.approx(2, abs=0.05)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_forward_by_loops(seed):
    params, x, _ = apart(seed)
    fwd = forward(params, x)
    for i in range(len(x)):
        y = np.zeros(x.shape[1])
        for j in range(3):
            pieces = [params.W[j, p] @ x[i] + params.b_e[j, p] for p in range(3)]
            y += max(pieces) * params.W[j, pieces.index(max(pieces))]
            assert fwd.h[i, j] == pytest.approx(max(pieces), rel=1e-12)
        np.testing.assert_allclose(fwd.y[i], y, rtol=1e-12, atol=1e-12)
    assert (fwd.won.sum(axis=2) == 1).all()


def test_one_piece_is_a_linear_auto_encoder():
    rng = np.random.default_rng(0)
    W, b, x = rng.standard_normal((3, 5)), rng.standard_normal(3), rng.standard_normal((7, 5))
    J, grad = value_and_grad(MaxoutParams(W[:, None], b[:, None]), x)
    D = x @ (np.eye(5) - W.T @ W) - b @ W  # x - y
    J_W = sum(np.outer(W @ x_i + b, d) + np.outer(W @ d, x_i) for x_i, d in zip(x, D, strict=True))
    assert J == pytest.approx(np.trace(D @ D.T) / 7, rel=1e-13)
    np.testing.assert_allclose(grad.W[:, 0], -2 / 7 * J_W, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(grad.b_e[:, 0], -2 / 7 * W @ D.sum(axis=0), rtol=1e-11, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_a_zero_second_piece_is_relu(seed):
    two, x, _ = apart(seed, k=2)
    relu = autoencoder.Params(two.W[:, 1] - two.W[:, 0], two.b_e[:, 1] - two.b_e[:, 0])  # |a| >= 0.6, either sign
    params = MaxoutParams(np.stack([relu.W, 0 * relu.W], axis=1), np.stack([relu.b_e, 0 * relu.b_e], axis=1))
    fwd, expected = forward(params, x), autoencoder.forward(relu, RELU, x)
    np.testing.assert_allclose(fwd.h, expected.jet.h, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(fwd.y, expected.y, rtol=1e-12, atol=1e-14)
    J, grad = value_and_grad(params, x)
    J_relu, grad_relu = objectives.ae(relu, RELU, x)
    g_relu = grad_relu.dense(relu)
    assert J == pytest.approx(J_relu, rel=1e-13)
    np.testing.assert_allclose(grad.W[:, 0], g_relu.W, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(grad.b_e[:, 0], g_relu.b_e, rtol=1e-11, atol=1e-12)


def test_a_tie_goes_to_the_first_piece():
    params = MaxoutParams(np.array([[[1.0], [-1.0]]]), np.zeros((1, 2)))
    x = np.zeros((1, 1))
    assert forward(params, x).won.tolist() == [[[True, False]]]


def test_two_steps_by_hand():
    """m = n = 1, k = 2, one sample: J = (x - a w)^2 with a = w x + b of the winner. The loser must not move."""
    x, eta, momentum = 1.5, 0.02, 0.5
    W, b_e = maxout.init_params(1, 2, 1, np.random.default_rng(3), np.float64)
    w, b = W.ravel().tolist(), b_e.ravel().tolist()
    win, v_w, v_b, losses = int(w[1] > w[0]), 0.0, 0.0, []
    loser = w[1 - win]
    for _ in range(2):
        a = w[win] * x + b[win]
        r = x - a * w[win]
        losses.append(r * r)
        v_w = momentum * v_w - eta * -2 * r * (a + w[win] * x)
        v_b = momentum * v_b - eta * -2 * r * w[win]
        w[win], b[win] = w[win] + v_w, b[win] + v_b
        assert w[win] * x + b[win] > w[1 - win] * x
    run = train(np.array([[x]]), 1, 2, np.random.default_rng(3), 2, eta, momentum, 1)
    np.testing.assert_allclose(run.params.W.ravel(), w, rtol=1e-14)
    np.testing.assert_allclose(run.params.b_e.ravel(), b, rtol=1e-14)
    assert run.history == pytest.approx(losses, rel=1e-13) and run.diverged is None
    assert run.params.W.ravel()[1 - win] == loser and run.params.b_e.ravel()[1 - win] == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_lowers_the_loss_and_keeps_the_dtype(dtype):
    x = np.random.default_rng(4).standard_normal((40, 6)).astype(dtype)
    start = value_and_grad(maxout.init_params(5, 2, 6, np.random.default_rng(0), dtype), x)[0]
    run, again = (train(x, 5, 2, np.random.default_rng(0), 40, np.float64(0.01), 0.9, 10) for _ in range(2))
    assert value_and_grad(run.params, x)[0] < start / 2
    assert len(run.history) == 40 and run.history[-1] < run.history[0]
    assert run.params.W.dtype == run.params.b_e.dtype == forward(run.params, x).y.dtype == dtype
    np.testing.assert_array_equal(run.params.W, again.params.W)


def test_divergence_is_reported():
    x = np.random.default_rng(5).standard_normal((10, 3))
    run = train(x, 4, 2, np.random.default_rng(0), 50, eta=10.0)
    assert run.diverged == len(run.history) + 1 > 1
    assert np.isfinite(run.history).all()


def test_witness_does_not_saturate_on_the_left():
    params, d, limit = witness()
    t = np.array([1e2, 1e4, 1e6])
    np.testing.assert_array_equal(forward(params, -t[:, None] * d).h[:, 0], t)
    np.testing.assert_array_equal(forward(params, t[:, None] * d).h[:, 0], t)
    assert limit.tolist() == [np.inf]
    far = np.array([-1e4])
    assert all(s(far, 1).h == pytest.approx(0, abs=1e-12) for s in PAPER_ACTIVATIONS.values() if s.zero_on_left)
    assert witness(np.float32).limit.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 4))
def test_left_limit_is_what_far_samples_show(seed, k):
    """All numbers are small integers, so results are exact. The last crossing of two pieces is within |t| <= 6."""
    rng = np.random.default_rng(seed)
    params = MaxoutParams(rng.integers(-1, 2, (5, k, 2)).astype(float), rng.integers(-3, 4, (5, k)).astype(float))
    d = np.array([1.0, 2.0])
    near, far = forward(params, np.array([-100 * d, -200 * d])).h
    limit = left_limit(params, d)
    np.testing.assert_array_equal(limit == np.inf, far > near)
    np.testing.assert_array_equal(limit == -np.inf, far < near)
    still = np.isfinite(limit)
    np.testing.assert_array_equal(near[still], limit[still])


def test_left_limit_of_relu_identity_and_absolute_value():
    W = np.array([[[1.0], [0.0]], [[1.0], [1.0]], [[1.0], [-1.0]]])
    limit = left_limit(MaxoutParams(W, np.zeros((3, 2))), np.ones(1))
    assert limit.tolist() == [0, -np.inf, np.inf]


PARAMS, X = maxout.init_params(2, 3, 4, np.random.default_rng(0), np.float64), np.ones((5, 4))
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (
            lambda: forward(PARAMS, X[:, :3]),
            r"^x is float64 \(5, 3\); it must be a float64 array of shape \(samples, 4\)$",
        ),
        (lambda: forward(PARAMS, X.astype(np.float32)), r"^x is float32 \(5, 4\); it must be a float64"),
        (
            lambda: forward(PARAMS._replace(W=PARAMS.W[0]), X),
            r"^W is float64 \(3, 4\); it must be a float array of shape",
        ),
        (lambda: forward(PARAMS._replace(W=None), X), r"^W is NoneType; it must be"),
        (lambda: forward(PARAMS._replace(b_e=np.zeros((2, 1))), X), r"^b_e is float64 \(2, 1\); it must be"),
        (lambda: left_limit(PARAMS, np.ones(3)), r"^direction is float64 \(3,\); it must be"),
        (lambda: train(X[0], 2, 2, RNG), r"^x has shape \(4,\); it must be"),
        (lambda: train(X, 0, 2, RNG), r"^m is 0; it must be a whole number of at least 1$"),
        (lambda: train(X, 2, 1.5, RNG), r"^k is 1\.5; it must be"),
        (lambda: train(X, 2, 2, RNG, epochs=0), r"^epochs is 0; it must be"),
        (lambda: train(X, 2, 2, RNG, batch_size=0), r"^batch_size is 0; it must be"),
        (lambda: train(X, 2, 2, RNG, eta=0.0), r"^eta is 0\.0; it must be"),
        (lambda: train(X, 2, 2, RNG, momentum=1.5), r"^momentum is 1\.5; it must be"),
    ],
)
def test_bad_input_gets_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
