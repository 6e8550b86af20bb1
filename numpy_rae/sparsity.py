"""Measure how sparse a trained auto-encoder is, with L0, Hoyer's measure and others, in addition to those of `metrics`.

`measure` encodes a whole data set, one chunk of samples at a time, and computes statistics per unit and per sample.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpy_rae import _validation, metrics
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params
from numpy_rae.registry import find_activation
from numpy_rae.row_norms import directions

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


class Coherence(NamedTuple):
    """Hold the largest and the mean absolute cosine between different non-zero rows of W.

    Attributes
    ----------
    largest : float
        The largest. NaN if there are fewer than two rows.
    mean : float
        The mean over all pairs. NaN if there are fewer than two rows.
    """

    largest: float
    mean: float


class Sparsity(NamedTuple):
    """Hold the measures of one model on one data set. A unit is active where h > delta_min, as in Eq. (14).

    Attributes
    ----------
    density : ndarray, shape (m,)
        Share of samples that activate the unit.
    near_zero : ndarray, shape (m,)
        Share of samples with |h| <= delta_min. It is 1 - density unless h can be below -delta_min.
    mean_a : ndarray, shape (m,)
        E[a_j].
    var_a : ndarray, shape (m,)
        Var[a_j].
    L0 : ndarray of int, shape (N,)
        Number of active units per sample.
    hoyer : ndarray, shape (N,)
        Hoyer's sparseness per sample, see `hoyer`.
    zero : ndarray of bool, shape (N,)
        Whether h is exactly 0 at every unit.
    bias_quantiles : ndarray, shape (7,)
        Quantiles of b_e at `QUANTILES`.
    explained_variance : float
        Share of the variance of x that the reconstruction explains, see `explained_variance`.
    coherence : Coherence
        Cosines between the rows of W.
    """

    density: Array
    near_zero: Array
    mean_a: Array
    var_a: Array
    L0: Array
    hoyer: Array
    zero: Array
    bias_quantiles: Array
    explained_variance: float
    coherence: Coherence

    @property
    def dead(self) -> Array:
        """Find the units that no sample activates.

        Returns
        -------
        ndarray of bool, shape (m,)
            True at a dead unit.
        """
        silent: Array = self.density == 0
        return silent

    @property
    def L0_histogram(self) -> Array:
        """Count the samples that activate 0, 1, ..., m units.

        Returns
        -------
        ndarray of int, shape (m + 1,)
            The counts.
        """
        return np.bincount(self.L0, minlength=len(self.density) + 1)

    def figures(self) -> dict[str, float]:
        """Reduce the measures to single numbers.

        Returns
        -------
        dict
            Means, medians and extremes by name. "hoyer_mean" is the mean over the codes for which Hoyer's measure is
            defined, NaN if there are none.
        """
        defined = self.hoyer[~np.isnan(self.hoyer)]
        return {
            "activation_fraction": float(self.density.mean()),
            "near_zero_fraction": float(self.near_zero.mean()),
            "dead_fraction": float(self.dead.mean()),
            "L0_mean": float(self.L0.mean()),
            "L0_median": float(np.median(self.L0)),
            "L0_largest": int(self.L0.max()),
            "zero_code_fraction": float(self.zero.mean()),
            "hoyer_mean": float(defined.mean()) if len(defined) else math.nan,
            "explained_variance": self.explained_variance,
            "coherence_largest": self.coherence.largest,
            "coherence_mean": self.coherence.mean,
            "mean_preactivation": float(self.mean_a.mean()),
            "var_preactivation": float(self.var_a.mean()),
            **{f"bias_quantile_{q:g}": float(b) for q, b in zip(QUANTILES, self.bias_quantiles, strict=True)},
        }


@_validation.tiny_is_zero
def measure(params: Params, activation: str | Activation | Callable[..., Any], x: Array) -> Sparsity:
    """Encode all of x once, with Eq. (3), and measure how sparse the codes are.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : str, Activation or callable
        A name in `registry.ACTIVATIONS`, an activation, or a function s_e(a).
    x : ndarray, shape (N, n)
        Data, of the dtype of W.

    Returns
    -------
    Sparsity
        The measures. Those that `metrics.measure` also computes have exactly the same values.

    Raises
    ------
    ValueError
        If W, b_e or x is not finite, if they do not fit each other, or if a result overflows.
    """
    _validation.encoder(params)
    activation = find_activation(activation)
    W, b_e = params
    _validation.batch("x", _validation.matrix("x", x, squares=True), W.shape[1], W.dtype)
    N, delta_min = len(x), activation.delta_min
    near_zero, L0, sparse, zero = np.zeros(len(W)), np.empty(N, int), np.empty(N), np.empty(N, bool)

    def _visit(rows: slice, h: Array) -> None:
        """Measure the codes h of some rows of x."""
        h = np.ascontiguousarray(h)  # So that sums over units are faster and always in the same order.
        near_zero[:] += (np.abs(h) <= delta_min).sum(axis=0)
        L0[rows] = (h > delta_min).sum(axis=1)
        sparse[rows], zero[rows] = _hoyer(h), ~h.any(axis=1)

    codes = metrics.reduce_codes(params, activation, x, _visit)
    _validation.no_overflow("x or params", codes.var_a, codes.loss)
    return Sparsity(
        codes.active, near_zero / N, codes.mean_a, codes.var_a, L0, sparse, zero,
        np.quantile(b_e, QUANTILES), explained_variance(codes.loss, x), coherence(W),
    )  # fmt: skip


@_validation.tiny_is_zero
def hoyer(h: Array) -> Array:
    """Compute Hoyer's sparseness of each code (Hoyer 2004, Sec. 3.1).

    Parameters
    ----------
    h : ndarray, shape (N, m)
        Codes.

    Returns
    -------
    ndarray, shape (N,), float64
        (sqrt(m) - ||h||_1 / ||h||_2) / (sqrt(m) - 1), in [0, 1]. It does not depend on the scale of h. It is 1 with a
        single non-zero entry, and 0 if all |h_j| are equal. It is NaN for a zero code, and for m = 1.

    Raises
    ------
    ValueError
        If h is not a finite matrix.
    """
    return _hoyer(_validation.matrix("h", h))


def _hoyer(h: Array) -> Array:
    """Compute `hoyer` without its check."""
    m = h.shape[1]
    if m == 1:
        return np.full(len(h), math.nan)
    size = np.abs(h)
    peak = size.max(axis=1, keepdims=True)
    # After the division by the largest entry, squares do not overflow. Those that underflow are too small to matter.
    share = np.divide(size, peak, out=np.full_like(size, math.nan), where=peak > 0)  # (N, m)
    l1, l2 = share.sum(axis=1, dtype=np.float64), np.sqrt(np.square(share, dtype=np.float64).sum(axis=1))
    sparseness: Array = np.clip((m**0.5 - l1 / l2) / (m**0.5 - 1), 0, 1)
    return sparseness


@_validation.tiny_is_zero
def explained_variance(loss: float, x: Array) -> float:
    """Compute the share of the variance of x that the reconstruction explains.

    Parameters
    ----------
    loss : float
        E||x - y||^2.
    x : ndarray, shape (N, n)
        Data.

    Returns
    -------
    float
        1 - E||x - y||^2 / E||x - E[x]||^2, at most 1. It is 0 if every y is the mean of x, and negative for a worse
        reconstruction. It is NaN for constant x, which has no variance.

    Raises
    ------
    ValueError
        If squares of x overflow, or the loss is negative or not finite.
    """
    _validation.number("loss", loss)
    total = total_variance(x)
    if not total:
        return math.nan
    explained = 1 - float(loss) / total
    _validation.no_overflow("loss", explained)
    return explained


@_validation.tiny_is_zero
def total_variance(x: Array) -> float:
    """Compute E||x - E[x]||^2 in float64, one chunk at a time.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Data.

    Returns
    -------
    float
        The sum of the variances of the features. Exactly 0 for constant x.

    Raises
    ------
    ValueError
        If x is not a finite matrix, or its squares overflow.
    """
    _validation.matrix("x", x, squares=True)
    mean, total = x.mean(axis=0, dtype=np.float64), 0.0
    varies = x.min(axis=0) != x.max(axis=0)  # a constant feature deviates only by rounding
    for start in range(0, len(x), metrics.CHUNK):
        total += float((np.square(x[start : start + metrics.CHUNK] - mean) * varies).sum())
    return total / len(x)


@_validation.tiny_is_zero
def coherence(W: Array) -> Coherence:
    """Compute the absolute cosines between all pairs of different rows of W. Zero rows are left out.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Weights.

    Returns
    -------
    Coherence
        0 if the rows are orthogonal, 1 if two are parallel. NaN if fewer than two rows are not 0.

    Raises
    ------
    ValueError
        If W is not a finite matrix.
    """
    rows = _validation.matrix("W", W)[W.any(axis=1)]
    count, largest, total = len(rows), 0.0, 0.0
    if count < 2:
        return Coherence(math.nan, math.nan)
    rows = directions(rows)
    for start in range(0, count, metrics.CHUNK):
        cosine = np.abs(rows[start : start + metrics.CHUNK] @ rows.T)
        np.fill_diagonal(cosine[:, start:], 0)
        largest, total = max(largest, float(cosine.max())), total + float(cosine.sum(dtype=np.float64))
    return Coherence(min(largest, 1.0), min(total / (count * (count - 1)), 1.0))
