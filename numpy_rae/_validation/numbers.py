"""Checks of real and whole numbers in an interval."""

import math
import numbers

import numpy as np

# A decorator for public functions: a number that is too small for its dtype becomes 0 without an error, whatever the
# user's `np.seterr` says.
tiny_is_zero = np.errstate(under="ignore")
# The numbers that NumPy computes with directly. A Fraction would make an array of objects.
REALS = (int, float, np.integer, np.floating)


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
