"""Argument checks: each raises ValueError with one sentence that names the argument, what it was and what it may be."""

import math
import numbers
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
# Of the subclasses, matrix has another product and MaskedArray entries that do not count.
ARRAYS = (np.ndarray, np.memmap)
TERMS = 2**20
# A decorator for public functions: a number too small for its dtype is 0 with us, whatever `np.seterr` the user chose.
tiny_is_zero = np.errstate(under="ignore")
# What NumPy computes with as it stands: a Fraction would make arrays of objects.
REALS = (int, float, np.integer, np.floating)


def matrix(name: str, x: np.ndarray, columns: int | None = None, squares: bool = False) -> np.ndarray:
    """Return `x` if it is a non-empty 2-D float32 or float64 array without NaN or inf.

    With `squares` its entries must be so small that TERMS^2 of their squares can be added up.
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


def vector(name: str, v: np.ndarray, length: int | None = None) -> np.ndarray:
    """Return `v` if it is a non-empty 1-D float32 or float64 array without NaN or inf, of this length if given."""
    _array(name, v)
    if v.ndim != 1 or v.size == 0 or (length is not None and len(v) != length):
        wanted = "at least one entry" if length is None else f"{length} entries"
        raise ValueError(f"{name} has shape {v.shape}; it must be one-dimensional with {wanted}")
    _finite_entries(name, v)
    return v


def small(name: str, x: np.ndarray) -> np.ndarray:
    """Return `x` if sums of its squares cannot overflow, see `matrix`."""
    most = float(np.finfo(x.dtype).max) ** 0.5 / TERMS
    peak = max(float(x.max()), -float(x.min()))
    if peak > most:
        raise ValueError(f"{name} has an entry of size {peak:.3g}; it must be at most {most:.3g} in {x.dtype}")
    return x


def no_overflow(name: str, *results: np.ndarray | float) -> None:
    """Refuse `name`, which is finite, if what was computed of it is not."""
    if not all(np.isfinite(result).all() for result in results):
        raise ValueError(f"{name} has entries that are too large; it must be scaled down, for the result overflows")


def pair(params: tuple) -> tuple:
    """Return `params` if it is a pair."""
    if not isinstance(params, tuple) or len(params) != 2:
        raise ValueError(f"params is {_short(params)}; it must be the pair (W, b_e)")
    return params


def encoder(params: tuple[np.ndarray, np.ndarray], finite: bool = True) -> None:
    """Refuse anything but (W, b_e): a finite matrix (m, n), and a finite array (m,) of its dtype."""
    W, b_e = pair(params)
    if finite:
        matrix("W", W)
    else:
        _array("W", W)
        batch("W", W, W.shape[-1] if W.ndim else 1, W.dtype)
    like("b_e", b_e, (len(W),), W.dtype)
    if finite:
        _finite_entries("b_e", b_e)


def pixels(name: str, images: np.ndarray, axes: str, ndim: int | None = None) -> np.ndarray:
    """Return `images` if it is a non-empty uint8 array with `ndim` axes, of at least 2 if that is None."""
    fits = type(images) in ARRAYS and images.dtype == np.uint8 and images.size > 0
    if not fits or (images.ndim < 2 if ndim is None else images.ndim != ndim):
        raise ValueError(f"{name} is {describe_array(images)}; it must be a non-empty uint8 array of shape {axes}")
    return images


def batch(name: str, x: np.ndarray, columns: int, dtype: np.dtype) -> np.ndarray:
    """Return `x` if it is a non-empty (N, columns) array of this dtype; its entries are not looked at."""
    if type(x) not in ARRAYS or x.ndim != 2 or x.shape[1] != columns or x.dtype != dtype or not x.size:
        raise ValueError(f"{name} is {describe_array(x)}; it must be a {dtype} array of shape (samples, {columns})")
    return x


def image_shape(name: str, shape: object, n: int) -> tuple[int, ...]:
    """Return `shape` as a tuple if it is (height, width) or (3, height, width) of an image of n numbers."""
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    whole = all(isinstance(size, numbers.Integral) and size > 0 for size in sizes)
    if not whole or len(sizes) not in (2, 3) or (len(sizes) == 3 and sizes[0] != 3) or math.prod(sizes) != n:
        raise ValueError(f"{name} is {_short(shape)}; it must be (height, width) or (3, height, width) with product {n}")
    return tuple(int(size) for size in sizes)


def float_type(name: str, dtype: type) -> np.dtype:
    """The dtype, if it is float32 or float64."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if dtype is None or found not in FLOATS:  # to NumPy None is float64
        raise ValueError(f"{name} is {_short(dtype)}; it must be float32 or float64")
    return found


def instance(name: str, value: object, kind: type) -> object:
    """Return `value` if it is of this kind."""
    if not isinstance(value, kind):
        raise ValueError(f"{name} is {_short(value)}; it must be a {kind.__module__}.{kind.__qualname__}")
    return value


def function(name: str, value: object) -> object:
    """Return `value` if it can be called."""
    if not callable(value):
        raise ValueError(f"{name} is {_short(value)}; it must be a function")
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 and text.isprintable() else f"a {type(value).__name__}"


def _finite_entries(name: str, x: np.ndarray) -> None:
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or inf; every entry must be finite")


def _array(name: str, x: np.ndarray) -> None:
    if type(x) not in ARRAYS:
        raise ValueError(f"{name} is a {type(x).__name__}; it must be a NumPy array")
    if x.dtype not in FLOATS:
        raise ValueError(f"{name} has dtype {x.dtype}; it must be float32 or float64")


def like(name: str, x: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return `x` if shape and dtype are exactly these: a mixture would upcast silently."""
    if type(x) not in ARRAYS or x.shape != shape or x.dtype != dtype:
        raise ValueError(f"{name} is {describe_array(x)}; it must be a {dtype} array of shape {shape}")
    return x


def describe_array(x: object) -> str:
    """An array's dtype and shape, another object's type."""
    return f"{x.dtype} {x.shape}" if type(x) in ARRAYS else type(x).__name__


def number(name: str, value: float, low: float = 0.0, high: float = math.inf, open_low: bool = False) -> float:
    """Return `value` if it is a finite real number in [low, high], or in (low, high] when `open_low`."""
    real = isinstance(value, REALS) and not isinstance(value, bool)
    if not real or not _finite(value) or not low <= float(value) <= high or (open_low and value == low):
        bracket = "(" if open_low else "["
        raise ValueError(f"{name} is {value!r}; it must be a number in {bracket}{low:g}, {high:g}]")
    return value


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


def integer(name: str, value: int, low: int = 1) -> int:
    """Return `value` if it is an integer of at least `low`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < low:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {low}")
    return value


def version(name: str, value: int | str | None) -> int | str | None:
    """Return `value` if it is an int, a string or None."""
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise ValueError(f"{name} is {_short(value)}; it must be an int, a string or None")
    return value


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """Return `value` if it is one of `known`; the message lists them."""
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(known)}")
    return value


def user_path(path: str | os.PathLike) -> Path:
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
