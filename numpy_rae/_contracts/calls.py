"""Checks of how a user's function is called: its arguments, and whether this is its first use."""

import inspect
import weakref
from collections.abc import Callable
from typing import Any


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
