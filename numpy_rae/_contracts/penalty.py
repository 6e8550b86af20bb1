"""Checks of what a penalty is and returns: an order, and (R, PenaltyGrad)."""

import numbers
from typing import Any

import numpy as np

from numpy_rae._contracts.activation import ORDERS, check_jet
from numpy_rae._contracts.calls import check_arguments
from numpy_rae._contracts.returned import array, check_count, check_factors, describe_value, pair, real
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Forward, Params, PenaltyGrad
from numpy_rae.penalties import Penalty

PARTS = ("h", "h'", "h''", "h'''")


def check_penalty(penalty: object) -> None:
    """Raise ValueError for an object without `order` and `value_and_grad`.

    Parameters
    ----------
    penalty : object
        Object to check.

    Raises
    ------
    ValueError
        If the object is no penalty.
    """
    if isinstance(penalty, type):
        raise ValueError(
            f"penalty is the class {penalty.__name__}; it must be an instance, such as {penalty.__name__}()"
        )
    name, order = type(penalty).__name__, getattr(penalty, "order", None)
    if not callable(getattr(penalty, "value_and_grad", None)):
        raise ValueError(f"penalty is a {name}; it must have an order and a method value_and_grad")
    if not isinstance(order, numbers.Integral) or isinstance(order, bool) or order not in ORDERS:
        found = "no order" if order is None else f"the order {order!r}"
        raise ValueError(f"penalty {name} has {found}; it must be 1, 2 or 3, as many derivatives of s_e as it reads")


def first_penalty_call(
    penalty: Penalty, params: Params, activation: Activation, fwd: Forward, rng: np.random.Generator | None
) -> tuple[float, PenaltyGrad]:
    """Call `penalty.value_and_grad` and check the result and the jet of the activation.

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    fwd : Forward
        Forward pass, with the derivatives up to `order`.
    rng : numpy.random.Generator or None
        Source of noise.

    Returns
    -------
    R : float
        The value.
    gradient : PenaltyGrad
        The partial derivatives.

    Raises
    ------
    ValueError
        If the penalty or the activation returns something else than it must.
    """
    name, given = type(penalty).__name__, (params, activation, fwd, rng)
    check_jet(activation.name, fwd.jet, fwd.a, penalty.order)
    wanted = "value_and_grad(params, activation, fwd, rng)"
    check_arguments(f"penalty {name}", penalty.value_and_grad, wanted, *given)
    try:
        result = penalty.value_and_grad(*given)
    except (TypeError, AttributeError) as error:
        explain_order(penalty, given, error)
        raise
    check_penalty_result(name, result, params, fwd.x)
    return result


def explain_order(penalty: Penalty, given: tuple[Any, ...], error: Exception) -> None:
    """Raise ValueError if a penalty fails at its own order but works at a higher one.

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    given : tuple
        Arguments of the call that failed.
    error : Exception
        What it raised.

    Raises
    ------
    ValueError
        If the order of the penalty is too low.
    """
    params, activation, fwd, rng = given
    for order in range(penalty.order + 1, ORDERS.stop):
        try:
            penalty.value_and_grad(params, activation, fwd._replace(jet=activation(fwd.a, order)), rng)
        except Exception:
            continue
        raise ValueError(
            f"penalty {type(penalty).__name__} has order {penalty.order} and reads {PARTS[order]}; "
            f"its order must be {order}"
        ) from error


def check_penalty_result(name: str, result: object, params: Params, x: Array) -> None:
    """Raise ValueError unless a penalty returned (R, PenaltyGrad), with parts that fit W and x.

    Parameters
    ----------
    name : str
        Name of the penalty.
    result : object
        What it returned.
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.

    Raises
    ------
    ValueError
        If the result does not fit.
    """
    who = f"penalty {name}"
    R, grad = pair(who, result, "(R, PenaltyGrad)")
    real(who, R, params.W.dtype)  # an infinite R is a divergence, which `train` reports
    if not isinstance(grad, PenaltyGrad):
        raise ValueError(f"{who} returned {describe_value(grad)} as its gradient; it must be a PenaltyGrad")
    (m, n), N, dtype = params.W.shape, len(x), params.W.dtype
    shapes = {"dR_da": (N, m), "dR_dlen2": (m,), "dR_dy": (N, n), "dR_dW": (m, n)}
    for part, shape in shapes.items():
        if getattr(grad, part) is not None:
            array(who, part, getattr(grad, part), shape, dtype)
    check_factors(who, grad.factors, params)
    check_count(who, grad.n_extrapolated)
