"""Rules for the radial part of the velocity, the part along the rows of W. They show which effects this part has.

A step is v <- momentum v - eta g, W <- W + v, then the constraint on the rows. Let u_j = W_j / ||W_j|| be the direction
of row j before the step. Split v_j = t_j + c_j u_j, where t_j is orthogonal to u_j and c_j is the radial part. If the
rows have length 1, only their directions can change. The radial part changes the directions in two ways:

- length: before the constraint, W_j + v_j has a length of about 1 + c_j. The constraint divides by this length. If
  c_j < 0, the row is first shortened and then stretched back to length 1, so t_j turns it by a larger angle.
- turn: after the step the row has a new direction u'_j. The velocity still contains c_j u_j. This vector is not
  parallel to u'_j, so in the next step it also turns the row.

The rules remove one of these effects, both of them, or the radial part itself. If both effects are removed, c_j does
not change any direction.
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

    The radial part is turned together with the row. So it stays parallel to the row.

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
    """Take one step without both effects of the radial part, length and turn, in place.

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
    """Take one step in which the radial part has only the selected effects, in place.

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
        Whether the radial part has the effect "length", see the docstring of this module.
    turn : bool
        Whether the radial part has the effect "turn".

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
