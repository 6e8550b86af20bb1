"""Measure a trained auto-encoder over a whole data set, one chunk of samples at a time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, forward, reconstruction
from numpy_rae.registry import find_activation

CHUNK = 1000


class Codes(NamedTuple):
    """Hold the results of `measure`, per unit over all samples.

    Attributes
    ----------
    active : ndarray, shape (m,)
        Share of samples with h_j > delta_min.
    mean_a : ndarray, shape (m,)
        E[a_j].
    var_a : ndarray, shape (m,)
        Var[a_j].
    loss : float
        The mean loss J_AE.
    """

    active: Array
    mean_a: Array
    var_a: Array
    loss: float


@_validation.tiny_is_zero
def measure(params: Params, activation: str | Activation | Callable[..., Any], x: Array) -> Codes:
    """Encode all of x and compute statistics per unit, in float64.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,). Their entries may be NaN or inf.
    activation : str, Activation or callable
        A name in `registry.ACTIVATIONS`, an activation, or a function s_e(a).
    x : ndarray, shape (N, n)
        Data, of the dtype of W.

    Returns
    -------
    Codes
        The statistics. If params is not finite or a sum overflows, then the loss or a variance is not finite, and there
        is no warning. `train` uses this to detect a divergence.

    Raises
    ------
    ValueError
        If params and x do not fit each other, or x is not finite.
    """
    _validation.encoder(params, finite=False)
    activation = find_activation(activation)
    _validation.batch("x", _validation.matrix("x", x), params.W.shape[1], params.W.dtype)
    return reduce_codes(params, activation, x)


@_validation.tiny_is_zero
def reduce_codes(
    params: Params, activation: Activation, x: Array, visit: Callable[[slice, Array], None] | None = None
) -> Codes:
    """Encode x chunk by chunk, without checks, and reduce the codes.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Data, of the dtype of W.
    visit : callable, optional
        Called as `visit(rows, h)` with the rows of each chunk and its codes h, shape (rows, m).

    Returns
    -------
    Codes
        The figures per unit.
    """
    N, m = len(x), len(params.b_e)
    count, sum_a, sum_a2, loss = np.zeros(m), np.zeros(m), np.zeros(m), 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, N, CHUNK):
            rows = slice(start, start + CHUNK)
            part = x[rows]
            fwd = forward(params, activation, part)
            count += (fwd.jet.h > activation.delta_min).sum(axis=0)
            sum_a += fwd.a.sum(axis=0, dtype=np.float64)
            sum_a2 += np.square(fwd.a, dtype=np.float64).sum(axis=0)
            loss += reconstruction(fwd.y, part)[0] * len(part)
            if visit:
                visit(rows, fwd.jet.h)
        mean_a = sum_a / N
        return Codes(count / N, mean_a, sum_a2 / N - mean_a**2, loss / N)


@_validation.tiny_is_zero
def mean_square(x: Array) -> float:
    """Return E||x||^2. This is the loss if all units are dead, because the reconstruction is then 0.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Data.

    Returns
    -------
    float
        The mean over the rows of x of their squared lengths.
    """
    parts = (x[start : start + CHUNK] for start in range(0, len(x), CHUNK))
    return sum(float(np.vdot(part, part)) for part in parts) / len(x)


@_validation.tiny_is_zero
def activation_fraction(codes: Codes) -> float:
    """Compute the activation fraction, Eq. (14).

    Parameters
    ----------
    codes : Codes
        Result of `measure`.

    Returns
    -------
    float
        Share of (sample, unit) pairs with h > delta_min.
    """
    return float(codes.active.mean())


@_validation.tiny_is_zero
def dead_fraction(codes: Codes) -> float:
    """Compute the share of dead units.

    Parameters
    ----------
    codes : Codes
        Result of `measure`.

    Returns
    -------
    float
        Share of units that are active on no sample.
    """
    return float((codes.active == 0).mean())


@_validation.tiny_is_zero
def summary(codes: Codes) -> dict[str, float]:
    """Return the metrics of a record.

    Parameters
    ----------
    codes : Codes
        Result of `measure`.

    Returns
    -------
    dict
        "activation_fraction", "dead_fraction", "mean_preactivation" and "var_preactivation" (means over the units), and
        "loss".
    """
    return {
        "activation_fraction": activation_fraction(codes),
        "dead_fraction": dead_fraction(codes),
        "mean_preactivation": float(codes.mean_a.mean()),
        "var_preactivation": float(codes.var_a.mean()),
        "loss": codes.loss,
    }
