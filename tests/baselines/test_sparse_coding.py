"""Eq. (2): optimality conditions of the lasso, comparison with coordinate descent, closed forms, descent of half-steps.

Tolerances on codes follow from the duality gap: ||x - W^T h||^2 is strongly convex in the residual r, so ||r -
r_optimal||^2 <= gap, and with unit rows each W_j r is within sqrt(gap) of its optimal value. The gap itself has an
error of a few rounding errors of ||x||^2.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpy_rae.baselines import dictionary_update, sparse_codes
from numpy_rae.baselines.dictionary_update import update_dictionary
from numpy_rae.baselines.sparse_codes import encode
from numpy_rae.baselines.sparse_coding import fit, objective, sample_objectives

TIGHT = {"tol": 1e-12, "max_iterations": 20_000}
ROUNDING = 1e-12
seeds, lams, signs = st.integers(0, 2**32 - 1), st.floats(0.1, 3), st.booleans()


def unit(W):
    return W / np.linalg.norm(W, axis=1, keepdims=True)


def problem(seed, m, n, N=7):
    rng = np.random.default_rng(seed)
    return unit(rng.standard_normal((m, n))), rng.standard_normal((N, n)), rng


def radius(gap, x):
    """Return the bound (N,) on ||r - r_optimal||."""
    return np.sqrt(gap + 8 * np.finfo(float).eps * (x**2).sum(axis=1))


def coordinate_descent(W, x_i, lam, non_negative, sweeps=5000):
    """Return the codes of one sample, computed entry by entry: min over h_j of ||e - h_j W_j||^2 + lam |h_j|."""
    h = [0.0] * len(W)
    for _ in range(sweeps):
        moved = 0.0
        for j in range(len(W)):
            e = [x_i[d] - sum(h[l] * W[l][d] for l in range(len(W)) if l != j) for d in range(len(x_i))]
            dot = sum(e[d] * W[j][d] for d in range(len(x_i)))
            best = dot - lam / 2 if dot > lam / 2 else dot + lam / 2 if dot < -lam / 2 and not non_negative else 0.0
            moved, h[j] = max(moved, abs(best - h[j])), best
        if moved < 1e-13:
            return np.array(h)
    raise AssertionError("the oracle did not converge")


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 7), st.integers(1, 6), lams, signs)
def test_codes_satisfy_the_optimality_conditions(seed, m, n, lam, non_negative):
    W, x, _ = problem(seed, m, n)
    h, gap, _, unconverged = encode(W, x, lam, non_negative, **TIGHT)
    assert unconverged == 0
    assert (gap <= 1e-12 * (x**2).sum(axis=1)).all()
    slack = 2 * radius(gap, x)[:, None]
    pull = 2 * (x - h @ W) @ W.T  # minus the gradient of the smooth part
    assert (pull <= lam + slack).all()
    if non_negative:
        assert (h >= 0).all()
    else:
        assert (pull >= -lam - slack).all()
    assert (np.abs(h) * np.abs(lam * np.sign(h) - pull) <= slack * (1 + 2 * np.abs(h))).all()


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 3), lams, signs)
def test_codes_agree_with_coordinate_descent(seed, m, lam, non_negative):
    W, x, _ = problem(seed, m, n=m + 2, N=3)
    codes = encode(W, x, lam, non_negative, **TIGHT)
    oracle = np.array([coordinate_descent(W.tolist(), x_i.tolist(), lam, non_negative) for x_i in x])
    curvature = np.linalg.svd(W, compute_uv=False)[-1]
    distance = np.linalg.norm(codes.h - oracle, axis=1)
    assert (distance * curvature <= radius(codes.gap, x) + 1e-10).all()


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 8), lams, signs, st.integers(1, 5))
def test_gap_bounds_the_distance_to_the_optimum(seed, m, lam, non_negative, iterations):
    W, x, _ = problem(seed, m, n=4)
    early = encode(W, x, lam, non_negative, tol=0, max_iterations=iterations)
    late = encode(W, x, lam, non_negative, **TIGHT)
    excess = sample_objectives(W, early.h, x, lam) - sample_objectives(W, late.h, x, lam)
    assert (excess <= early.gap + ROUNDING).all()
    assert (early.gap >= -ROUNDING).all()


@pytest.mark.parametrize("non_negative", [False, True])
def test_orthonormal_rows_give_soft_thresholds(non_negative):
    rng = np.random.default_rng(1)
    W, x, lam = np.linalg.qr(rng.standard_normal((5, 5)))[0][:4], rng.standard_normal((20, 5)), 0.7
    a = np.einsum("id,jd->ij", x, W)
    expected = np.sign(a) * np.maximum(np.abs(a) - lam / 2, 0)
    if non_negative:
        expected[a < 0] = 0
    assert (expected != 0).any() and (expected == 0).any()
    h = encode(W, x, lam, non_negative, **TIGHT).h
    np.testing.assert_allclose(h, expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(h == 0, expected == 0)
    np.testing.assert_array_equal(encode(np.eye(5), x, 0.5).h, x - x.clip(-0.25, 0.25))


def test_objective_is_eq_2():
    W, x, rng = problem(2, 3, 4, N=2)
    h = rng.standard_normal((2, 3))
    J = 0.0
    for i in range(2):
        J += sum((x[i, d] - sum(h[i, j] * W[j, d] for j in range(3))) ** 2 for d in range(4))
        J += 0.3 * sum(abs(h[i, j]) for j in range(3))
    assert objective(W, h, x, 0.3) == pytest.approx(J, rel=1e-14)


def test_a_bound_on_iterations_is_reported():
    W, x, _ = problem(3, 9, 4)
    short = encode(W, x, 0.1, tol=1e-9, max_iterations=2)
    assert short.iterations == 2
    assert short.unconverged == (short.gap > 1e-9 * (x**2).sum(axis=1)).sum() > 0
    run = fit(x, 9, 0.1, np.random.default_rng(0), iterations=1, tol=1e-9, max_iterations=2)
    assert run.code_iterations == (2, 2)
    assert min(run.unconverged) > 0


def test_a_solution_is_left_alone():
    W, x, _ = problem(4, 6, 4)
    solved = encode(W, x, 0.5, tol=1e-9, max_iterations=50_000)
    again = encode(W, x, 0.5, tol=1e-9, start=solved.h)
    assert again.iterations == 0
    np.testing.assert_array_equal(again.h, solved.h)


def test_large_lam_gives_zero_codes():
    W, x, _ = problem(5, 6, 4)
    lam = 2 * np.abs(x @ W.T).max()
    assert not encode(W, x, lam, **TIGHT).h.any()
    assert encode(W, x, 0.99 * lam, **TIGHT).h.any()


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 8), lams, st.integers(1, 12))
def test_codes_half_step_never_increases_any_sample(seed, m, lam, iterations):
    W, x, rng = problem(seed, m, n=4)
    start = encode(W, x, lam, tol=0, max_iterations=20).h + 0.01 * rng.standard_normal((len(x), m))
    h = encode(W, x, lam, tol=0, max_iterations=iterations, start=start).h
    before, after = sample_objectives(W, start, x, lam), sample_objectives(W, h, x, lam)
    assert (after <= before * (1 + ROUNDING)).all()


def fista(W, x_i, lam, steps):
    """Return the first steps for one sample, with the restart."""
    L = 2 * np.linalg.norm(W, 2) ** 2
    h = z = np.zeros(len(W))
    t, restarts = 1.0, 0
    for _ in range(steps):
        v = z - 2 * W @ (W.T @ z - x_i) / L
        new = np.sign(v) * np.maximum(abs(v) - lam / L, 0)
        if (z - new) @ (new - h) > 0:
            t, z, restarts = 1.0, new, restarts + 1
        else:
            t_next = (1 + np.sqrt(1 + 4 * t * t)) / 2
            t, z = t_next, new + (t - 1) / t_next * (new - h)
        h = new
    return h, restarts


def test_iterations_are_fista_with_restart():
    W, x, _ = problem(10, 6, 4, N=20)
    seen = [fista(W, x_i, 0.2, 25) for x_i in x]
    np.testing.assert_allclose(encode(W, x, 0.2, tol=0, max_iterations=25).h, [h for h, _ in seen], rtol=0, atol=1e-12)
    assert {restarts > 0 for _, restarts in seen} == {True, False}


def test_atoms_differ_as_long_as_there_are_enough_samples():
    x = np.random.default_rng(11).standard_normal((6, 3))
    atoms = dictionary_update.draw_atoms(x, 6, np.random.default_rng(0))
    assert sorted((unit(x) @ atoms.T).argmax(axis=0)) == list(range(6))


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 8), st.integers(1, 5))
def test_dictionary_half_step_never_increases_and_ends_optimal_in_its_last_row(seed, m, n):
    W, x, rng = problem(seed, m, n)
    h = rng.standard_normal((len(x), m))
    new, redrawn = update_dictionary(W, h, x, rng)
    assert redrawn == 0
    np.testing.assert_allclose(np.linalg.norm(new, axis=1), 1, rtol=1e-14)
    assert objective(new, h, x, 1) <= objective(W, h, x, 1) * (1 + ROUNDING)
    without = x - sum((np.outer(h[:, l], new[l]) for l in range(m - 1)), np.zeros_like(x))
    pull = (h[:, m - 1, None] * without).sum(axis=0)
    assert new[-1] @ pull == pytest.approx(np.linalg.norm(pull), rel=1e-12)


@pytest.mark.parametrize("non_negative", [False, True])
def test_history_never_increases(non_negative):
    x = np.random.default_rng(6).standard_normal((60, 5))
    run = fit(x, 8, 0.4, np.random.default_rng(0), iterations=12, non_negative=non_negative)
    history = np.array(run.history)
    assert len(history) == 25 and len(run.code_iterations) == len(run.unconverged) == 13
    assert (np.diff(history) <= ROUNDING * history[0]).all()
    assert history[-1] < history[2] < history[0]
    assert history[-1] == objective(run.W, run.h, x, 0.4)


def test_unused_atoms_are_drawn_from_data_at_no_cost():
    W, x, _ = problem(7, 5, 4)
    h = encode(W, x, 0.4).h.copy()
    h[:, [1, 3]] = 0
    x[2] = 0
    new, redrawn = update_dictionary(W, h, x, np.random.default_rng(0))
    same, _ = update_dictionary(W, h, x, np.random.default_rng(0))
    other, _ = update_dictionary(W, h, x, np.random.default_rng(1))
    assert redrawn == 2
    np.testing.assert_array_equal(new, same)
    np.testing.assert_array_equal(new[[0, 2, 4]], other[[0, 2, 4]])
    assert (new != other).any()
    cosine = unit(x[[0, 1, 3, 4, 5, 6]]) @ new[[1, 3]].T
    np.testing.assert_allclose(cosine.max(axis=0), 1, rtol=1e-14)
    assert cosine.argmax(axis=0)[0] != cosine.argmax(axis=0)[1]
    assert objective(new, h, x, 0.4) <= objective(W, h, x, 0.4)


def test_more_atoms_than_samples_are_drawn_with_repetition():
    x = np.random.default_rng(8).standard_normal((3, 4))
    run = fit(x, 5, 0.4, np.random.default_rng(0), iterations=2)
    assert run.W.shape == (5, 4) and run.h.shape == (3, 5)
    np.testing.assert_allclose(np.linalg.norm(run.W, axis=1), 1, rtol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_known_atoms_are_recovered(seed):
    """The best of three starts must have a lower J than the true dictionary, and hold every true atom."""
    true, _, rng = problem(seed, 8, 16)
    codes = np.zeros((200, 8))
    for row in codes:
        row[rng.choice(8, 2, replace=False)] = rng.uniform(1, 2, 2)
    x, lam = codes @ true, 0.3
    best = min((fit(x, 8, lam, rng, 30, non_negative=True) for _ in range(3)), key=lambda run: run.history[-1])
    assert best.history[-1] <= objective(true, encode(true, x, lam, non_negative=True, **TIGHT).h, x, lam)
    assert (best.W @ true.T).max(axis=0).min() > 0.99
    assert (unit(x)[:8] @ true.T).max(axis=0).min() < 0.95


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_the_data_s(dtype):
    x = np.random.default_rng(9).standard_normal((30, 6)).astype(dtype)
    lam = np.float64(0.5)
    run = fit(x, 9, lam, np.random.default_rng(0), iterations=3)
    codes = encode(run.W, x, lam, True)
    assert [a.dtype for a in (run.W, run.h, codes.h, codes.gap)] == [dtype] * 4
    assert run.unconverged == (0, 0, 0, 0) and codes.unconverged == 0
    assert update_dictionary(run.W, np.zeros_like(run.h), x, np.random.default_rng(0))[0].dtype == dtype


X, W = np.eye(3)[[0, 1]], np.eye(3)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: encode(W, X, 0.0), r"^lam is 0\.0; it must be a number in \[2.22507e-308, 1.34078e\+154\]$"),
        (lambda: encode(W, X, 1.0, tol=-1.0), r"^tol is -1\.0; it must be"),
        (lambda: encode(W, X, 1.0, max_iterations=0), r"^max_iterations is 0; it must be"),
        (lambda: encode(W[:, :2], X, 1.0), r"^W has 2 columns; it must have 3$"),
        (lambda: encode(W.astype(np.float32), X, 1.0), r"^W is float32 \(3, 3\); it must be a float64 array"),
        (lambda: encode(W * [[1], [1], [2]], X, 1.0), r"^W has a row of length 2; every row must have length 1$"),
        (lambda: encode(W, X[0], 1.0), r"^x has shape \(3,\); it must be"),
        (lambda: encode(W, X, 1.0, start=np.zeros((2, 2))), r"^start is float64 \(2, 2\); it must be"),
        (lambda: encode(W, X, 1.0, start=np.full((2, 3), np.nan)), r"^start contains NaN or inf"),
        (lambda: encode(W, X, 1.0, True, start=-X), r"^start has the entry -1; with non_negative it must be"),
        (lambda: fit(X, 0, 1.0, np.random.default_rng(0)), r"^m is 0; it must be a whole number"),
        (lambda: fit(X, 2, 1.0, np.random.default_rng(0), iterations=-1), r"^iterations is -1; it must be"),
        (lambda: fit(X * 0, 2, 1.0, np.random.default_rng(0)), r"^x is 0 everywhere; .* one must be non-zero$"),
        (lambda: fit(X * np.inf, 2, 1.0, np.random.default_rng(0)), r"^x contains NaN or inf"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in multiply")
def test_bad_input_gets_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_shrink_is_the_minimiser_on_a_grid():
    grid = np.linspace(-3, 3, 6001)
    for v in (-2.0, -0.5, 0.0, 0.25, 1.5):
        cost = (grid - v) ** 2 / 2 + 0.75 * np.abs(grid)
        assert sparse_codes.shrink(np.array(v), 0.75) == pytest.approx(grid[cost.argmin()], abs=1e-3)
        cost[grid < 0] = np.inf
        assert sparse_codes.shrink(np.array(v), 0.75, True) == pytest.approx(grid[cost.argmin()], abs=1e-3)
