"""Classify the effect of a penalty from runs that are paired by seed, with an equivalence margin for "unaffected".

For each of S seeds there are two runs: one at lambda = 0 and one at a positive lambda. They have the same initial
weights and the same batches, so the seed is a block. Let A be the activation fraction of Eq. (14).

    (a) d_s      = A at lambda - A at lambda = 0, for each seed s                          (S,)
    (b) interval = mean(d) +- t sd(d) / sqrt(S), where t is the quantile 1 - LEVEL of Student's distribution with S - 1
        degrees of freedom
    (c) sparser: all of (b) is below -MARGIN;  denser: all of (b) is above MARGIN;
        unaffected: all of (b) is between -MARGIN and MARGIN;  inconclusive: (b) contains -MARGIN or MARGIN
    (d) the outcome is (c) if (c) is the same at half the length of training, else "inconclusive"

(b) covers the mean with probability 1 - 2 LEVEL, if d is normal. So "unaffected" is two one-sided tests at LEVEL, and
"sparser" and "denser" are one-sided tests at LEVEL of a change that is larger than MARGIN. The outcome is about this
length of training, not about its limit. A pair with a run that diverged or broke down has no outcome.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from numpy_rae._validation import Array
from numpy_rae.certificates import training_outcome
from numpy_rae.certificates.certificate import Certificate
from numpy_rae.certificates.training_outcome import DENSER, DIVERGED, INCONCLUSIVE, SPARSER, UNAFFECTED, Sweep

MARGIN = 0.01
LEVEL = 0.05


class PairedInterval(NamedTuple):
    """Hold the mean of the paired differences with its confidence interval.

    Attributes
    ----------
    mean : float
        The mean.
    low, high : float
        The ends of (b).
    """

    mean: float
    low: float
    high: float


def paired_interval(A: Array) -> PairedInterval:
    """Evaluate steps (a) and (b).

    Parameters
    ----------
    A : ndarray, shape (S, K)
        Activation fractions of S seeds at K lambdas, from 0 upwards. The first and the last lambda are compared.

    Returns
    -------
    PairedInterval
        The mean difference with its interval.

    Raises
    ------
    ValueError
        If there is only one seed, because the interval is then undefined.
    """
    S = len(A)
    if S < 2:
        raise ValueError(f"{S} seed has no interval; at least 2 are needed")
    d = A[:, -1] - A[:, 0]  # (a) (S,)
    half = float(student.ppf(1 - LEVEL, S - 1) * d.std(ddof=1) / S**0.5)  # (b)
    mean = float(d.mean())
    return PairedInterval(mean, mean - half, mean + half)


def classify(interval: PairedInterval) -> str:
    """Evaluate step (c).

    Parameters
    ----------
    interval : PairedInterval
        Result of `paired_interval`.

    Returns
    -------
    str
        SPARSER, DENSER, UNAFFECTED or INCONCLUSIVE.
    """
    if interval.high < -MARGIN:
        return SPARSER
    if interval.low > MARGIN:
        return DENSER
    return UNAFFECTED if -MARGIN < interval.low and interval.high < MARGIN else INCONCLUSIVE


def paired_outcome(sweep: Sweep) -> str:
    """Evaluate step (d) at the last length. The length before must be half of it.

    Parameters
    ----------
    sweep : Sweep
        The runs of a pair.

    Returns
    -------
    str
        A result of `classify`, or DIVERGED if a run diverged or broke down.

    Raises
    ------
    ValueError
        If the last two lengths are not one length and its double.
    """
    if sweep.broken or not sweep.comparable:
        return DIVERGED
    if len(sweep.steps) < 2 or sweep.steps[-1] != 2 * sweep.steps[-2]:
        raise ValueError(f"the lengths are {sweep.steps}; the last must be twice the one before")
    before, found = (classify(paired_interval(A)) for A in sweep.fraction[-2:])
    return found if found == before else INCONCLUSIVE


class PairResult(NamedTuple):
    """Hold the results of one pair in one setting.

    Attributes
    ----------
    certificate : Certificate
        The certificate.
    setting : str
        Name of the setting: the data set and the number of hidden units.
    tangent : bool
        Whether the gradient was projected on the tangent of the unit rows.
    sweep : Sweep
        The runs.
    same_params : int
        Number of seeds with which W and b_e are equal at both lambdas, bit by bit, at every length.
    """

    certificate: Certificate
    setting: str
    tangent: bool
    sweep: Sweep
    same_params: int

    @property
    def outcome(self) -> str:
        """Return the outcome.

        Returns
        -------
        str
            Result of `paired_outcome`.
        """
        return paired_outcome(self.sweep)

    @property
    def interval(self) -> PairedInterval | None:
        """Return the mean difference at the last length.

        Returns
        -------
        PairedInterval or None
            Result of `paired_interval`. None if a run diverged or broke down.
        """
        return None if self.outcome == DIVERGED else paired_interval(np.asarray(self.sweep.fraction[-1]))

    @property
    def agreement(self) -> str:
        """Compare the certificate with the outcome.

        Returns
        -------
        str
            CONFIRMED, REFUTED or OPEN of `training_outcome`.
        """
        return training_outcome.agreement(self.certificate.prediction, self.outcome)
