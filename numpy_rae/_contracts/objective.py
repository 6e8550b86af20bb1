"""Checks of what an objective returns: (J, Gradient)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_rae._contracts.activation import ORDERS, check_activation, check_jet
from numpy_rae._contracts.returned import check_gradient, pair, real
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params


def first_objective_call(
    model: Callable[..., Any], params: Params, activation: Activation, x: Array, sigma2: float, rng: np.random.Generator
) -> tuple[float, Gradient]:
    """Call a model and check the result and the jet of the activation.

    Parameters
    ----------
    model : callable
        The objective.
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    sigma2 : float
        Regularisation coefficient, at least 0.
    rng : numpy.random.Generator
        Source of noise.

    Returns
    -------
    loss : float
        The objective J.
    gradient : Gradient
        Its gradient.

    Raises
    ------
    ValueError
        If the model or the activation returns something else than it must.
    """
    a = x @ params.W.T + params.b_e
    check_activation(activation, a)
    try:
        result: tuple[float, Gradient] = model(params, activation, x, sigma2, rng)
    except (TypeError, AttributeError):
        for order in ORDERS:  # A missing derivative is the likely cause.
            check_jet(activation.name, activation(a, order), a, order)
        raise
    check_objective(model, result, params)
    return result


def check_objective(model: Callable[..., Any], result: object, params: Params) -> None:
    """Raise ValueError unless a model returned (J, Gradient), with parts that fit W.

    Parameters
    ----------
    model : callable
        The objective.
    result : object
        What it returned.
    params : Params
        W, shape (m, n), and b_e, shape (m,).

    Raises
    ------
    ValueError
        If the result does not fit.
    """
    who = f"model {getattr(model, 'name', None) or getattr(model, '__name__', type(model).__name__)}"
    J, grad = pair(who, result, "(J, Gradient)")
    real(who, J, params.W.dtype)
    check_gradient(who, grad, params)
