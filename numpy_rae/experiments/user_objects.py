"""Load activations and penalties of the user, given on the command line as `mymodule:function`."""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from numpy_rae.activations import Activation
from numpy_rae.penalties import Penalty
from numpy_rae.registry import find_activation


def is_reference(text: str) -> bool:
    """Return whether the text has the form `module:name`.

    Parameters
    ----------
    text : str
        Value of the option.

    Returns
    -------
    bool
        Whether it has a colon.
    """
    return ":" in text


def load_activation(option: str, text: str) -> Activation:
    """Return the activation that `module:name` refers to, where `name` is an `Activation` or a function s_e(a).

    Parameters
    ----------
    option : str
        Name of the option, for messages.
    text : str
        The reference.

    Returns
    -------
    Activation
        The activation. The derivatives of a plain function are computed numerically.

    Raises
    ------
    ValueError
        If the module or the name cannot be loaded, or the object is not an activation.
    """
    found = _load(option, text)
    if not callable(found):
        raise ValueError(f"{option} is {text!r}, a {type(found).__name__}; it must be an Activation or a function")
    return find_activation(found)


def load_penalty(option: str, text: str) -> Penalty:
    """Return the penalty that `module:name` refers to, where `name` is a penalty or a class of penalties.

    Parameters
    ----------
    option : str
        Name of the option, for messages.
    text : str
        The reference.

    Returns
    -------
    Penalty
        The penalty. A class is called without arguments.

    Raises
    ------
    ValueError
        If the module or the name cannot be loaded, or the object is not a penalty.
    """
    found = _load(option, text)
    if isinstance(found, type):
        found = _guarded(option, text, found)
    if not hasattr(found, "value_and_grad"):
        kind = type(found).__name__
        raise ValueError(f"{option} is {text!r}, a {kind}; it must have value_and_grad, as a penalty has")
    penalty: Penalty = found
    return penalty


def _load(option: str, text: str) -> Any:
    module, _, name = text.partition(":")
    if not all(module.split(".")) or not name:
        raise ValueError(f"{option} is {text!r}; it must be a known name, or module:name of your own")
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    loaded = _guarded(option, text, lambda: importlib.import_module(module))
    if not hasattr(loaded, name):
        raise ValueError(f"{option} is {text!r}; module {module} has no {name!r}")
    return getattr(loaded, name)


def _guarded(option: str, text: str, load: Callable[[], Any]) -> Any:
    """Run the user's code and return its result. Raise ValueError with one sentence for any exception."""
    try:
        return load()
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{option} is {text!r}, which cannot be loaded: {type(error).__name__}: {reason}") from error
