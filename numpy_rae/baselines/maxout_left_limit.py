"""The limit of Maxout on the left, where Sec. 2.1.2 requires 0, and a unit whose limit is infinite."""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.baselines.maxout import MaxoutParams, check


class Witness(NamedTuple):
    """Hold a Maxout layer whose limit on the left is not 0.

    Attributes
    ----------
    params : MaxoutParams
        The layer.
    direction : ndarray, shape (n,)
        A direction.
    limit : ndarray, shape (m,)
        The limit of h at x = t direction as t goes to -infinity.
    """

    params: MaxoutParams
    direction: Array
    limit: Array


@_validation.tiny_is_zero
def left_limit(params: MaxoutParams, direction: Array) -> Array:
    """Compute the limit of h at x = t direction as t goes to -infinity. Sec. 2.1.2 requires the limit 0.

    Parameters
    ----------
    params : MaxoutParams
        W, shape (m, k, n), and b_e, shape (m, k).
    direction : ndarray, shape (n,)
        The direction, of the dtype of W.

    Returns
    -------
    ndarray, shape (m,)
        The limits, which can be infinite.

    Raises
    ------
    ValueError
        If `direction` does not fit W, or one of both is not finite.

    Notes
    -----
    On this line piece p is t slope_p + b_p with slope_p = W_p . direction. Far on the left, the largest piece is the
    one with the smallest slope:

        min slope < 0: +inf        min slope > 0: -inf        min slope = 0: the largest b_e of the pieces that have it
    """
    check(params)
    _validation.vector("direction", _validation.like("direction", direction, params.W.shape[2:], params.W.dtype))
    _validation.no_overflow("params", *params)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = params.W @ direction  # (m, k)
    _validation.no_overflow("W or direction", slope)
    flat = np.where(slope == 0, params.b_e, -np.inf).max(axis=1)  # (m,)
    least = slope.min(axis=1)  # (m,)
    limit: Array = np.where(least == 0, flat, np.copysign(np.inf, -least)).astype(params.W.dtype)
    return limit


@_validation.tiny_is_zero
def witness(dtype: DTypeLike = np.float64) -> Witness:
    """Return one unit with the pieces a and -a: h = |a| grows without bound on the left, where Thm 2 needs 0.

    Parameters
    ----------
    dtype : type
        The dtype of the parameters, float32 or float64.

    Returns
    -------
    Witness
        The layer, the direction and the limit.

    Raises
    ------
    ValueError
        If the dtype is another.
    """
    dtype = _validation.float_type("dtype", dtype)
    params = MaxoutParams(np.array([[[1], [-1]]], dtype), np.zeros((1, 2), dtype))
    direction: Array = np.ones(1, dtype)
    return Witness(params, direction, left_limit(params, direction))
