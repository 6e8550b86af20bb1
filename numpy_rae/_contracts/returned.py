"""Checks of one returned value: a number, an array, a pair, a `Gradient`."""

from typing import Any

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array, DType
from numpy_rae.autoencoder import Gradient, Params

FLOAT64 = np.dtype(np.float64)


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
        found = f"a tuple of {len(result)}" if isinstance(result, tuple) else describe_value(result)
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
            f"{name} returned {describe_value(value)} as its value; it must be one real number, such as a float"
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
        raise ValueError(
            f"{name} returned {describe_value(value)} as {part}; it must be a {dtype} array of shape {shape}"
        )
    return value


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
        raise ValueError(f"{name} returned {describe_value(grad)} as its gradient; it must be a Gradient")
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
        raise ValueError(
            f"{name} returned {describe_value(factors)} as factors; it must be a tuple of pairs (left, right)"
        )
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
        raise ValueError(f"{name} returned {describe_value(count)} as n_extrapolated; it must be a whole number")


def describe_value(value: object) -> str:
    """Describe a value that a user's function returned, for an error message.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    str
        Dtype and shape of an array, the repr of a short value, else the type.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype} {value.shape} ({type(value).__name__})"
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        return repr(value) if len(repr(value)) < 60 else f"a {type(value).__name__}"
    return f"a {type(value).__name__}"
