"""Checks of data matrices, vectors and batches: shape, dtype, and entries that are finite and not too large."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from numpy_rae._validation.objects import short

Array: TypeAlias = NDArray[Any]
DType: TypeAlias = np.dtype[Any]
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
# Other subclasses of ndarray are refused: np.matrix multiplies differently, and np.ma.MaskedArray hides entries.
ARRAYS = (np.ndarray, np.memmap)
TERMS = 2**20


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
        raise ValueError(f"{name} is {short(dtype)}; it must be float32 or float64")
    return found


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
