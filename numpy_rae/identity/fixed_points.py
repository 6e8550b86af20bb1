"""Evaluate activations and objectives at fixed points, to detect a change of a formula by a change of the values.

Everything is float64. The points are sines of whole numbers, so they do not depend on a random generator.
"""

import copy
import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import RELU, SIGMOID, Activation
from numpy_rae.autoencoder import Params

# These are not round numbers, because there a value can lie exactly between two results of `rounded`.
POINTS = np.array([-12.0, -4.1, -2.9, -1.3, -0.4, -0.004, 0.2, 0.45, 0.9, 2.7, 3.3, 12.0]) + math.e / 1000
N, FEATURES, UNITS = 6, 4, 3
# Small and large weights, and biases that make the units active and inactive, because a penalty may differ from 0 only
# in one of these cases.
SCALES = ((0.5, 0.1), (2.0, 1.5), (1.0, -3.0))
SIGMA2 = 0.25
DIGITS = 10

T = TypeVar("T")


def _sines(first: int, *shape: int) -> Array:
    """Return the sines of the whole numbers from `first` on, in this shape."""
    values: Array = np.sin(np.arange(first, first + np.prod(shape), dtype=float))
    return values.reshape(shape)


def jet_values(activation: Activation, shift: float = 0.0) -> Array:
    """Return h and its first three derivatives at fixed points. Missing derivatives are left out.

    Parameters
    ----------
    activation : Activation
        The activation. Derivatives that it computes by finite differences are also left out.
    shift : float
        Number that is added to POINTS.

    Returns
    -------
    ndarray, shape (12 k,), float64
        The values of h and of its first k - 1 derivatives, k from 1 to 4, one after the other.

    Raises
    ------
    Exception
        Any error of the activation.
    """
    accuracy = getattr(activation.jet, "accuracy", (0.0,) * 4)
    given = max(1, sum(each == 0 for each in accuracy))
    for order in (3, 2):
        try:
            return _joined(activation(POINTS + shift, order)[:given])
        except Exception:  # the activation of a user may have fewer derivatives
            continue
    return _joined(activation(POINTS + shift, 1)[:given])


def objective_values(
    model: Callable[..., Any], activation: Activation, sigma2: float = SIGMA2, first: int = 1
) -> Array:
    """Return J and its gradient for one fixed batch at three fixed pairs of parameters.

    Parameters
    ----------
    model : callable
        (params, activation, x, sigma2, rng) -> (J, Gradient).
    activation : Activation
        Encoder activation s_e.
    sigma2 : float
        Weight of the penalty or variance of the noise.
    first : int
        The integer at which the sines begin. Another number gives other points.

    Returns
    -------
    ndarray, one-dimensional, float64
        J, dJ/dW and dJ/db_e of each pair of parameters, one after the other.

    Raises
    ------
    Exception
        Any error of the model.
    """
    parts = []
    for scale, bias in SCALES:
        params = Params(scale * _sines(first + 50, UNITS, FEATURES), bias + 0.1 * _sines(first + 100, UNITS))
        J, grad = model(params, activation, _sines(first, N, FEATURES), sigma2, np.random.default_rng(0))
        parts += [J, *grad.dense(params)]
    return _joined(parts)


def _joined(parts: Iterable[Any]) -> Array:
    """Return all numbers of the parts in one flat array."""
    return np.concatenate([np.array(part, np.float64).ravel() for part in parts if part is not None])


def model_values(model: Callable[..., Any], first: int = 1) -> Array | None:
    """Return `objective_values` with the sigmoid and with ReLU.

    Parameters
    ----------
    model : callable
        As in `objective_values`.
    first : int
        As in `objective_values`.

    Returns
    -------
    ndarray, one-dimensional, float64, or None
        The values with each activation that the model accepts. None if it does not accept any of them.
    """
    each = [tried(objective_values, model, s_e, SIGMA2, first) for s_e in (SIGMOID, RELU)]
    found = [values for values in each if values is not None]
    return np.concatenate(found) if found else None


def tried(f: Callable[..., T], obj: object, *args: object) -> T | None:
    """Call a function with a copy of an object, without showing warnings.

    Parameters
    ----------
    f : callable
        The function.
    obj : object
        Its first argument, which is copied.
    *args : object
        Its other arguments.

    Returns
    -------
    object
        The result, or None if the function raises an error.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return f(_copied(obj), *args)
        except Exception:  # the function of a user may raise anything
            return None


def _copied(obj: object) -> object:
    """Return a deep copy, so that a call cannot change the object. If it cannot be copied, return the object."""
    try:
        return copy.deepcopy(obj)
    except Exception:
        return obj


def rounded(values: Array) -> Array:
    """Round values to DIGITS digits of the largest value, because results of BLAS kernels differ in the last digits.

    Parameters
    ----------
    values : ndarray, float64
        The values. NaN and infinity are kept.

    Returns
    -------
    ndarray, float64
        The rounded values.
    """
    finite = values[np.isfinite(values)]
    largest = np.abs(finite).max(initial=0)
    unit = 10.0 ** np.ceil(np.log10(largest)) if largest > 0 else 1.0
    return np.round(values / unit, DIGITS) * unit + 0.0


def close(one: Array, two: Array) -> bool:
    """Return whether two arrays of values are equal up to rounding.

    Parameters
    ----------
    one : ndarray, float64
        Values.
    two : ndarray, float64
        Values to compare with them.

    Returns
    -------
    bool
        True if the shapes are equal, and all values up to rounding.
    """
    if one.shape != two.shape:
        return False
    largest = np.abs(one[np.isfinite(one)]).max(initial=0)
    return bool(np.allclose(one, two, rtol=1e-9, atol=1e-12 * largest, equal_nan=True))
