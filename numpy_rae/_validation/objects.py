"""Checks of the kind of an object: an instance of a class, a function, a random generator."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Value = TypeVar("Value")


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
        raise ValueError(f"{name} is {short(value)}; it must be a {kind.__module__}.{kind.__qualname__}")
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
        raise ValueError(f"{name} is {short(value)}; it must be a function")
    return value


def short(value: object) -> str:
    """Return the text of a value for an error message.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    str
        Its repr if it is short and printable, else its type.
    """
    text = repr(value)
    return text if len(text) < 80 and text.isprintable() else f"a {type(value).__name__}"


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
        raise ValueError(f"rng is {short(rng)}; {model} with sigma2 > 0 draws noise and needs a numpy.random.Generator")
    return rng
