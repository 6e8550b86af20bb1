"""Checks of what an activation returns: a jet with the derivatives that were asked for."""

import numpy as np

from numpy_rae._contracts.calls import check_arguments
from numpy_rae._contracts.returned import array, describe_value
from numpy_rae._validation import Array
from numpy_rae.activations import Activation, Jet

ORDERS = range(1, 4)


def check_jet(name: str, jet: object, a: Array, order: int) -> None:
    """Raise ValueError unless a jet has h and its derivatives up to an order, with the shape and dtype of a.

    Parameters
    ----------
    name : str
        Name of the activation.
    jet : object
        Object to check.
    a : ndarray, shape (N, m)
        Pre-activations.
    order : int
        Highest derivative.

    Raises
    ------
    ValueError
        If the jet does not fit.
    """
    if not isinstance(jet, Jet):
        raise ValueError(
            f"activation {name} returned {describe_value(jet)}; it must return a numpy_rae.activations.Jet"
        )
    for part, value in list(zip(Jet._fields, jet, strict=True))[: order + 1]:
        array(f"activation {name}", f"{part} at order {order}", value, a.shape, a.dtype)


def check_activation(activation: Activation, a: Array) -> None:
    """Raise ValueError unless an activation returns h and h' and leaves its argument unchanged.

    Parameters
    ----------
    activation : Activation
        Encoder activation s_e.
    a : ndarray, shape (N, m)
        Pre-activations.

    Raises
    ------
    ValueError
        If the activation does anything else.
    """
    who, before = f"activation {activation.name}", a.copy()
    check_arguments(who, activation.jet, "jet(a, order)", a, 1)
    check_jet(activation.name, activation(a, 1), a, 1)
    if not np.array_equal(a, before, equal_nan=True):
        raise ValueError(f"{who} writes into its argument; it must leave the pre-activations as they are")
