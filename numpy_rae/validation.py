"""Argument checks: each raises ValueError with one sentence that names the argument, what it was and what it may be."""

import math
import numbers
from collections.abc import Iterable

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def matrix(name: str, x: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Return `x` if it is a non-empty 2-D float32 or float64 array without NaN or inf."""
    _array(name, x)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name} has shape {x.shape}; it must be (samples, features), both at least 1")
    if columns is not None and x.shape[1] != columns:
        raise ValueError(f"{name} has {x.shape[1]} columns; it must have {columns}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or inf; every entry must be finite")
    return x


def _array(name: str, x: np.ndarray) -> None:
    if not isinstance(x, np.ndarray):
        raise ValueError(f"{name} is a {type(x).__name__}; it must be a NumPy array")
    if x.dtype not in FLOATS:
        raise ValueError(f"{name} has dtype {x.dtype}; it must be float32 or float64")


def like(name: str, x: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return `x` if shape and dtype are exactly these: a mixture would upcast silently."""
    if not isinstance(x, np.ndarray) or x.shape != shape or x.dtype != dtype:
        seen = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"{name} is {seen}; it must be a {dtype} array of shape {shape}")
    return x


def number(name: str, value: float, low: float = 0.0, high: float = math.inf, open_low: bool = False) -> float:
    """Return `value` if it is a finite real number in [low, high], or in (low, high] when `open_low`."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not _finite(value) or not low <= value <= high or (open_low and value == low):
        bracket = "(" if open_low else "["
        raise ValueError(f"{name} is {value!r}; it must be a number in {bracket}{low:g}, {high:g}]")
    return value


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


def whole(name: str, value: int, low: int = 1) -> int:
    """Return `value` if it is an integer of at least `low`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < low:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {low}")
    return value


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """Return `value` if it is one of `known`; the message lists them."""
    known = list(known)
    if value not in known:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(known)}")
    return value
