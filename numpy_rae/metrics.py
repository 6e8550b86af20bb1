"""What is measured of a trained auto-encoder, over a whole data set, a chunk of samples at a time."""

from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, forward, reconstruction

CHUNK = 1000


class Codes(NamedTuple):
    """Per unit, over all samples: share of samples with h_j > delta_min, E[a_j], Var[a_j]; and the mean loss J_AE."""

    active: np.ndarray
    mean_a: np.ndarray
    var_a: np.ndarray
    loss: float


@_validation.tiny_is_zero
def measure(params: Params, activation: Activation, x: np.ndarray) -> Codes:
    """Encode all of x (N, n) and reduce it to per-unit figures, (m,) each in float64.

    Raises ValueError unless params and x fit each other and x is finite. What is not finite in params, or overflows,
    makes the loss or a variance so, without a warning: training knows a divergence by it.
    """
    _validation.encoder(params, finite=False)
    _validation.instance("activation", activation, Activation)
    _validation.batch("x", _validation.matrix("x", x), params.W.shape[1], params.W.dtype)
    N, m = len(x), len(params.b_e)
    count, sum_a, sum_a2, loss = np.zeros(m), np.zeros(m), np.zeros(m), 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, N, CHUNK):
            part = x[start : start + CHUNK]
            fwd = forward(params, activation, part)
            count += (fwd.jet.h > activation.delta_min).sum(axis=0)
            sum_a += fwd.a.sum(axis=0, dtype=np.float64)
            sum_a2 += np.square(fwd.a, dtype=np.float64).sum(axis=0)
            loss += reconstruction(fwd.y, part)[0] * len(part)
        mean_a = sum_a / N
        return Codes(count / N, mean_a, sum_a2 / N - mean_a**2, loss / N)


@_validation.tiny_is_zero
def mean_square(x: np.ndarray) -> float:
    """Return E||x||^2, the mean over the rows of x (N, n): the loss of an all-dead code, whose reconstruction is 0."""
    parts = (x[start : start + CHUNK] for start in range(0, len(x), CHUNK))
    return sum(float(np.vdot(part, part)) for part in parts) / len(x)


@_validation.tiny_is_zero
def activation_fraction(codes: Codes) -> float:
    """Eq. (14): the share of (sample, unit) pairs with h > delta_min."""
    return float(codes.active.mean())


@_validation.tiny_is_zero
def dead_fraction(codes: Codes) -> float:
    """The share of units that no sample activates."""
    return float((codes.active == 0).mean())


@_validation.tiny_is_zero
def summary(codes: Codes) -> dict[str, float]:
    """The figures a record keeps."""
    return {
        "activation_fraction": activation_fraction(codes),
        "dead_fraction": dead_fraction(codes),
        "mean_preactivation": float(codes.mean_a.mean()),
        "var_preactivation": float(codes.var_a.mean()),
        "loss": codes.loss,
    }
