"""Rules for the part of the velocity along the rows of W. They show how that part acts.

A step is v <- momentum v - eta g, W <- W + v, then the constraint on the rows. Write u_j = W_j / ||W_j|| for the
direction of row j before the step, and v_j = t_j + c_j u_j with t_j orthogonal to u_j. On unit rows only the direction
matters, yet the radial part c_j acts on it in two ways:

- length: W_j + v_j has length about 1 + c_j before the constraint, which divides by it. If c_j < 0 the row shrinks and
  is stretched back, so t_j turns it by a larger angle.
- turn: after the step the row points along u'_j. The velocity keeps c_j u_j, which is no longer radial for u'_j.

The rules remove one way, both, or the radial part itself. With both removed, c_j has no effect on any direction.
"""

from collections.abc import Callable

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.constraints import Constraint
from numpy_rae.optimizer import sgd_step
from numpy_rae.row_norms import fast_directions, row_len2


def radial_part(velocity: Params, u: Array) -> Array:
    """Compute c_j = v_j . u_j.

    Parameters
    ----------
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    u : ndarray, shape (m, n)
        Directions of the rows of W.

    Returns
    -------
    ndarray, shape (m, 1)
        The radial parts, as a column.
    """
    c: Array = np.einsum("ji,ji->j", velocity.W, u)[:, None]
    return c


def projected(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> Array:
    """Take one step of `sgd_step`, then remove the part of the velocity along the new rows, in place.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    momentum : float
        Factor of the previous velocity.
    constraint : callable or None
        Function from squared row lengths, shape (m,), to one factor per row. None leaves the rows as they are.

    Returns
    -------
    ndarray, shape (m,)
        Squared row lengths of W after the step.

    Raises
    ------
    ValueError
        If an array is read-only, not aligned, or not in the native byte order, or if the velocity of W is not
        contiguous.
    """
    len2 = sgd_step(params, velocity, grad, eta, momentum, constraint)
    u = fast_directions(params.W)
    velocity.W[...] -= radial_part(velocity, u) * u
    return len2


def no_length(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> Array:
    """Take one step with W <- W + t instead of W <- W + v, in place.

    The radial part stays in the velocity but does not change W.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    momentum : float
        Factor of the previous velocity.
    constraint : callable or None
        Function from squared row lengths, shape (m,), to one factor per row. None leaves the rows as they are.

    Returns
    -------
    ndarray, shape (m,)
        Squared row lengths of W after the step.

    Raises
    ------
    ValueError
        If an array is read-only, not aligned, or not in the native byte order, or if the velocity of W is not
        contiguous.
    """
    return split_step(params, velocity, grad, eta, momentum, constraint, length=False, turn=True)


def no_turn(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> Array:
    """Take one step of `sgd_step`, then set v <- t + c u', in place.

    The radial part turns with the row, so it stays radial.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    momentum : float
        Factor of the previous velocity.
    constraint : callable or None
        Function from squared row lengths, shape (m,), to one factor per row. None leaves the rows as they are.

    Returns
    -------
    ndarray, shape (m,)
        Squared row lengths of W after the step.

    Raises
    ------
    ValueError
        If an array is read-only, not aligned, or not in the native byte order, or if the velocity of W is not
        contiguous.
    """
    return split_step(params, velocity, grad, eta, momentum, constraint, length=True, turn=False)


def neither(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> Array:
    """Take one step in which the radial part acts neither through the length nor through the turn, in place.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    momentum : float
        Factor of the previous velocity.
    constraint : callable or None
        Function from squared row lengths, shape (m,), to one factor per row. None leaves the rows as they are.

    Returns
    -------
    ndarray, shape (m,)
        Squared row lengths of W after the step.

    Raises
    ------
    ValueError
        If an array is read-only, not aligned, or not in the native byte order, or if the velocity of W is not
        contiguous.
    """
    return split_step(params, velocity, grad, eta, momentum, constraint, length=False, turn=False)


def split_step(
    params: Params,
    velocity: Params,
    grad: Gradient,
    eta: float,
    momentum: float,
    constraint: Constraint | None,
    length: bool,
    turn: bool,
) -> Array:
    """Take one step in which the radial part acts in the given ways, in place.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        Velocity of W and of b_e, of the same shapes.
    grad : Gradient
        Gradient of the objective.
    eta : float
        Learning rate.
    momentum : float
        Factor of the previous velocity.
    constraint : callable or None
        Function from squared row lengths, shape (m,), to one factor per row. None leaves the rows as they are.
    length : bool
        Whether the radial part acts through the length of the row.
    turn : bool
        Whether the radial part acts through the turn of the row.

    Returns
    -------
    ndarray, shape (m,)
        Squared row lengths of W after the step.

    Raises
    ------
    ValueError
        If an array is read-only, not aligned, or not in the native byte order, or if the velocity of W is not
        contiguous.
    """
    u = fast_directions(params.W)
    sgd_step(params, velocity, grad, eta, momentum, None)
    c = radial_part(velocity, u)
    if not length:
        params.W[...] -= c * u
    if constraint:
        params.W[...] *= constraint(row_len2(params.W))[:, None]
    if not turn:
        velocity.W[...] += c * (fast_directions(params.W) - u)
    return row_len2(params.W)


VELOCITY_RULES: dict[str, Callable[..., Array]] = {
    "classical": sgd_step,
    "projected": projected,
    "no length": no_length,
    "no turn": no_turn,
    "neither": neither,
}
