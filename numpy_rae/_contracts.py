"""What a user's activation, penalty and objective must return, checked at their first use.

Each check raises ValueError with one sentence that names the user's object, what it returned and what is expected. The
package's own objects are not checked again in training: the tests do that.
"""

import inspect
import numbers
import weakref
from collections.abc import Callable

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation, Jet
from numpy_rae.autoencoder import Forward, Gradient, Params, PenaltyGrad

ORDERS = range(1, 4)
PARTS = ("h", "h'", "h''", "h'''")


class FirstUse:
    """Remembers which objects were used together, by identity and without keeping them alive or changing them."""

    def __init__(self):
        self.known: dict[tuple[int, ...], list[weakref.ref]] = {}

    def __call__(self, *things: object) -> bool:
        """Whether these objects were not yet marked together."""
        return tuple(map(id, things)) not in self.known

    def mark(self, *things: object) -> None:
        """Remember these objects until one of them is deleted."""
        key = tuple(map(id, things))
        self.known[key] = [weakref.ref(thing, lambda _: self.known.pop(key, None)) for thing in things]


def pair(name: str, result: object, wanted: str) -> tuple:
    """Return `result` if it is a tuple of two."""
    if not isinstance(result, tuple) or len(result) != 2:
        found = f"a tuple of {len(result)}" if isinstance(result, tuple) else _described(result)
        raise ValueError(f"{name} returned {found}; it must return the pair {wanted}")
    return result


def real(name: str, value: object, dtype: np.dtype = np.dtype(np.float64)) -> float:
    """Return `value` as a float if it is one real number, of at least the precision of `dtype`."""
    number = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if not isinstance(number, _validation.REALS) or isinstance(number, bool):
        raise ValueError(f"{name} returned {_described(value)} as its value; it must be one real number, such as a float")
    if isinstance(number, np.floating) and number.dtype.itemsize < dtype.itemsize:
        raise ValueError(f"{name} returned a value in {number.dtype}; it must be computed in {dtype}")
    return float(number)


def array(name: str, part: str, value: object, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return `value` if it is an array of exactly this shape and dtype."""
    if type(value) not in _validation.ARRAYS or value.shape != shape or value.dtype != dtype:
        raise ValueError(f"{name} returned {_described(value)} as {part}; it must be a {dtype} array of shape {shape}")
    return value


def check_jet(name: str, jet: object, a: np.ndarray, order: int) -> None:
    """Raise ValueError unless `jet` has h and its derivatives up to `order`, each like a (N, m)."""
    if not isinstance(jet, Jet):
        raise ValueError(f"activation {name} returned {_described(jet)}; it must return a numpy_rae.activations.Jet")
    for part, value in list(zip(Jet._fields, jet, strict=True))[: order + 1]:
        array(f"activation {name}", f"{part} at order {order}", value, a.shape, a.dtype)


def check_activation(activation: Activation, a: np.ndarray) -> None:
    """Raise ValueError unless the jet of order 1 at `a` (N, m) has h and h' like a, and a is left as it was."""
    who, before = f"activation {activation.name}", a.copy()
    check_arguments(who, activation.jet, "jet(a, order)", a, 1)
    check_jet(activation.name, activation(a, 1), a, 1)
    if not np.array_equal(a, before, equal_nan=True):
        raise ValueError(f"{who} writes into its argument; it must leave the pre-activations as they are")


def check_arguments(who: str, function: Callable, wanted: str, *given: object) -> None:
    """Raise ValueError if `function` cannot be called with these arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function in C may have no signature
        return
    try:
        signature.bind(*given)
    except TypeError:
        raise ValueError(f"{who} takes the arguments {signature}; it must take {wanted}") from None


def check_penalty(penalty: object) -> None:
    """Raise ValueError for an object without `order` and `value_and_grad`."""
    if isinstance(penalty, type):
        raise ValueError(f"penalty is the class {penalty.__name__}; it must be an instance, such as {penalty.__name__}()")
    name, order = type(penalty).__name__, getattr(penalty, "order", None)
    if not callable(getattr(penalty, "value_and_grad", None)):
        raise ValueError(f"penalty is a {name}; it must have an order and a method value_and_grad")
    if not isinstance(order, numbers.Integral) or isinstance(order, bool) or order not in ORDERS:
        found = "no order" if order is None else f"the order {order!r}"
        raise ValueError(f"penalty {name} has {found}; it must be 1, 2 or 3, as many derivatives of s_e as it reads")


def first_penalty_call(
    penalty: object, params: Params, activation: Activation, fwd: Forward, rng: np.random.Generator | None
) -> tuple[float, PenaltyGrad]:
    """`penalty.value_and_grad`, with a sentence for what is wrong with it or with the activation's jet."""
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


def explain_order(penalty: object, given: tuple, error: Exception) -> None:
    """Raise ValueError if the penalty fails at its own order and works at a higher one."""
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
    model: Callable, params: Params, activation: Activation, x: np.ndarray, sigma2: float, rng: np.random.Generator
) -> tuple[float, Gradient]:
    """Call the model, with a sentence for what is wrong with it or with the activation's jet."""
    a = x @ params.W.T + params.b_e
    check_activation(activation, a)
    try:
        result = model(params, activation, x, sigma2, rng)
    except (TypeError, AttributeError):
        for order in ORDERS:  # A missing derivative is the likely cause.
            check_jet(activation.name, activation(a, order), a, order)
        raise
    check_objective(model, result, params)
    return result


def check_objective(model: Callable, result: object, params: Params) -> None:
    """Raise ValueError unless `result` of a model is (J, Gradient) with parts that fit W (m, n)."""
    who = f"model {getattr(model, 'name', None) or getattr(model, '__name__', type(model).__name__)}"
    J, grad = pair(who, result, "(J, Gradient)")
    real(who, J, params.W.dtype)
    check_gradient(who, grad, params)


def check_penalty_result(name: str, result: object, params: Params, x: np.ndarray) -> None:
    """Raise ValueError unless `result` is (R, PenaltyGrad) with parts that fit W (m, n) and x (N, n)."""
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
    """Raise ValueError unless `grad` is a Gradient whose parts fit W (m, n)."""
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
    """Raise ValueError unless `factors` are pairs (left (k, m), right (k, n))."""
    if not isinstance(factors, (tuple, list)):
        raise ValueError(f"{name} returned {_described(factors)} as factors; it must be a tuple of pairs (left, right)")
    (m, n), dtype = params.W.shape, params.W.dtype
    for each in factors:
        left, right = pair(f"{name}, in factors,", each, "(left, right)")
        k = len(left) if isinstance(left, np.ndarray) and left.ndim else 1
        array(name, "the left one of a pair of factors", left, (k, m), dtype)
        array(name, "the right one of a pair of factors", right, (k, n), dtype)


def check_count(name: str, count: object) -> None:
    """Raise ValueError unless `n_extrapolated` is a count."""
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool):
        raise ValueError(f"{name} returned {_described(count)} as n_extrapolated; it must be a whole number")


def _described(value: object) -> str:
    """What was returned, in a few words: dtype and shape of an array, a short value, else the type."""
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype} {value.shape} ({type(value).__name__})"
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        return repr(value) if len(repr(value)) < 60 else f"a {type(value).__name__}"
    return f"a {type(value).__name__}"
