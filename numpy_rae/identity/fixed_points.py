"""Values of activations and objectives at points that never change: a formula that changes is seen by them.

Everything is float64. The points are sines of whole numbers, so that no generator's stream decides them.
"""

import copy
import warnings
from collections.abc import Callable

import numpy as np

from numpy_rae.activations import RELU, SIGMOID, Activation
from numpy_rae.autoencoder import Params

# Off the round numbers, at which a value can lie in the middle between two that `rounded` gives.
POINTS = np.array([-12.0, -4.1, -2.9, -1.3, -0.4, -0.004, 0.2, 0.45, 0.9, 2.7, 3.3, 12.0]) + np.e / 1000
N, FEATURES, UNITS = 6, 4, 3
# Small and large weights, and biases that open and close the units: a penalty may act in one of them only.
SCALES = ((0.5, 0.1), (2.0, 1.5), (1.0, -3.0))
SIGMA2 = 0.25
DIGITS = 10


def sines(first: int, *shape: int) -> np.ndarray:
    """The sines of the whole numbers from `first` on, in this shape."""
    return np.sin(np.arange(first, first + np.prod(shape), dtype=float)).reshape(shape)


def jet_values(activation: Activation, shift: float = 0.0) -> np.ndarray:
    """Return h, h', h'', h''' at POINTS + shift, as far as the jet goes; differences count as not given.

    Raises
    ------
    Exception
        Whatever the activation raises.
    """
    accuracy = getattr(activation.jet, "accuracy", (0.0,) * 4)
    given = max(1, sum(each == 0 for each in accuracy))
    for order in (3, 2):
        try:
            return _joined(activation(POINTS + shift, order)[:given])
        except Exception:  # a user's jet may end at a lower order
            continue
    return _joined(activation(POINTS + shift, 1)[:given])


def objective_values(model: Callable, activation: Activation, sigma2: float = SIGMA2, first: int = 1) -> np.ndarray:
    """Return J and its gradient at three fixed parameters and one fixed batch, in one row.

    Parameters
    ----------
    model : Callable
        (params, activation, x, sigma2, rng) -> (J, Gradient).
    first : int
        The whole number at which the sines begin: other numbers are other points.

    Raises
    ------
    Exception
        Whatever the model raises.
    """
    parts = []
    for scale, bias in SCALES:
        params = Params(scale * sines(first + 50, UNITS, FEATURES), bias + 0.1 * sines(first + 100, UNITS))
        J, grad = model(params, activation, sines(first, N, FEATURES), sigma2, np.random.default_rng(0))
        parts += [J, *grad.dense(params)]
    return _joined(parts)


def _joined(parts) -> np.ndarray:
    return np.concatenate([np.array(part, np.float64).ravel() for part in parts if part is not None])


def model_values(model: Callable, first: int = 1) -> np.ndarray | None:
    """`objective_values` with a smooth activation and with ReLU, as far as the model takes them; None if neither."""
    found = [tried(objective_values, model, s_e, SIGMA2, first) for s_e in (SIGMOID, RELU)]
    found = [values for values in found if values is not None]
    return np.concatenate(found) if found else None


def tried(f: Callable[..., np.ndarray], obj: object, *args) -> np.ndarray | None:
    """f of a copy of the object, without a warning; None if that raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return f(copied(obj), *args)
        except Exception:  # a user's function may raise anything
            return None


def copied(obj: object) -> object:
    """A deep copy, so that a look at an object does not change it; the object itself where there is none."""
    try:
        return copy.deepcopy(obj)
    except Exception:
        return obj


def rounded(values: np.ndarray) -> np.ndarray:
    """The values to DIGITS digits of the largest: below that BLAS's kernels differ."""
    finite = values[np.isfinite(values)]
    largest = np.abs(finite).max(initial=0)
    unit = 10.0 ** np.ceil(np.log10(largest)) if largest > 0 else 1.0
    return np.round(values / unit, DIGITS) * unit + 0.0


def close(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether two rows of values are the same but for rounding."""
    if one.shape != two.shape:
        return False
    largest = np.abs(one[np.isfinite(one)]).max(initial=0)
    return bool(np.allclose(one, two, rtol=1e-9, atol=1e-12 * largest, equal_nan=True))
