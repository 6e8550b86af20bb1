"""The rule for an outcome: Tukey's threshold against SciPy's test, and each clause on data with a known answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import tukey_hsd

from numpy_rae.certificates import training_outcome, verdict
from numpy_rae.certificates.training_outcome import (
    Sweep,
    agreement,
    collect_sweep,
    decision_length,
    direction,
    hsd_threshold,
)

CALM, RESTLESS = (0.9, 0.02, 0.02), (0.9, 0.2, 0.2)
FALL, RISE, FLAT = (0.5, 0.4, 0.2), (0.5, 0.6, 0.8), (0.5, 0.5, 0.5)


def seeds_around(means, spread=0.001, S=3):
    """Return (S, K) fractions with these means over the seeds. Within each lambda, the seeds are `spread` apart."""
    return np.add.outer(spread * (np.arange(S) - (S - 1) / 2), means)


def a_sweep(levels, drift=CALM, lam=(0.0, 0.3, 1.0), broken=()):
    """Return a sweep whose fractions have the means `levels`, one tuple of K per length.

    All its runs have the same drift.
    """
    fraction = np.array([seeds_around(means) for means in levels])
    drifts = np.broadcast_to(np.reshape(drift, (-1, 1, 1)), fraction.shape)
    return Sweep(lam, broken, tuple(range(1, len(levels) + 1)), fraction, *[np.zeros_like(fraction)] * 3, drifts)


def an_entry(lam, seed, values=(0.5, 0.4), **changes):
    figures = {name: [k + v for v in values] for k, name in enumerate(training_outcome.MEASURED)}
    return {"lambda": lam, "seed": seed, "status": "ok", "steps": [10, 20][: len(values)], **figures, **changes}


@pytest.mark.parametrize(("count", "freedom", "q"), [(3, 10, 3.877), (4, 8, 4.529), (2, 4, 3.927)])
def test_q_is_the_tabulated_one(count, freedom, q):
    assert training_outcome.tukey(count, freedom) == pytest.approx(q, abs=6e-4)


@pytest.mark.parametrize(("S", "K"), [(2, 3), (3, 4), (5, 2)])
def test_the_threshold_is_half_the_width_of_scipy_s_intervals(S, K):
    A = np.random.default_rng(0).random((S, K))
    seen = tukey_hsd(*A.T)
    width = seen.confidence_interval(1 - training_outcome.LEVEL).high - seen.statistic
    assert width[0, 1] == pytest.approx(hsd_threshold(A), rel=1e-5)


@pytest.mark.parametrize(("S", "K"), [(2, 4), (3, 4), (3, 2)])
def test_other_seeds_alone_seldom_move_anything(S, K):
    """Without any effect, a move is found in at most a share LEVEL of the sweeps, with 6 deviations of the count."""
    rng, draws = np.random.default_rng(0), 4000
    moved = sum(direction(A) != training_outcome.UNAFFECTED for A in rng.standard_normal((draws, S, K)))
    assert 0 < moved < draws * training_outcome.LEVEL + 6 * (draws * training_outcome.LEVEL) ** 0.5


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        (FALL, training_outcome.SPARSER),
        (RISE, training_outcome.DENSER),
        (FLAT, training_outcome.UNAFFECTED),
        ((0.5, 0.4, 0.45), training_outcome.MIXED),
        ((0.5, 0.6, 0.5), training_outcome.MIXED),
        ((0.5, 0.5, 0.4), training_outcome.SPARSER),
        ((0.5, 0.4995, 0.499), training_outcome.UNAFFECTED),
    ],
)
def test_directions_of_known_means(means, expected):
    """In the last case the ends are 0.001 apart, which is below the threshold, 4.34 * 0.001 / sqrt(3) = 0.0025."""
    assert direction(seeds_around(means)) == expected


def test_many_small_steps_are_one_move():
    """No step between neighbours is large enough, but the step from end to end is."""
    A = seeds_around(0.5 - 0.002 * np.arange(4))
    assert hsd_threshold(A) > 0.002 and direction(A) == training_outcome.SPARSER


def test_a_move_needs_every_seed():
    """With twenty seeds, the mean change is far above the threshold. One seed disagrees, so there is no move."""
    A = np.zeros((20, 2))
    A[:, 1] = -1
    assert direction(A) == training_outcome.SPARSER
    A[0, 1] = 0.1
    assert abs(training_outcome.effect(A)) > hsd_threshold(A) and direction(A) == training_outcome.UNAFFECTED


def test_one_seed_is_no_spread():
    with pytest.raises(ValueError, match="1 seed has no spread; at least 2 are needed"):
        direction(np.zeros((1, 3)))


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 10), shift=st.floats(-1, 1))
def test_the_order_of_seeds_scale_and_level_do_not_matter_and_the_sign_turns_it_round(seed, scale, shift):
    rng = np.random.default_rng(seed)
    A = seeds_around(rng.random(4).round(2)) + 1e-4 * rng.random((3, 4))
    found = direction(A)
    assert direction(scale * A[rng.permutation(3)] + shift) == found
    turned = {training_outcome.SPARSER: training_outcome.DENSER, training_outcome.DENSER: training_outcome.SPARSER}
    assert direction(-A) == turned.get(found, found)


@pytest.mark.parametrize(
    ("drift", "expected"),
    [
        ((0.9, 0.03, 0.03), (False, True, True)),
        ((0.01, 0.02, 0.04), (False, False, False)),  # steady: each doubling adds the same distance
        ((0.9, 0.06, 0.049), (False, False, True)),
        ((0.02, 0.03, 0.04), (False, True, True)),
        ((0.001, 0.003, 0.006), (False, True, True)),  # the length may be doubled three more times
        ((0.0, 0.0, 0.0), (False, True, True)),
        ((0.9, 0.03, 0.2), (False, False, False)),  # calm only for some time
    ],
)
def test_a_run_has_converged_when_it_is_slow_and_not_merely_a_slow_mover(drift, expected):
    seen = a_sweep([FLAT] * 3, drift).converged
    assert seen.shape == (3, 3, 3)
    np.testing.assert_array_equal(seen, np.broadcast_to(np.reshape(expected, (3, 1, 1)), seen.shape))


def test_the_length_is_the_first_at_which_all_runs_of_the_activation_have_converged():
    early, late = a_sweep([FLAT] * 4, (0.9, 0.03, 0.03, 0.03)), a_sweep([FLAT] * 4, (0.9, 0.2, 0.04, 0.04))
    never, broken = a_sweep([FLAT] * 4, (0.9, 0.2, 0.2, 0.2)), a_sweep([(0.5,)] * 4, RESTLESS[:1] * 4, (0.0,), (1.0,))
    assert [decision_length(pairs) for pairs in ([early], [early, late], [late, never], [late, broken], [broken])] == [
        1, 2, 3, 2, 0,
    ]  # fmt: skip


def test_one_restless_run_is_enough_to_go_on():
    sweep = a_sweep([FLAT] * 3)
    drift = sweep.drift.copy()
    drift[1, 2, 0] = 0.06
    assert decision_length([sweep]) == 1 and decision_length([sweep._replace(drift=drift)]) == 2


@pytest.mark.parametrize(
    ("levels", "drift", "expected"),
    [
        ([FALL] * 3, CALM, training_outcome.SPARSER),
        ([FLAT] * 3, CALM, training_outcome.UNAFFECTED),
        ([FLAT] * 3, RESTLESS, training_outcome.INCONCLUSIVE),
        ([FLAT, FLAT, FALL], CALM, training_outcome.INCONCLUSIVE),
        ([FLAT, FALL, FALL], RESTLESS, training_outcome.SPARSER),
        ([FLAT, RISE, RISE], RESTLESS, training_outcome.DENSER),
        ([FLAT, FALL, (0.5, 0.45, 0.3)], RESTLESS, training_outcome.INCONCLUSIVE),
        ([FLAT, FALL, (0.5, 0.4, 0.28)], RESTLESS, training_outcome.INCONCLUSIVE),
        ([FLAT, FALL, (0.5, 0.4, 0.27)], RESTLESS, training_outcome.SPARSER),
        ([FLAT, FALL, (0.5, 0.45, 0.3)], CALM, training_outcome.SPARSER),
        ([FLAT, (0.5, 0.3, 0.4), (0.5, 0.3, 0.4)], RESTLESS, training_outcome.INCONCLUSIVE),
        ([FLAT, (0.5, 0.3, 0.4), (0.5, 0.3, 0.4)], CALM, training_outcome.MIXED),
    ],
    ids=[
        "sparser", "unaffected", "absence proves nothing yet", "not the same at half the length", "grown", "grown up",
        "shrinking", "gone in three doublings", "left after three doublings", "settled although smaller",
        "mixed and moving", "mixed and settled",
    ],
)  # fmt: skip
def test_what_stands_and_what_is_inconclusive(levels, drift, expected):
    assert training_outcome.outcome(a_sweep(levels, drift), 2) == expected


def test_nothing_is_known_at_the_first_length_or_without_a_lambda_to_compare():
    assert training_outcome.outcome(a_sweep([FALL] * 3), 0) == training_outcome.INCONCLUSIVE
    assert training_outcome.outcome(a_sweep([(0.5,)] * 3, lam=(0.0,), broken=(1.0,)), 2) == training_outcome.DIVERGED
    assert (
        training_outcome.outcome(a_sweep([FALL] * 3, lam=(0.1, 0.3, 1.0), broken=(0.0,)), 2)
        == training_outcome.DIVERGED
    )


def test_gather_sorts_lambdas_and_seeds_whatever_the_order_of_the_records():
    entries = [an_entry(lam, seed, (10 * lam + seed, 100 + lam)) for lam in (1.0, 0.0, 0.3) for seed in (5, 2)]
    sweep = collect_sweep(entries)
    assert (sweep.lam, sweep.broken, sweep.steps, sweep.comparable) == ((0.0, 0.3, 1.0), (), (10, 20), True)
    np.testing.assert_array_equal(sweep.fraction[0], [[2, 5, 12], [5, 8, 15]])
    np.testing.assert_array_equal(sweep.fraction[1], [[100, 100.3, 101]] * 2)
    for k, name in enumerate(training_outcome.MEASURED):
        np.testing.assert_allclose(getattr(sweep, name), sweep.fraction + k)


@pytest.mark.parametrize("status", ["diverged", "broken"])
def test_a_lambda_that_breaks_down_with_any_seed_is_left_out(status):
    entries = [an_entry(lam, seed) for lam in (0.0, 0.3, 1.0) for seed in (0, 1)]
    entries[-1] |= {"status": status}
    sweep = collect_sweep(entries)
    assert (sweep.lam, sweep.broken, sweep.fraction.shape) == ((0.0, 0.3), (1.0,), (2, 2, 2))


def test_runs_that_broke_before_they_were_measured_have_no_figures():
    entries = [an_entry(0.0, 0), an_entry(0.0, 1), *({"lambda": 1.0, "seed": k, "status": "diverged"} for k in (0, 1))]
    sweep = collect_sweep(entries)
    assert (sweep.lam, sweep.broken, sweep.comparable) == ((0.0,), (1.0,), False)


def test_incomplete_or_unequal_records_are_refused():
    with pytest.raises(ValueError, match="lambda = 1 has no run of seed 1; every lambda needs every seed"):
        collect_sweep([an_entry(0.0, 0), an_entry(0.0, 1), an_entry(1.0, 0)])
    with pytest.raises(ValueError, match=r"measured at different lengths, \[\(10,\), \(10, 20\)\]"):
        collect_sweep([an_entry(0.0, 0), an_entry(1.0, 0, (0.5,))])


def test_only_a_prediction_and_an_outcome_can_agree_or_not():
    named = (training_outcome.SPARSER, training_outcome.UNAFFECTED, training_outcome.DENSER, training_outcome.MIXED)
    for found in named:
        for prediction in (verdict.SPARSER, verdict.UNAFFECTED):
            same = found == training_outcome.FORESEEN[prediction]
            assert agreement(prediction, found) == (training_outcome.CONFIRMED if same else training_outcome.REFUTED)
        assert agreement(verdict.UNDETERMINED, found) == training_outcome.OPEN
    for found in (training_outcome.DIVERGED, training_outcome.INCONCLUSIVE, training_outcome.REFUSED):
        assert agreement(verdict.SPARSER, found) == training_outcome.OPEN
