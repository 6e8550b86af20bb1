"""Measure by how much data and residuals deviate from Assumption 1."""

import math
from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.data.preprocessing import centred
from numpy_rae.row_norms import of_order_one
from numpy_rae.theory.lemma_1 import sigma_r


class Assumption1Report(NamedTuple):
    """Hold the deviations of data from Assumption 1.

    Attributes
    ----------
    mean : float
        Largest |mean| of a feature.
    covariance_spectral : float
        Spectral norm of the covariance minus I.
    covariance_mean : float
        Mean absolute entry of the covariance minus I.
    constant : float
        Share of constant features.
    """

    mean: float
    covariance_spectral: float
    covariance_mean: float
    constant: float


@_validation.tiny_is_zero
def check_assumption_1(x: Array) -> Assumption1Report:
    """Measure by how much data deviate from Assumption 1: mean 0 and covariance I.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Data.

    Returns
    -------
    Assumption1Report
        The deviations. All are 0 if the assumption holds.

    Raises
    ------
    ValueError
        If x is not a finite matrix, or its squares overflow.
    """
    _validation.matrix("x", x, squares=True)
    excess = x.T @ x / len(x) - np.eye(x.shape[1], dtype=x.dtype)
    return Assumption1Report(
        float(np.abs(x.mean(axis=0)).max()),
        float(np.linalg.norm(excess, 2)),
        float(np.abs(excess).mean()),
        float((x.min(axis=0) == x.max(axis=0)).mean()),
    )


class ResidualMoments(NamedTuple):
    """Hold the moments of a residual that occur in Assumption 1.

    Attributes
    ----------
    mean : float
        Mean over all entries.
    sigma_r : float
        Root of the mean square over all entries.
    skewness, kurtosis : float
        Skewness and excess kurtosis over all entries. Both are 0 for a Gaussian.
    correlation : float
        Largest |correlation| between two dimensions. It is 0 if they are independent.
    """

    mean: float
    sigma_r: float
    skewness: float
    kurtosis: float
    correlation: float


@_validation.tiny_is_zero
def residual_moments(r: Array) -> ResidualMoments:
    """Compute the moments of a residual.

    Parameters
    ----------
    r : ndarray, shape (N, n)
        Residual x - y.

    Returns
    -------
    ResidualMoments
        The moments. Skewness and kurtosis of a constant residual are NaN.

    Raises
    ------
    ValueError
        If r is not a finite matrix.
    """
    scaled, exponent = of_order_one(_validation.matrix("r", r))
    whole, features = scaled - scaled.mean(), centred(of_order_one(r, axis=0)[0])
    spread, varies = features.std(axis=0), features.any(axis=0)
    white = features[:, varies] / spread[varies]
    correlation = white.T @ white / len(r)
    np.fill_diagonal(correlation, 0)
    skewness = kurtosis = math.nan
    if r.min() != r.max():
        z = whole / whole.std()
        skewness, kurtosis = float((z**3).mean()), float((z**4).mean() - 3)
    mean = float(np.ldexp(scaled.mean(), exponent))
    return ResidualMoments(mean, sigma_r(r), skewness, kurtosis, float(np.abs(correlation).max(initial=0)))
