"""Sparsity measures against loops, on codes with known values, and under changes that they must ignore."""

import math
from dataclasses import replace

import numpy as np
import pytest
import reference
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import problems, values

from numpy_rae import metrics, sparsity
from numpy_rae.activations import RELU, SIGMOID, TANH
from numpy_rae.autoencoder import Params, forward
from numpy_rae.extra_activations import ELU

ROUNDING = 1e-12
floats = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def hoyer_by_loops(h):
    l1, l2 = sum(abs(v) for v in h), sum(v * v for v in h) ** 0.5
    return (len(h) ** 0.5 - l1 / l2) / (len(h) ** 0.5 - 1)


def by_loops(params, activation, x):
    """Return the arrays of the record, computed entry by entry."""
    N, m = len(x), len(params.b_e)
    density, near_zero, L0, hoyer, zero = np.zeros(m), np.zeros(m), [0] * N, [math.nan] * N, [True] * N
    for i in range(N):
        h = reference.encode(params.W, params.b_e, x[i], activation.name)
        for j in range(m):
            L0[i] += bool(h[j] > activation.delta_min)
            density[j] += (h[j] > activation.delta_min) / N
            near_zero[j] += (-activation.delta_min <= h[j] <= activation.delta_min) / N
            zero[i] = zero[i] and h[j] == 0
        if m > 1 and not zero[i]:
            hoyer[i] = hoyer_by_loops(h)
    return density, near_zero, L0, hoyer, zero


@given(problem=problems())
def test_measure_agrees_with_loops(problem):
    seen = sparsity.measure(problem.params, problem.activation, problem.x)
    density, near_zero, L0, hoyer, zero = by_loops(problem.params, problem.activation, problem.x)
    np.testing.assert_allclose(seen.density, density, rtol=ROUNDING)
    np.testing.assert_allclose(seen.near_zero, near_zero, rtol=ROUNDING)
    assert seen.L0.tolist() == L0
    assert seen.zero.tolist() == zero
    np.testing.assert_allclose(seen.hoyer, hoyer, atol=ROUNDING)
    assert seen.dead.tolist() == [share == 0 for share in density]
    assert seen.L0_histogram.tolist() == [L0.count(k) for k in range(len(density) + 1)]


@given(problem=problems())
def test_measure_says_what_metrics_says(problem):
    figures = sparsity.measure(problem.params, problem.activation, problem.x).figures()
    kept = metrics.summary(metrics.measure(problem.params, problem.activation, problem.x))
    for name in ("activation_fraction", "dead_fraction", "mean_preactivation", "var_preactivation"):
        assert figures[name] == kept[name]
    assert figures["L0_mean"] == pytest.approx(kept["activation_fraction"] * len(problem.params.b_e), rel=ROUNDING)


def test_measure_encodes_the_data_once(monkeypatch):
    monkeypatch.setattr(metrics, "CHUNK", 10)
    lengths = []
    counted = replace(RELU, jet=lambda a, order: lengths.append(len(a)) or RELU.jet(a, order))
    params, x = Params(np.eye(3), np.zeros(3)), np.ones((25, 3))
    sparsity.measure(params, counted, x)
    assert lengths == [10, 10, 5]


@floats
@pytest.mark.parametrize("activation", [RELU, SIGMOID, TANH, ELU], ids=lambda s_e: s_e.name)
def test_both_measures_are_those_of_the_forward_pass_bit_for_bit(dtype, activation):
    rng = np.random.default_rng(0)
    W, b_e, x = (rng.standard_normal(shape).astype(dtype) for shape in ((37, 20), 37, (2 * metrics.CHUNK + 41, 20)))
    params = Params(W, b_e)
    seen, codes = sparsity.measure(params, activation, x), metrics.measure(params, activation, x)
    parts = [forward(params, activation, x[start : start + metrics.CHUNK]) for start in range(0, len(x), metrics.CHUNK)]
    h = np.concatenate([fwd.jet.h for fwd in parts])
    for found, expected in (
        (seen.density, codes.active), (seen.mean_a, codes.mean_a), (seen.var_a, codes.var_a),
        (seen.density, (h > activation.delta_min).sum(axis=0) / len(x)),
        (seen.near_zero, (np.abs(h) <= activation.delta_min).sum(axis=0) / len(x)),
        (seen.L0, (h > activation.delta_min).sum(axis=1)), (seen.zero, ~h.any(axis=1)),
        (seen.hoyer, sparsity.hoyer(np.ascontiguousarray(h))),
    ):  # fmt: skip
        np.testing.assert_array_equal(found, expected)
    assert seen.explained_variance == sparsity.explained_variance(codes.loss, x)


@given(seed=st.integers(0, 2**16), N=st.integers(1, 40), chunk=st.integers(1, 45))
def test_chunks_do_not_show(seed, N, chunk):
    """Sums of integers do not round, so they must be equal. Means and cosines may differ by rounding."""
    rng = np.random.default_rng(seed)
    params = Params(rng.integers(-3, 4, (6, 3)).astype(float), rng.integers(-3, 4, 6).astype(float))
    x = rng.integers(-3, 4, (N, 3)).astype(float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "CHUNK", 100)
        whole = sparsity.measure(params, RELU, x)
        patch.setattr(metrics, "CHUNK", chunk)
        parts = sparsity.measure(params, RELU, x)
    for name in ("density", "near_zero", "L0", "zero", "bias_quantiles"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
    np.testing.assert_array_equal(whole.hoyer, parts.hoyer)
    np.testing.assert_allclose(parts.coherence, whole.coherence, rtol=ROUNDING)
    np.testing.assert_allclose(parts.explained_variance, whole.explained_variance, rtol=ROUNDING, atol=ROUNDING)


def test_a_unit_that_only_the_last_sample_wakes_is_alive():
    x = np.zeros((2 * metrics.CHUNK + 1, 1), np.float32)
    x[-1] = 1
    params = Params(np.array([[1], [-1]], np.float32), np.zeros(2, np.float32))
    seen = sparsity.measure(params, RELU, x)
    assert seen.dead.tolist() == [False, True]
    assert seen.L0_histogram.tolist() == [len(x) - 1, 1, 0]


@pytest.mark.parametrize(
    ("activation", "a", "active", "near_zero"),
    [
        (TANH, [-9.0, 0.05, -0.05, 9.0], 0.25, 0.5),
        (ELU, [-9.0, 0.1, -0.05, 9.0], 0.25, 0.5),
        (RELU, [-9.0, 0.0, 1e-30, 9.0], 0.5, 0.5),
        (SIGMOID, [-9.0, -5.0, -2.0, 9.0], 0.5, 0.5),
    ],
)
def test_a_signed_unit_far_below_zero_is_neither_active_nor_near_zero(activation, a, active, near_zero):
    seen = sparsity.measure(Params(np.ones((1, 1)), np.zeros(1)), activation, np.array(a)[:, None])
    assert (seen.density.tolist(), seen.near_zero.tolist()) == ([active], [near_zero])


@floats
@given(m=st.integers(2, 50), at=st.integers(0, 49), exponent=st.integers(-38, 37), sign=st.sampled_from([-1, 1]))
def test_hoyer_is_1_for_one_hot_and_0_for_constant_codes(dtype, m, at, exponent, sign):
    h = np.zeros((2, m), dtype)
    h[0, at % m] = h[1] = sign * 10.0**exponent
    one_hot, constant = sparsity.hoyer(h)
    assert one_hot == 1
    assert 0 <= constant <= ROUNDING


@given(h=values(4, 7), exponent=st.integers(-900, 900))
def test_hoyer_ignores_scale_sign_and_order(h, exponent):
    """The scale is a power of two, so it does not round. The squares of such numbers can overflow or underflow."""
    h[np.abs(h) < 1e-30] = 0
    expected = sparsity.hoyer(h)
    np.testing.assert_array_equal(sparsity.hoyer(np.ldexp(h, exponent)), expected)
    np.testing.assert_allclose(sparsity.hoyer(-h[:, ::-1]), expected, atol=ROUNDING)
    assert ((expected >= 0) & (expected <= 1) | ~h.any(axis=1)).all()


@pytest.mark.parametrize("k", range(1, 10))
def test_hoyer_of_k_equal_entries(k):
    """l1 / l2 = sqrt(k), so with nine entries the measure is (3 - sqrt(k)) / 2."""
    h = np.zeros((1, 9))
    h[0, :k] = 5
    assert sparsity.hoyer(h)[0] == pytest.approx((3 - k**0.5) / 2, abs=1e-15)


def test_zero_codes_have_no_hoyer_and_are_left_out_of_the_mean():
    params = Params(np.eye(2), np.zeros(2))
    seen = sparsity.measure(params, RELU, np.array([[-1.0, -1], [1, 0], [1, 1]]))
    np.testing.assert_array_equal(np.isnan(seen.hoyer), [True, False, False])
    assert seen.figures()["hoyer_mean"] == pytest.approx(0.5, abs=1e-15)
    assert seen.figures()["zero_code_fraction"] == 1 / 3
    asleep = sparsity.measure(params, RELU, -np.ones((3, 2))).figures()
    assert math.isnan(asleep["hoyer_mean"])
    assert (asleep["zero_code_fraction"], asleep["L0_largest"]) == (1, 0)
    assert np.isnan(sparsity.hoyer(np.ones((3, 1)))).all()


@floats
@given(x=values(9, 3))
def test_explained_variance_is_1_for_perfect_reconstruction(dtype, x):
    """W = I with ReLU reconstructs non-negative data exactly."""
    x = np.abs(x).astype(dtype)
    x[0] = 3
    seen = sparsity.measure(Params(np.eye(3, dtype=dtype), np.zeros(3, dtype)), RELU, x)
    assert seen.explained_variance == 1


@pytest.mark.parametrize(("scale", "expected"), [(1, 0), (0, -1), (2**0.5, -1)])
def test_explained_variance_is_0_for_the_mean_and_below_for_worse(scale, expected):
    """For W = (scale, 0) and x = (1, +-1), y = (scale^2, 0). The mean of x is (1, 0)."""
    x = np.array([[1.0, 1], [1, -1]])
    seen = sparsity.measure(Params(np.array([[scale, 0.0]]), np.zeros(1)), RELU, x)
    assert seen.explained_variance == pytest.approx(expected, abs=1e-15)


@floats
@given(x=values(7, 3), shift=st.floats(-3, 3))
def test_total_variance_agrees_with_numpy_whatever_the_mean(dtype, x, shift):
    x = (x + shift).astype(dtype)
    expected = x.astype(np.float64).var(axis=0).sum()
    assert sparsity.total_variance(x) == pytest.approx(expected, rel=1e-9, abs=1e-28)


@floats
@example(value=0.1, N=10)
@given(value=st.floats(-100, 100, allow_subnormal=False, width=32), N=st.integers(1, 30))
def test_constant_data_have_no_variance_to_explain(dtype, value, N):
    x = np.full((N, 2), value, dtype)
    assert sparsity.total_variance(x) == 0
    assert math.isnan(sparsity.explained_variance(1.0, x))
    assert math.isnan(sparsity.explained_variance(0.0, x))


@given(W=values(5, 3))
def test_coherence_agrees_with_loops(W):
    W[np.abs(W) < 1e-30] = 0
    pairs = [
        abs(W[j] @ W[k]) / (np.linalg.norm(W[j]) * np.linalg.norm(W[k]))
        for j in range(5)
        for k in range(5)
        if j != k and W[j].any() and W[k].any()
    ]
    expected = (max(pairs), sum(pairs) / len(pairs)) if pairs else (math.nan, math.nan)
    np.testing.assert_allclose(sparsity.coherence(W), expected, atol=ROUNDING)


@floats
@pytest.mark.parametrize("tiny", [1, 1e-30])
def test_coherence_of_orthogonal_and_repeated_rows(dtype, tiny):
    rows = np.diag(np.array([1, -2, 3], dtype)) * dtype(tiny)
    assert sparsity.coherence(rows) == (0, 0)
    assert sparsity.coherence(np.ones((4, 3), dtype) * rows[1:2]) == (1, 1)
    assert sparsity.coherence(np.concatenate([rows, -rows[:1]])) == (1, pytest.approx(1 / 6))


@given(seed=st.integers(0, 2**16))
def test_coherence_of_rotated_axes_is_0_to_rounding(seed):
    Q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((6, 6)))
    assert sparsity.coherence(Q).largest < 1e-14


def test_zero_rows_are_left_out_of_the_coherence():
    W = np.array([[1.0, 1], [0, 0], [1, 0]])
    assert sparsity.coherence(W) == (pytest.approx(0.5**0.5), pytest.approx(0.5**0.5))
    assert np.isnan(sparsity.coherence(W[:2])).all()
    assert np.isnan(sparsity.coherence(np.zeros((3, 2)))).all()


def test_bias_quantiles_of_known_biases():
    params = Params(np.ones((101, 1)), np.random.default_rng(0).permutation(np.arange(101.0)))
    seen = sparsity.measure(params, RELU, np.ones((2, 1)))
    np.testing.assert_allclose(seen.bias_quantiles, [0, 5, 25, 50, 75, 95, 100])
    assert seen.figures()["bias_quantile_0.95"] == pytest.approx(95)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"x": np.ones((2, 3))}, r"x is float64 \(2, 3\); it must be a float64 array of shape \(samples, 2\)"),
        ({"x": np.ones((2, 2), np.float32)}, "x is float32 .* it must be a float64"),
        ({"x": np.full((2, 2), np.nan)}, "x contains NaN or inf"),
        ({"W": np.full((3, 2), np.inf)}, "W contains NaN or inf"),
        ({"b_e": np.full(3, np.nan)}, "^b_e contains NaN or inf"),
        ({"b_e": np.zeros(2)}, r"b_e is float64 \(2,\)"),
    ],
)
def test_bad_input_is_refused(change, sentence):
    given = {"W": np.ones((3, 2)), "b_e": np.zeros(3), "x": np.ones((2, 2))} | change
    with pytest.raises(ValueError, match=sentence):
        sparsity.measure(Params(given["W"], given["b_e"]), RELU, given["x"])
