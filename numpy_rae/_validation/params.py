"""Checks of an encoder's parameters, the pair (W, b_e)."""

from typing import Any

from numpy_rae._validation.arrays import Array, _array, _finite_entries, batch, like, matrix
from numpy_rae._validation.objects import short


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
        raise ValueError(f"params is {short(params)}; it must be the pair (W, b_e)")
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
