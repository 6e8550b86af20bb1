"""The frozen rule: paired intervals against SciPy's paired test, each outcome, its error rates, and half the length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp, ttest_rel

from numpy_rae.certificates import paired_outcome, training_outcome
from numpy_rae.certificates.certificate import certify
from numpy_rae.certificates.paired_outcome import PairedInterval, PairResult, classify, paired_interval
from numpy_rae.certificates.training_outcome import DENSER, DIVERGED, INCONCLUSIVE, SPARSER, UNAFFECTED, Sweep

MARGIN, LEVEL = 0.01, 0.05


def a_sweep(*changes, steps=(10, 20), broken=(), S=5, spread=1e-4):
    """A pair whose mean change at each length is given; the seeds differ far more than the changes within a seed."""
    base = np.linspace(0.2, 0.8, S)
    noise = spread * np.linspace(-1, 1, S)
    fraction = np.array([np.stack([base, base + change + noise], axis=1) for change in changes])
    return Sweep((0.0, 1.0), broken, steps, fraction, *[np.zeros_like(fraction)] * 4)


@given(seed=st.integers(0, 2**32 - 1), S=st.integers(2, 9))
def test_the_interval_is_scipy_s_paired_one(seed, S):
    A = np.random.default_rng(seed).random((S, 3))
    expected = ttest_rel(A[:, -1], A[:, 0]).confidence_interval(1 - 2 * LEVEL)
    found = paired_interval(A)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-12)
    assert found.mean == pytest.approx((A[:, 2] - A[:, 0]).mean())


def test_five_seeds_by_hand():
    """d = .01, .02, .03, .04, .05: mean .03, sd .0158, t(.95, 4) = 2.132, half width 2.132 x .0158 / sqrt(5)."""
    A = np.stack([np.zeros(5), 0.01 * np.arange(1, 6)], axis=1)
    assert tuple(paired_interval(A)) == pytest.approx((0.03, 0.01493, 0.04507), abs=1e-5)


def test_what_the_seeds_have_in_common_does_not_matter():
    """Without the blocks, seeds that differ by .6 would hide a change of .02."""
    assert paired_outcome.paired_outcome(a_sweep(-0.02, -0.02)) == SPARSER


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.3, -0.011, SPARSER),
        (-0.3, -0.01, INCONCLUSIVE),
        (-0.3, -0.009, INCONCLUSIVE),
        (-0.009, 0.009, UNAFFECTED),
        (-0.009, -0.001, UNAFFECTED),
        (0.001, 0.009, UNAFFECTED),
        (-0.01, 0.009, INCONCLUSIVE),
        (-0.009, 0.01, INCONCLUSIVE),
        (-0.3, 0.3, INCONCLUSIVE),
        (0.009, 0.3, INCONCLUSIVE),
        (0.011, 0.3, DENSER),
        (0.0, 0.0, UNAFFECTED),
    ],
)
def test_each_outcome(low, high, expected):
    assert classify(PairedInterval((low + high) / 2, low, high)) == expected


@given(low=st.floats(-0.05, 0.05), width=st.floats(0, 0.1))
def test_turning_the_sign_round_swaps_sparser_and_denser(low, width):
    one, other = PairedInterval(low, low, low + width), PairedInterval(-low, -low - width, -low)
    swapped = {SPARSER: DENSER, DENSER: SPARSER}
    assert classify(other) == swapped.get(classify(one), classify(one))


@pytest.mark.parametrize("true_change", [MARGIN, -MARGIN])
@pytest.mark.parametrize("spread", [0.001, 0.004, 0.03])
def test_a_change_at_the_margin_is_seldom_called_unaffected_or_more(true_change, spread):
    """Each named outcome is wrong there, and has a probability of at most LEVEL; 5 deviations of the count."""
    rng, draws = np.random.default_rng(0), 3000
    d = true_change + spread * rng.standard_normal((draws, 5))
    found = [classify(paired_interval(np.stack([np.zeros(5), row], axis=1))) for row in d]
    most = draws * LEVEL + 5 * (draws * LEVEL) ** 0.5
    assert found.count(UNAFFECTED) <= most and found.count(SPARSER) + found.count(DENSER) <= most
    if spread == 0.001:
        assert found.count(UNAFFECTED) > draws * LEVEL / 2


def test_unaffected_is_two_one_sided_tests():
    rng = np.random.default_rng(1)
    for _ in range(200):
        d = rng.normal(0, 0.01) + 0.01 * rng.standard_normal(5)
        above = ttest_1samp(d, -MARGIN, alternative="greater").pvalue
        below = ttest_1samp(d, MARGIN, alternative="less").pvalue
        found = classify(paired_interval(np.stack([np.zeros(5), d], axis=1)))
        assert (found == UNAFFECTED) == (max(above, below) < LEVEL)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ((-0.2, -0.2), SPARSER),
        ((-0.2, 0.0), INCONCLUSIVE),
        ((0.0, -0.2), INCONCLUSIVE),
        ((0.0, 0.0), UNAFFECTED),
        ((0.2, 0.1), DENSER),
        ((0.5, -0.2, -0.2), SPARSER),
    ],
)
def test_the_outcome_must_be_the_same_at_half_the_length(changes, expected):
    steps = (10, 20, 40)[-len(changes) :]
    assert paired_outcome.paired_outcome(a_sweep(*changes, steps=steps)) == expected


def test_a_pair_that_broke_down_has_no_outcome():
    assert paired_outcome.paired_outcome(a_sweep(-0.2, -0.2, broken=(0.5,))) == DIVERGED
    gone = Sweep((0.0,), (1.0,), (10, 20), *[np.zeros((2, 5, 1))] * 5)
    assert paired_outcome.paired_outcome(gone) == DIVERGED


def test_lengths_and_seeds_are_checked():
    with pytest.raises(ValueError, match=r"the lengths are \(10, 30\); the last must be twice the one before"):
        paired_outcome.paired_outcome(a_sweep(0.0, 0.0, steps=(10, 30)))
    with pytest.raises(ValueError, match="1 seed has no interval; at least 2 are needed"):
        paired_interval(np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("activation", "penalty", "change", "expected"),
    [
        ("relu", "SAE", -0.2, training_outcome.CONFIRMED),
        ("relu", "SAE", 0.0, training_outcome.REFUTED),
        ("relu", "SAE", -0.01, training_outcome.OPEN),
        ("relu", "CAE", 0.0, training_outcome.CONFIRMED),
        ("relu", "CAE", -0.2, training_outcome.REFUTED),
        ("relu", "CAE", 0.2, training_outcome.REFUTED),
        ("gelu", "CAE", -0.2, training_outcome.OPEN),
    ],
)
def test_a_prediction_can_come_true_fail_or_stay_open(activation, penalty, change, expected):
    result = PairResult(certify(activation, penalty), "a setting", False, a_sweep(change, change), 0)
    assert result.agreement == expected
    assert result.interval.mean == pytest.approx(change)


def test_the_rule_of_the_document_is_the_one_in_the_code():
    """The rule is frozen: a change of these numbers needs new runs with new seeds."""
    assert (paired_outcome.MARGIN, paired_outcome.LEVEL) == (MARGIN, LEVEL)
