"""How much a prediction adds to the base rate of an outcome.

There are n_1 pairs with the prediction, of which k_1 have the outcome, and n_2 pairs without it, of which k_2 have it.

    (a) base rate  = (k_1 + k_2) / (n_1 + n_2)
    (b) gain       = k_1 / n_1 - k_2 / n_2
    (c) interval of the gain: [low_1 - high_2, high_1 - low_2], where [low_i, high_i] is the exact interval of Clopper
        and Pearson of k_i / n_i at the confidence CONFIDENCE^(1/2)

Both intervals of (c) cover with probability CONFIDENCE at least, because the two groups are independent. So (c) is
exact and conservative. It treats the pairs of a group as independent draws with the same probability.
"""

from __future__ import annotations

from typing import NamedTuple

from scipy.stats import binomtest

from numpy_rae import _validation

CONFIDENCE = 0.95


class Gain(NamedTuple):
    """Hold the counts of an outcome with and without its prediction.

    Attributes
    ----------
    hits : int
        k_1, the number of pairs with the prediction and the outcome.
    predicted : int
        n_1, the number of pairs with the prediction.
    others_hit : int
        k_2, the number of pairs with the outcome but without the prediction.
    others : int
        n_2, the number of pairs without the prediction.
    """

    hits: int
    predicted: int
    others_hit: int
    others: int

    @property
    def base_rate(self) -> float:
        """Evaluate step (a).

        Returns
        -------
        float
            The share of the outcome among all pairs.
        """
        return (self.hits + self.others_hit) / (self.predicted + self.others)

    @property
    def gain(self) -> float:
        """Evaluate step (b).

        Returns
        -------
        float
            The difference in proportions.
        """
        return self.hits / self.predicted - self.others_hit / self.others

    def interval(self) -> tuple[float, float]:
        """Evaluate step (c).

        Returns
        -------
        tuple of float
            The lower and the upper end.
        """
        low_1, high_1 = exact_interval(self.hits, self.predicted, CONFIDENCE**0.5)
        low_2, high_2 = exact_interval(self.others_hit, self.others, CONFIDENCE**0.5)
        return low_1 - high_2, high_1 - low_2


def exact_interval(hits: int, count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Compute the interval of Clopper and Pearson for a proportion.

    Parameters
    ----------
    hits : int
        Number of successes.
    count : int
        Number of trials.
    confidence : float
        Smallest probability of coverage.

    Returns
    -------
    tuple of float
        The lower and the upper end.

    Raises
    ------
    ValueError
        If `count` is below 1, or `hits` is not between 0 and `count`.
    """
    _validation.integer("count", count)
    _validation.integer("hits", hits, low=0)
    if hits > count:
        raise ValueError(f"hits is {hits}; it must be at most count, which is {count}")
    found = binomtest(hits, count).proportion_ci(confidence, "exact")
    return float(found.low), float(found.high)


def gain(predicted: list[bool], seen: list[bool]) -> Gain:
    """Count an outcome with and without its prediction.

    Parameters
    ----------
    predicted : list of bool
        For each pair, whether the outcome is predicted.
    seen : list of bool
        For each pair, whether training gave the outcome.

    Returns
    -------
    Gain
        The counts.

    Raises
    ------
    ValueError
        If every pair or no pair has the prediction, because then there is nothing to compare.
    """
    n = sum(predicted)
    if not 0 < n < len(predicted):
        raise ValueError(f"{n} of {len(predicted)} pairs have the prediction; both groups must have a pair")
    hits = sum(p and s for p, s in zip(predicted, seen, strict=True))
    return Gain(hits, n, sum(seen) - hits, len(predicted) - n)
