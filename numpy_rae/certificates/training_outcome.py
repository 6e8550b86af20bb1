"""Classify the effect of lambda on sparsity in training by a fixed rule, and compare it with the certificate.

For one activation, one penalty and one data set, the same seeds are used for every lambda. The runs are measured at
several training lengths, and each length is twice the one before. Let A, shape (S, K), be the activation fractions of
Eq. (14) of S seeds at K lambdas.

    (a) drift    = rms_j |E[a_j] - E[a_j] at half the length| / rms_j sd[a_j]. A run has converged at a length if two
        conditions hold there and at all later lengths. First, drift is at most DRIFT. Second, drift is at most GROWTH
        times the drift at the length before, or at most DRIFT / 2^DOUBLINGS. If a unit moves at a constant speed,
        drift doubles with the length, so the second condition detects this
    (b) spread^2 = mean over lambda of the variance of A over the seeds
    (c) the change of A from one lambda to a larger one counts if it has the same sign for every seed and its mean
        exceeds q spread / sqrt(S). This is Tukey's honest significant difference of K means at LEVEL
    (d) sparser: at least one change that counts is negative, and none is positive;  denser: the reverse;
        mixed: some are negative and some positive;  unaffected: no change counts
    (e) the outcome is (d) if (d) is the same at half the length and all runs have converged. If not all have converged,
        it is still (d) if this is "sparser" or "denser" and would persist for DOUBLINGS more doublings of the length.
        For this, take the change of A from lambda = 0 to the largest lambda. Subtract DOUBLINGS times the amount by
        which it has become smaller since half the length. The rest must exceed the threshold of (c). In all other
        cases the outcome is "inconclusive"

A lambda at which a run diverged or broke down is left out, because dead units in such a run do not show sparsity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import studentized_range

from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.certificates import verdict
from numpy_rae.certificates.certificate import Certificate

DRIFT = 0.05
GROWTH = 1.5
DOUBLINGS = 3
LEVEL = 0.05
SPARSER, UNAFFECTED, DENSER, MIXED = "sparser", "unaffected", "denser", "mixed"
DIVERGED, INCONCLUSIVE, REFUSED = "diverged", "inconclusive", "refused"
CONFIRMED, REFUTED, OPEN = "hit", "miss", "-"
FORESEEN = {verdict.SPARSER: SPARSER, verdict.UNAFFECTED: UNAFFECTED}
MEASURED = ("fraction", "near_zero", "dead", "mean_a", "drift")


class Sweep(NamedTuple):
    """Hold the runs of one activation and one penalty on one data set, at T lengths, S seeds and K lambdas.

    Attributes
    ----------
    lam : tuple of float
        The K lambdas, from 0 upwards.
    broken : tuple of float
        The lambdas that are left out.
    steps : tuple of int
        The T training lengths, in updates.
    fraction : ndarray, shape (T, S, K)
        Activation fractions.
    near_zero : ndarray, shape (T, S, K)
        Shares of |h| <= delta_min.
    dead : ndarray, shape (T, S, K)
        Shares of dead units.
    mean_a : ndarray, shape (T, S, K)
        Means of E[a] over the units.
    drift : ndarray, shape (T, S, K)
        The drifts of (a).
    """

    lam: tuple[float, ...]
    broken: tuple[float, ...]
    steps: tuple[int, ...]
    fraction: Array
    near_zero: Array
    dead: Array
    mean_a: Array
    drift: Array

    @property
    def converged(self) -> Array:
        """Evaluate step (a) of this module: whether the runs have converged.

        Returns
        -------
        ndarray of bool, shape (T, S, K)
            Whether each run has converged at each length. False at the first length, because there is no length before.
        """
        before, now = self.drift[:-1], self.drift[1:]
        calm = (now <= DRIFT) & ((now <= GROWTH * before) | (now <= DRIFT / 2**DOUBLINGS))
        lasting = np.logical_and.accumulate(calm[::-1])[::-1]
        return np.concatenate([np.zeros_like(self.drift[:1], bool), lasting])

    @property
    def comparable(self) -> bool:
        """Return whether the runs can be compared: lambda = 0 and at least one other lambda are not left out.

        Returns
        -------
        bool
            True if they can.
        """
        return len(self.lam) > 1 and self.lam[0] == 0


def collect_sweep(records: Iterable[dict[str, Any]]) -> Sweep:
    """Collect the runs of one activation and one penalty in arrays.

    Parameters
    ----------
    records : iterable of dict
        The records of the runs, including those at lambda = 0.

    Returns
    -------
    Sweep
        The arrays.

    Raises
    ------
    ValueError
        If a seed is missing at a lambda, or the runs were measured at different lengths.
    """
    by_lam: dict[float, dict[int, dict[str, Any]]] = {}
    for entry in records:
        by_lam.setdefault(entry["lambda"], {})[entry["seed"]] = entry
    seeds = sorted(set().union(*by_lam.values()))
    missing = [(lam, seed) for lam in sorted(by_lam) for seed in seeds if seed not in by_lam[lam]]
    if missing:
        raise ValueError("lambda = {:g} has no run of seed {}; every lambda needs every seed".format(*missing[0]))
    broken = {lam for lam, runs in by_lam.items() if any(entry["status"] != "ok" for entry in runs.values())}
    kept = sorted(set(by_lam) - broken)
    steps = {tuple(by_lam[lam][seed]["steps"]) for lam in kept for seed in seeds}
    if len(steps) > 1:
        raise ValueError(f"the runs were measured at different lengths, {sorted(steps)}")
    columns = ([[by_lam[lam][seed][name] for lam in kept] for seed in seeds] for name in MEASURED)
    arrays = (np.moveaxis(np.array(c, float).reshape(len(seeds), len(kept), -1), 2, 0) for c in columns)
    return Sweep(tuple(kept), tuple(sorted(broken)), steps.pop() if steps else (), *arrays)


@lru_cache
def tukey(count: int, freedom: int) -> float:
    """Compute q of step (c): the range of the means, in standard errors, exceeds q with probability LEVEL.

    Parameters
    ----------
    count : int
        Number of means.
    freedom : int
        Degrees of freedom.

    Returns
    -------
    float
        The quantile of the studentized range.
    """
    return float(studentized_range.ppf(1 - LEVEL, count, freedom))


def hsd_threshold(A: Array) -> float:
    """Compute the threshold of step (c).

    Parameters
    ----------
    A : ndarray, shape (S, K)
        Activation fractions of S seeds at K lambdas.

    Returns
    -------
    float
        The threshold q spread / sqrt(S).

    Raises
    ------
    ValueError
        If there is only one seed, because the spread is then undefined.
    """
    S, K = A.shape
    if S < 2:
        raise ValueError(f"{S} seed has no spread; at least 2 are needed")
    spread = A.var(axis=0, ddof=1).mean() ** 0.5  # (b)
    return float(tukey(K, K * (S - 1)) * spread / S**0.5)


def direction(A: Array) -> str:
    """Evaluate step (d): the direction of the changes that count.

    Parameters
    ----------
    A : ndarray, shape (S, K)
        Activation fractions of S seeds at K lambdas.

    Returns
    -------
    str
        The direction: SPARSER, DENSER, MIXED or UNAFFECTED.
    """
    threshold, moves = hsd_threshold(A), set()
    for low, high in zip(*np.triu_indices(A.shape[1], 1), strict=True):
        change = A[:, high] - A[:, low]  # (S,)
        same_sign = (change > 0).all() or (change < 0).all()
        if same_sign and abs(change.mean()) > threshold:  # (c)
            moves.add(np.sign(change[0]))
    return {(): UNAFFECTED, (-1,): SPARSER, (1,): DENSER}.get(tuple(sorted(moves)), MIXED)


def decision_length(sweeps: Sequence[Sweep]) -> int:
    """Choose the training length at which one activation is judged.

    This is the first length at which all its runs have converged. If there is no such length, it is the last one.

    Parameters
    ----------
    sweeps : sequence of Sweep
        The sweeps of the activation.

    Returns
    -------
    int
        Index of the length.
    """
    calm = [sweep.converged.all(axis=(1, 2)) for sweep in sweeps if sweep.comparable]  # (T,) each
    if not calm:
        return 0
    all_calm = np.all(calm, axis=0)
    return int(all_calm.argmax()) if all_calm.any() else len(all_calm) - 1


def outcome(sweep: Sweep, at: int) -> str:
    """Evaluate step (e): the outcome.

    Parameters
    ----------
    sweep : Sweep
        The runs.
    at : int
        Index of the length.

    Returns
    -------
    str
        A direction of (d), or DIVERGED, or INCONCLUSIVE.
    """
    if not sweep.comparable:
        return DIVERGED
    if at == 0:
        return INCONCLUSIVE
    before, A = sweep.fraction[at - 1], sweep.fraction[at]
    found = direction(A)
    lasting = found in (SPARSER, DENSER) and effect_persists(before, A)
    stands = direction(before) == found and (lasting or sweep.converged[at].all())
    return found if stands else INCONCLUSIVE


def effect_persists(before: Array, A: Array) -> bool:
    """Evaluate the rule of step (e) for runs that have not converged.

    Parameters
    ----------
    before : ndarray, shape (S, K)
        Activation fractions at half the length.
    A : ndarray, shape (S, K)
        Activation fractions at the length.

    Returns
    -------
    bool
        True if the effect would persist for DOUBLINGS more doublings of the length.
    """
    loss = max(0.0, abs(effect(before)) - abs(effect(A)))
    return abs(effect(A)) - DOUBLINGS * loss > hsd_threshold(A)


def effect(A: Array) -> float:
    """Compute the mean over the seeds of the change from lambda = 0 to the largest lambda.

    Parameters
    ----------
    A : ndarray, shape (S, K)
        Activation fractions of S seeds at K lambdas.

    Returns
    -------
    float
        The change.
    """
    return float((A[:, -1] - A[:, 0]).mean())


def agreement(prediction: str, found: str) -> str:
    """Compare a prediction with an outcome.

    Parameters
    ----------
    prediction : str
        Prediction of a certificate.
    found : str
        Result of `outcome`.

    Returns
    -------
    str
        CONFIRMED or REFUTED. OPEN if the certificate predicts nothing, or if training gave no direction of (d).
    """
    if prediction not in FORESEEN or found not in (SPARSER, UNAFFECTED, DENSER, MIXED):
        return OPEN
    return CONFIRMED if FORESEEN[prediction] == found else REFUTED


class Row(NamedTuple):
    """Hold the results for one activation with one penalty on one data set.

    Attributes
    ----------
    certificate : Certificate
        The certificate.
    activation : Activation
        The activation.
    data : str
        Name of the data set.
    eta : float
        Learning rate.
    sweep : Sweep or None
        The runs. None if the penalty rejects the activation.
    at : int
        Index of the length.
    outcome : str
        Result of `outcome`.
    """

    certificate: Certificate
    activation: Activation
    data: str
    eta: float
    sweep: Sweep | None
    at: int
    outcome: str

    @property
    def agreement(self) -> str:
        """Compare the certificate with the outcome.

        Returns
        -------
        str
            CONFIRMED, REFUTED or OPEN.
        """
        return agreement(self.certificate.prediction, self.outcome)
