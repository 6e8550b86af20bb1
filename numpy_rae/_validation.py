"""Argument checks. Each raises ValueError with one sentence: the argument, its value, and what is allowed."""

import math
import numbers
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array: TypeAlias = NDArray[Any]
DType: TypeAlias = np.dtype[Any]
Value = TypeVar("Value")

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
# Other subclasses of ndarray are refused: np.matrix multiplies differently, and np.ma.MaskedArray hides entries.
ARRAYS = (np.ndarray, np.memmap)
TERMS = 2**20
# A decorator for public functions: a number too small for its dtype becomes 0 without an error, for any of the user's
# `np.seterr` says.
tiny_is_zero = np.errstate(under="ignore")
# The numbers that NumPy computes with directly. A Fraction would make an array of objects.
REALS = (int, float, np.integer, np.floating)


def matrix(name: str, x: Array, columns: int | None = None, squares: bool = False) -> Array:
    """Return x if it is a non-empty finite 2-D float32 or float64 array.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    x : ndarray, shape (N, n)
        Array to check.
    columns : int, optional
        Number of columns that x must have.
    squares : bool
        Whether the entries must be so small that TERMS^2 of their squares can be added without overflow.

    Returns
    -------
    ndarray
        The array itself.

    Raises
    ------
    ValueError
        If x does not fit.
    """
    _array(name, x)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name} has shape {x.shape}; it must be (samples, features), both at least 1")
    if columns is not None and x.shape[1] != columns:
        raise ValueError(f"{name} has {x.shape[1]} columns; it must have {columns}")
    _finite_entries(name, x)
    if squares:
        small(name, x)
    return x


def vector(name: str, v: Array, length: int | None = None) -> Array:
    """Return v if it is a non-empty finite 1-D float32 or float64 array.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    v : ndarray, shape (n,)
        Array to check.
    length : int, optional
        Length that v must have.

    Returns
    -------
    ndarray
        The array itself.

    Raises
    ------
    ValueError
        If v does not fit.
    """
    _array(name, v)
    if v.ndim != 1 or v.size == 0 or (length is not None and len(v) != length):
        wanted = "at least one entry" if length is None else f"{length} entries"
        raise ValueError(f"{name} has shape {v.shape}; it must be one-dimensional with {wanted}")
    _finite_entries(name, v)
    return v


def small(name: str, x: Array) -> Array:
    """Return x if sums of up to TERMS^2 squares of its entries cannot overflow.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    x : ndarray
        Finite float32 or float64 array.

    Returns
    -------
    ndarray
        The array itself.

    Raises
    ------
    ValueError
        If an entry is too large.
    """
    most = float(np.finfo(x.dtype).max) ** 0.5 / TERMS
    peak = max(float(x.max()), -float(x.min()))
    if peak > most:
        raise ValueError(f"{name} has an entry of size {peak:.3g}; it must be at most {most:.3g} in {x.dtype}")
    return x


def no_overflow(name: str, *results: Array | float) -> None:
    """Raise ValueError if a result that was computed from finite data is not finite.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    *results : ndarray or float
        What was computed.

    Raises
    ------
    ValueError
        If a result is NaN or infinite.
    """
    if not all(np.isfinite(result).all() for result in results):
        raise ValueError(f"{name} has entries that are too large; it must be scaled down, because the result overflows")


def pair(params: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return params if it is a tuple of two.

    Parameters
    ----------
    params : tuple
        Object to check.

    Returns
    -------
    tuple
        The tuple itself.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not isinstance(params, tuple) or len(params) != 2:
        raise ValueError(f"params is {_short(params)}; it must be the pair (W, b_e)")
    return params


def encoder(params: tuple[Array, Array], finite: bool = True) -> None:
    """Raise ValueError unless params is (W, b_e), with arrays of one dtype and of shapes (m, n) and (m,).

    Parameters
    ----------
    params : tuple of ndarray
        Object to check.
    finite : bool
        Whether all entries must be finite.

    Raises
    ------
    ValueError
        If `params` does not fit.
    """
    W, b_e = pair(params)
    if finite:
        matrix("W", W)
    else:
        _array("W", W)
        batch("W", W, W.shape[-1] if W.ndim else 1, W.dtype)
    like("b_e", b_e, (len(W),), W.dtype)
    if finite:
        _finite_entries("b_e", b_e)


def pixels(name: str, images: Array, axes: str, ndim: int | None = None) -> Array:
    """Return images if it is a non-empty uint8 array.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    images : ndarray of uint8
        Array to check.
    axes : str
        Expected shape, for the error message.
    ndim : int, optional
        Number of axes. By default at least 2.

    Returns
    -------
    ndarray
        The array itself.

    Raises
    ------
    ValueError
        If the array does not fit.
    """
    fits = type(images) in ARRAYS and images.dtype == np.uint8 and images.size > 0
    if not fits or (images.ndim < 2 if ndim is None else images.ndim != ndim):
        raise ValueError(f"{name} is {describe_array(images)}; it must be a non-empty uint8 array of shape {axes}")
    return images


def batch(name: str, x: Array, columns: int, dtype: DType) -> Array:
    """Return x if it is a non-empty array with these columns and this dtype.

    The entries are not checked: this check runs in every step.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    x : ndarray, shape (N, columns)
        Array to check.
    columns : int
        Number of columns.
    dtype : numpy.dtype
        Data type.

    Returns
    -------
    ndarray
        The array itself.

    Raises
    ------
    ValueError
        If x does not fit.
    """
    if type(x) not in ARRAYS or x.ndim != 2 or x.shape[1] != columns or x.dtype != dtype or not x.size:
        raise ValueError(f"{name} is {describe_array(x)}; it must be a {dtype} array of shape (samples, {columns})")
    return x


def image_shape(name: str, shape: object, n: int) -> tuple[int, ...]:
    """Return the shape as a tuple if it is the shape of an image of n numbers.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    shape : object
        Shape to check.
    n : int
        Number of pixels, times 3 for colours.

    Returns
    -------
    tuple of int
        (height, width) or (3, height, width).

    Raises
    ------
    ValueError
        If it is another shape.
    """
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    whole = all(isinstance(size, numbers.Integral) and int(size) > 0 for size in sizes)
    if not whole or len(sizes) not in (2, 3) or (len(sizes) == 3 and sizes[0] != 3) or math.prod(sizes) != n:
        allowed = f"(height, width) or (3, height, width) with product {n}"
        raise ValueError(f"{name} is {_short(shape)}; it must be {allowed}")
    return tuple(int(size) for size in sizes)


def float_type(name: str, dtype: DTypeLike) -> DType:
    """Return the dtype if it is float32 or float64.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    dtype : type
        Data type, in any form that NumPy accepts.

    Returns
    -------
    numpy.dtype
        The data type.

    Raises
    ------
    ValueError
        If it is another type, or None.
    """
    try:
        found: DType = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if dtype is None or found not in FLOATS:  # NumPy reads None as float64
        raise ValueError(f"{name} is {_short(dtype)}; it must be float32 or float64")
    return found


def instance(name: str, value: object, kind: type[Value]) -> Value:
    """Return value if it is an instance of a class.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    value : object
        Object to check.
    kind : type
        The class.

    Returns
    -------
    object
        The object itself.

    Raises
    ------
    ValueError
        If it is an instance of another class.
    """
    if not isinstance(value, kind):
        raise ValueError(f"{name} is {_short(value)}; it must be a {kind.__module__}.{kind.__qualname__}")
    return value


def function(name: str, value: object) -> Callable[..., Any]:
    """Return value if it can be called.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    value : object
        Object to check.

    Returns
    -------
    callable
        The object itself.

    Raises
    ------
    ValueError
        If it cannot be called.
    """
    if not callable(value):
        raise ValueError(f"{name} is {_short(value)}; it must be a function")
    return value


def _short(value: object) -> str:
    """Return the repr of a value if it is short, else its type."""
    text = repr(value)
    return text if len(text) < 80 and text.isprintable() else f"a {type(value).__name__}"


def _finite_entries(name: str, x: Array) -> None:
    """Raise ValueError if an entry is NaN or infinite."""
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or inf; every entry must be finite")


def _array(name: str, x: Array) -> None:
    """Raise ValueError unless x is a float32 or float64 array."""
    if type(x) not in ARRAYS:
        raise ValueError(f"{name} is a {type(x).__name__}; it must be a NumPy array")
    if x.dtype not in FLOATS:
        raise ValueError(f"{name} has dtype {x.dtype}; it must be float32 or float64")


def like(name: str, x: Array, shape: tuple[int, ...], dtype: DType) -> Array:
    """Return x if its shape and dtype are exactly these.

    NumPy would convert a mixture of dtypes silently.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    x : ndarray
        Array to check.
    shape : tuple of int
        Shape.
    dtype : numpy.dtype
        Data type.

    Returns
    -------
    ndarray
        The array itself.

    Raises
    ------
    ValueError
        If x does not fit.
    """
    if type(x) not in ARRAYS or x.shape != shape or x.dtype != dtype:
        raise ValueError(f"{name} is {describe_array(x)}; it must be a {dtype} array of shape {shape}")
    return x


def generator(model: str, rng: np.random.Generator | None) -> np.random.Generator:
    """Return rng if it is a generator, for a model that draws noise.

    Parameters
    ----------
    model : str
        Name of the model in the error message.
    rng : numpy.random.Generator or None
        Object to check.

    Returns
    -------
    numpy.random.Generator
        The generator itself.

    Raises
    ------
    ValueError
        If it is None or anything else.
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng is {_short(rng)}; {model} with sigma2 > 0 draws noise and needs a numpy.random.Generator"
        )
    return rng


def describe_array(x: object) -> str:
    """Return the dtype and shape of an array, or the type of another object.

    Parameters
    ----------
    x : object
        Object to describe.

    Returns
    -------
    str
        The description, for an error message.
    """
    return f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) and type(x) in ARRAYS else type(x).__name__


def number(name: str, value: float, low: float = 0.0, high: float = math.inf, open_low: bool = False) -> float:
    """Return value if it is a finite real number in an interval.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    value : float
        Number to check. Python's and NumPy's integers and floats are allowed.
    low : float
        Lower end.
    high : float
        Upper end, which is allowed.
    open_low : bool
        Whether the lower end is excluded.

    Returns
    -------
    float
        The number itself.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    real = isinstance(value, REALS) and not isinstance(value, bool)
    if not real or not _finite(value) or not low <= float(value) <= high or (open_low and value == low):
        bracket = "(" if open_low else "["
        raise ValueError(f"{name} is {value!r}; it must be a number in {bracket}{low:g}, {high:g}]")
    return value


def _finite(value: float) -> bool:
    """Say whether a number fits a float and is finite."""
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer too large for a float
        return False


def integer(name: str, value: int, low: int = 1) -> int:
    """Return value if it is a whole number of at least `low`.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    value : int
        Number to check. NumPy's integers are allowed.
    low : int
        Lower end.

    Returns
    -------
    int
        The number itself.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < low:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {low}")
    return value


def version(name: str, value: int | str | None) -> int | str | None:
    """Return value if it is an int, a string or None.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    value : int, str or None
        Object to check.

    Returns
    -------
    int, str or None
        The object itself.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise ValueError(f"{name} is {_short(value)}; it must be an int, a string or None")
    return value


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """Return value if it is one of the known names.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    value : str
        Name to check.
    known : iterable of str
        The names that are allowed. The error message lists them.

    Returns
    -------
    str
        The name itself.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(known)}")
    return value


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` with a leading `~` or `~user` replaced by the home folder.

    Parameters
    ----------
    path : str or os.PathLike
        A path as a user wrote it.

    Returns
    -------
    pathlib.Path
        The path without `~`. It can be relative.

    Raises
    ------
    ValueError
        If that home folder is unknown.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"path is {str(path)!r}; its home folder is unknown, so write the full path") from None
