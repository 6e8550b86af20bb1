"""Metrics against loops over samples and units.

On integer data with ReLU no sum rounds, so chunks must change no bit.
"""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import problems

from numpy_rae import metrics
from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS, TANH
from numpy_rae.autoencoder import Params


def by_loops(params, activation, x):
    """Return Eq. (14) unit by unit: (share of samples with h > delta_min, E[a], Var[a]), and the mean loss."""
    N, m = len(x), len(params.b_e)
    active, a, loss = np.zeros(m), np.zeros((N, m)), 0.0
    for i in range(N):
        h = reference.encode(params.W, params.b_e, x[i], activation.name)
        for j in range(m):
            a[i, j] = params.W[j] @ x[i] + params.b_e[j]
            active[j] += 1 / N if h[j] > activation.delta_min else 0
        loss += reference.squared(x[i] - reference.decode(params.W, h)) / N
    mean = sum(a) / N
    return active, mean, sum((row - mean) ** 2 for row in a) / N, loss


@given(problem=problems())
def test_measure_agrees_with_loops(problem):
    codes = metrics.measure(problem.params, problem.activation, problem.x)
    active, mean_a, var_a, loss = by_loops(problem.params, problem.activation, problem.x)
    for found, expected in zip(codes, (active, mean_a, var_a, loss), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert metrics.summary(codes) == pytest.approx(
        {
            "activation_fraction": sum(active) / len(active),
            "dead_fraction": sum(1 for share in active if share == 0) / len(active),
            "mean_preactivation": sum(mean_a) / len(mean_a),
            "var_preactivation": sum(var_a) / len(var_a),
            "loss": loss,
        },
        rel=1e-12,
        abs=1e-12,
    )


@given(seed=st.integers(0, 2**16), N=st.integers(1, 40), chunk=st.integers(1, 45))
def test_chunks_do_not_show(seed, N, chunk):
    rng = np.random.default_rng(seed)
    params = Params(*(rng.integers(-3, 4, shape).astype(float) for shape in ((4, 3), (4,))))
    x = rng.integers(-3, 4, (N, 3)).astype(float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "CHUNK", N)
        whole = metrics.measure(params, RELU, x)
        patch.setattr(metrics, "CHUNK", chunk)
        parts = metrics.measure(params, RELU, x)
    assert np.array_equal(whole.active, parts.active)
    assert np.array_equal(whole.mean_a, parts.mean_a)
    assert np.array_equal(whole.var_a, parts.var_a)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-14 * N)


def test_a_unit_that_only_the_last_sample_wakes_is_not_dead():
    """A unit is dead only if it is active on no sample, including the short last chunk."""
    x = np.zeros((2 * metrics.CHUNK + 1, 1), np.float32)
    x[-1] = 1
    codes = metrics.measure(Params(np.array([[1], [-1]], np.float32), np.zeros(2, np.float32)), RELU, x)
    assert codes.active.tolist() == [1 / len(x), 0]
    assert metrics.dead_fraction(codes) == 0.5


@pytest.mark.parametrize(
    ("activation", "a", "share"),
    [
        (RELU, [1e-30, 1e30, 0, -1], 0.5),
        (SIGMOID, [-2.5, -2.0, 5, -50], 0.5),
        (SOFTPLUS, [-2.5, -2.0, 9, -50], 0.5),
        (TANH, [-9, 0.09, 0.11, 9], 0.5),
    ],
)
def test_active_means_above_the_threshold_and_not_how_far(activation, a, share):
    codes = metrics.measure(Params(np.ones((1, 1)), np.zeros(1)), activation, np.array(a)[:, None])
    assert metrics.activation_fraction(codes) == share


def test_at_the_threshold_a_unit_is_not_active():
    at = RELU.jet(np.zeros((1, 1))).h
    assert at == RELU.delta_min
    assert metrics.measure(Params(np.ones((1, 1)), np.zeros(1)), RELU, at).active == [0]


@given(x=hnp.arrays(np.float32, (7, 2), elements=st.floats(-100, 100, width=32)))
def test_sums_of_float32_data_are_kept_in_float64(x):
    params = Params(np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    codes = metrics.measure(params, RELU, x)
    assert codes.mean_a.dtype == codes.var_a.dtype == np.float64
    assert np.array_equal(codes.mean_a, x.sum(axis=0, dtype=np.float64) / 7)
    exact = np.square(x, dtype=np.float64)
    np.testing.assert_allclose(codes.var_a, exact.mean(axis=0) - codes.mean_a**2, rtol=1e-12, atol=1e-12)


def test_summary_holds_plain_floats():
    params = Params(np.ones((2, 1), np.float32), np.zeros(2, np.float32))
    codes = metrics.measure(params, RELU, np.ones((3, 1), np.float32))
    assert {type(value) for value in metrics.summary(codes).values()} == {float}


def test_data_that_do_not_fit_are_named_and_params_may_be_anything_but_misshapen():
    """A run that has diverged is measured, too. Its loss is then not finite."""
    params = Params(np.full((2, 3), np.inf), np.zeros(2))
    with pytest.raises(ValueError, match="^x "):
        metrics.measure(params, RELU, np.ones((4, 2)))
    assert not np.isfinite(metrics.measure(params, RELU, np.ones((4, 3))).loss)


@pytest.mark.parametrize("N", [1, 3, 4, 5, 9])
def test_mean_square_is_the_mean_over_samples_whatever_the_chunk(monkeypatch, N):
    x = np.arange(2.0 * N).reshape(N, 2) - 3
    monkeypatch.setattr(metrics, "CHUNK", 4)
    assert metrics.mean_square(x) == (x**2).sum() / N


def test_a_vector_in_place_of_the_data_is_named():
    params = Params(np.ones((2, 3)), np.zeros(2))
    with pytest.raises(ValueError, match=r"^x has shape \(3,\); it must be \(samples, features\)"):
        metrics.measure(params, RELU, np.ones(3))


def test_every_chunk_of_codes_is_shown_with_its_rows(monkeypatch):
    monkeypatch.setattr(metrics, "CHUNK", 2)
    x, codes = np.arange(10.0).reshape(5, 2), np.full((5, 2), np.nan)
    metrics.reduce_codes(Params(np.eye(2), np.zeros(2)), RELU, x, codes.__setitem__)
    np.testing.assert_array_equal(codes, x)
