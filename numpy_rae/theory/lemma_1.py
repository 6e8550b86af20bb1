"""Lemma 1: bounds on the bias gradient of the reconstruction loss."""

import numpy as np

from numpy_rae import _validation
from numpy_rae.row_norms import of_order_one, row_lengths


@_validation.tiny_is_zero
def sigma_r(r: np.ndarray) -> float:
    """Root of the mean square of r (N, n), over samples and dimensions: the paper's sigma_r, no assumption made."""
    scaled, exponent = of_order_one(_validation.matrix("r", r))
    return float(np.ldexp(np.sqrt(np.mean(np.square(scaled))), exponent))


@_validation.tiny_is_zero
def lemma_1_bound(W: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Lemma 1: |dJ_AE/db_e_j| <= 2 sigma_r sqrt(n) ||W_j||, (m,).

    With sigma_r^2 the mean of r^2 it is Cauchy-Schwarz, and holds for every W, b_e and residual; inf if it overflows.
    """
    _validation.matrix("W", W, columns=_validation.matrix("r", r).shape[1])
    with np.errstate(over="ignore"):
        return row_lengths(W) * 2 * sigma_r(r) * r.shape[1] ** 0.5


@_validation.tiny_is_zero
def lemma_1_bound_free(W: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Lemma 1 without any assumption, and tighter: |dJ_AE/db_e_j| <= 2 sqrt(E[(W_j r)^2]), (m,); inf on overflow."""
    _validation.matrix("W", W, columns=_validation.matrix("r", r).shape[1])
    (rows, of_W), (scaled, of_r) = of_order_one(W, axis=1), of_order_one(r)
    with np.errstate(over="ignore"):
        return np.ldexp(2 * np.sqrt(np.square(scaled @ rows.T).mean(axis=0)), of_W + of_r)


@_validation.tiny_is_zero
def lemma_1_bound_gaussian(W: np.ndarray, sigma_r: float) -> np.ndarray:
    """Lemma 1, sharp under its Gaussian assumption: sigma_r sqrt(2 / pi) ||W_j||, (m,), reached at h' = 1{W_j r > 0}.

    dJ_AE/db_e_j = -2 E[h'_j u], u = W_j r of variance sigma_r^2 ||W_j||^2, and E[max(u, 0)] = std(u) / sqrt(2 pi).
    """
    _validation.number("sigma_r", sigma_r)
    with np.errstate(over="ignore"):
        return row_lengths(_validation.matrix("W", W)) * float(sigma_r) * (2 / np.pi) ** 0.5
