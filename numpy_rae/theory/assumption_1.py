"""Assumption 1: how far data and residuals are from it."""

import math
from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae.data.preprocessing import centred
from numpy_rae.row_norms import of_order_one
from numpy_rae.theory.lemma_1 import sigma_r


class Assumption1Report(NamedTuple):
    """How far data are from Assumption 1: largest |mean|, spectral and mean absolute distance of the covariance from I,
    share of features that are constant."""

    mean: float
    covariance_spectral: float
    covariance_mean: float
    constant: float


@_validation.tiny_is_zero
def check_assumption_1(x: np.ndarray) -> Assumption1Report:
    """Assumption 1 asked of data x (N, n): mean 0, covariance I. Raises ValueError if squares of x overflow."""
    _validation.matrix("x", x, squares=True)
    excess = x.T @ x / len(x) - np.eye(x.shape[1], dtype=x.dtype)
    return Assumption1Report(
        float(np.abs(x.mean(axis=0)).max()),
        float(np.linalg.norm(excess, 2)),
        float(np.abs(excess).mean()),
        float((x.min(axis=0) == x.max(axis=0)).mean()),
    )


class ResidualMoments(NamedTuple):
    """Assumption 1 asked of the residual: mean, sigma_r, skewness and excess kurtosis over all entries (0 if Gaussian),
    and the largest |correlation| between two of its dimensions (0 if independent)."""

    mean: float
    sigma_r: float
    skewness: float
    kurtosis: float
    correlation: float


@_validation.tiny_is_zero
def residual_moments(r: np.ndarray) -> ResidualMoments:
    """Moments of a residual r (N, n). A constant one has neither skewness nor kurtosis: NaN."""
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
