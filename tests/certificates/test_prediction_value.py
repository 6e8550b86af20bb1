"""What a prediction adds: counts, exact intervals against the binomial distribution, and their coverage."""

import itertools

import numpy as np
import pytest
from scipy.stats import binom

from numpy_rae.certificates.prediction_value import CONFIDENCE, Gain, exact_interval, gain


def test_counts_by_hand():
    found = gain([True, True, True, False, False], [True, True, False, True, False])
    assert found == Gain(hits=2, predicted=3, others_hit=1, others=2)
    assert found.base_rate == pytest.approx(3 / 5) and found.gain == pytest.approx(2 / 3 - 1 / 2)


@pytest.mark.parametrize(("k", "n"), [(0, 6), (3, 6), (6, 6), (5, 12), (1, 1)])
def test_the_interval_has_the_binomial_s_tails(k, n):
    low, high = exact_interval(k, n)
    assert low == (0 if k == 0 else pytest.approx(low)) and high == (1 if k == n else pytest.approx(high))
    if k > 0:
        assert binom.sf(k - 1, n, low) == pytest.approx((1 - CONFIDENCE) / 2)
    if k < n:
        assert binom.cdf(k, n, high) == pytest.approx((1 - CONFIDENCE) / 2)


@pytest.mark.parametrize(("p_1", "p_2"), [*itertools.product((0.05, 0.5, 0.9), (0.1, 0.5, 0.95))])
def test_the_interval_of_the_gain_covers(p_1, p_2):
    """Exactly: the sum of the probabilities of all counts whose interval contains the true difference."""
    n_1, n_2, covered = 6, 9, 0.0
    for k_1, k_2 in itertools.product(range(n_1 + 1), range(n_2 + 1)):
        low, high = Gain(k_1, n_1, k_2, n_2).interval()
        covered += binom.pmf(k_1, n_1, p_1) * binom.pmf(k_2, n_2, p_2) * (low <= p_1 - p_2 <= high)
    assert covered >= CONFIDENCE


def test_each_share_has_its_part_of_the_confidence():
    low, high = Gain(4, 6, 2, 9).interval()
    one, other = exact_interval(4, 6, 0.95**0.5), exact_interval(2, 9, 0.95**0.5)
    assert (low, high) == pytest.approx((one[0] - other[1], one[1] - other[0]))


def test_exchanging_the_groups_turns_the_interval_round():
    low, high = Gain(5, 6, 3, 12).interval()
    np.testing.assert_allclose(Gain(3, 12, 5, 6).interval(), (-high, -low))


@pytest.mark.parametrize("predicted", [[True, True], [False, False]])
def test_one_group_alone_is_refused(predicted):
    with pytest.raises(ValueError, match="of 2 pairs have the prediction; both groups must have a pair"):
        gain(predicted, [True, False])


def test_counts_out_of_range_are_refused():
    with pytest.raises(ValueError, match="hits is 3; it must be at most count, which is 2"):
        exact_interval(3, 2)
    with pytest.raises(ValueError, match="count is 0"):
        exact_interval(0, 0)
