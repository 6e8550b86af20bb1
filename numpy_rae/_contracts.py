"""Checks of what a user's activation, penalty or objective returns, at its first use.

Each check raises ValueError with one sentence that names the object, what it returned and what is expected.
"""

import inspect
import numbers
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array, DType
from numpy_rae.activations import Activation, Jet
from numpy_rae.autoencoder import Forward, Gradient, Params, PenaltyGrad
from numpy_rae.penalties import Penalty

ORDERS = range(1, 4)
FLOAT64 = np.dtype(np.float64)
PARTS = ("h", "h'", "h''", "h'''")


class FirstUse:
    """Record of which objects were used together.

    Objects count by identity. They are neither kept alive nor changed.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[int, ...], list[weakref.ref[Any]]] = {}

    def __call__(self, *things: object) -> bool:
        """Return whether these objects were not yet marked together."""
        return tuple(map(id, things)) not in self.known

    def mark(self, *things: object) -> None:
        """Store that these objects were used together, until one of them is deleted.

        Parameters
        ----------
        *things : object
            The objects.
        """
        key = tuple(map(id, things))
        self.known[key] = [weakref.ref(thing, lambda _: self.known.pop(key, None)) for thing in things]


def pair(name: str, result: object, wanted: str) -> tuple[Any, Any]:
    """Return a result if it is a tuple of two.

    Parameters
    ----------
    name : str
        Description of the object for the error message.
    result : object
        Object to check.
    wanted : str
        Expected pair, for the error message.

    Returns
    -------
    tuple
        The pair.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not isinstance(result, tuple) or len(result) != 2:
        found = f"a tuple of {len(result)}" if isinstance(result, tuple) else _described(result)
        raise ValueError(f"{name} returned {found}; it must return the pair {wanted}")
    return result


def real(name: str, value: object, dtype: DType = FLOAT64) -> float:
    """Return a value as a float if it is one real number.

    Parameters
    ----------
    name : str
        Description of the object for the error message.
    value : object
        Object to check.
    dtype : numpy.dtype
        Least precision of a NumPy number.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ValueError
        If it is anything else, or less precise.
    """
    number = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if not isinstance(number, _validation.REALS) or isinstance(number, bool):
        raise ValueError(
            f"{name} returned {_described(value)} as its value; it must be one real number, such as a float"
        )
    if isinstance(number, np.floating) and number.dtype.itemsize < dtype.itemsize:
        raise ValueError(f"{name} returned a value in {number.dtype}; it must be computed in {dtype}")
    return float(number)


def array(name: str, part: str, value: object, shape: tuple[int, ...], dtype: DType) -> Array:
    """Return a value if it is an array of exactly this shape and dtype.

    Parameters
    ----------
    name : str
        Description of the object for the error message.
    part : str
        Name of the array in the result.
    value : object
        Object to check.
    shape : tuple of int
        Shape.
    dtype : numpy.dtype
        Data type.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    known = type(value) in _validation.ARRAYS
    if not isinstance(value, np.ndarray) or not known or value.shape != shape or value.dtype != dtype:
        raise ValueError(f"{name} returned {_described(value)} as {part}; it must be a {dtype} array of shape {shape}")
    return value


def check_jet(name: str, jet: object, a: Array, order: int) -> None:
    """Raise ValueError unless a jet has h and its derivatives up to an order, with the shape and dtype of a.

    Parameters
    ----------
    name : str
        Name of the activation.
    jet : object
        Object to check.
    a : ndarray, shape (N, m)
        Pre-activations.
    order : int
        Highest derivative.

    Raises
    ------
    ValueError
        If the jet does not fit.
    """
    if not isinstance(jet, Jet):
        raise ValueError(f"activation {name} returned {_described(jet)}; it must return a numpy_rae.activations.Jet")
    for part, value in list(zip(Jet._fields, jet, strict=True))[: order + 1]:
        array(f"activation {name}", f"{part} at order {order}", value, a.shape, a.dtype)


def check_activation(activation: Activation, a: Array) -> None:
    """Raise ValueError unless an activation returns h and h' and leaves its argument unchanged.

    Parameters
    ----------
    activation : Activation
        Encoder activation s_e.
    a : ndarray, shape (N, m)
        Pre-activations.

    Raises
    ------
    ValueError
        If the activation does anything else.
    """
    who, before = f"activation {activation.name}", a.copy()
    check_arguments(who, activation.jet, "jet(a, order)", a, 1)
    check_jet(activation.name, activation(a, 1), a, 1)
    if not np.array_equal(a, before, equal_nan=True):
        raise ValueError(f"{who} writes into its argument; it must leave the pre-activations as they are")


def check_arguments(who: str, function: Callable[..., Any], wanted: str, *given: object) -> None:
    """Raise ValueError if a function cannot be called with these arguments.

    Parameters
    ----------
    who : str
        Description of the object for the error message.
    function : callable
        Function to check.
    wanted : str
        Expected call, for the error message.
    *given : object
        The arguments.

    Raises
    ------
    ValueError
        If the signature does not fit.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function in C may have no signature
        return
    try:
        signature.bind(*given)
    except TypeError:
        raise ValueError(f"{who} takes the arguments {signature}; it must take {wanted}") from None


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
        raise ValueError(f"{who} returned {_described(grad)} as its gradient; it must be a PenaltyGrad")
    (m, n), N, dtype = params.W.shape, len(x), params.W.dtype
    shapes = {"dR_da": (N, m), "dR_dlen2": (m,), "dR_dy": (N, n), "dR_dW": (m, n)}
    for part, shape in shapes.items():
        if getattr(grad, part) is not None:
            array(who, part, getattr(grad, part), shape, dtype)
    check_factors(who, grad.factors, params)
    check_count(who, grad.n_extrapolated)


def check_gradient(name: str, grad: object, params: Params) -> None:
    """Raise ValueError unless `grad` is a Gradient whose parts fit W.

    Parameters
    ----------
    name : str
        Description of the object for the error message.
    grad : object
        Object to check.
    params : Params
        W, shape (m, n), and b_e, shape (m,).

    Raises
    ------
    ValueError
        If a part does not fit.
    """
    if not isinstance(grad, Gradient):
        raise ValueError(f"{name} returned {_described(grad)} as its gradient; it must be a Gradient")
    (m, n), dtype = params.W.shape, params.W.dtype
    array(name, "g_b_e", grad.g_b_e, (m,), dtype)
    for part, shape in {"row_scale": (m,), "dense_part": (m, n)}.items():
        if getattr(grad, part) is not None:
            array(name, part, getattr(grad, part), shape, dtype)
    check_factors(name, grad.factors, params)
    check_count(name, grad.n_extrapolated)


def check_factors(name: str, factors: object, params: Params) -> None:
    """Raise ValueError unless `factors` are pairs (left, right) of shapes (k, m) and (k, n).

    Parameters
    ----------
    name : str
        Description of the object for the error message.
    factors : object
        Object to check.
    params : Params
        W, shape (m, n), and b_e, shape (m,).

    Raises
    ------
    ValueError
        If a pair does not fit.
    """
    if not isinstance(factors, (tuple, list)):
        raise ValueError(f"{name} returned {_described(factors)} as factors; it must be a tuple of pairs (left, right)")
    (m, n), dtype = params.W.shape, params.W.dtype
    for each in factors:
        left, right = pair(f"{name}, in factors,", each, "(left, right)")
        k = len(left) if isinstance(left, np.ndarray) and left.ndim else 1
        array(name, "the left one of a pair of factors", left, (k, m), dtype)
        array(name, "the right one of a pair of factors", right, (k, n), dtype)


def check_count(name: str, count: object) -> None:
    """Raise ValueError unless `n_extrapolated` is a whole number.

    Parameters
    ----------
    name : str
        Description of the object for the error message.
    count : object
        Object to check.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool):
        raise ValueError(f"{name} returned {_described(count)} as n_extrapolated; it must be a whole number")


def _described(value: object) -> str:
    """Describe what was returned: dtype and shape of an array, a short value, else the type."""
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype} {value.shape} ({type(value).__name__})"
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        return repr(value) if len(repr(value)) < 60 else f"a {type(value).__name__}"
    return f"a {type(value).__name__}"
