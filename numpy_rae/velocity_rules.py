"""Rules for the part of the velocity that points along the rows of W, to find out how that part acts.

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

from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.constraints import Constraint
from numpy_rae.optimizer import sgd_step
from numpy_rae.row_norms import fast_directions, row_len2


def radial_part(velocity: Params, u: np.ndarray) -> np.ndarray:
    """Return c_j = v_j . u_j as a column, (m, 1)."""
    return np.einsum("ji,ji->j", velocity.W, u)[:, None]


def projected(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> np.ndarray:
    """Do one step of `sgd_step`, then remove the velocity's part along the new rows, in place."""
    len2 = sgd_step(params, velocity, grad, eta, momentum, constraint)
    u = fast_directions(params.W)
    velocity.W[...] -= radial_part(velocity, u) * u
    return len2


def no_length(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> np.ndarray:
    """Do one step with W <- W + t in place of W <- W + v: the radial part stays in the velocity and out of W."""
    return split_step(params, velocity, grad, eta, momentum, constraint, length=False, turn=True)


def no_turn(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> np.ndarray:
    """Do one step of `sgd_step`, then v <- t + c u': the radial part turns with the row and stays radial."""
    return split_step(params, velocity, grad, eta, momentum, constraint, length=True, turn=False)


def neither(
    params: Params, velocity: Params, grad: Gradient, eta: float, momentum: float, constraint: Constraint | None
) -> np.ndarray:
    """Do one step in which the radial part acts in neither way."""
    return split_step(params, velocity, grad, eta, momentum, constraint, length=False, turn=False)


def split_step(params, velocity, grad, eta, momentum, constraint, length: bool, turn: bool) -> np.ndarray:
    """Do one step in which the radial part acts through `length`, through `turn`, both or neither, in place."""
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


VELOCITY_RULES: dict[str, Callable[..., np.ndarray]] = {
    "classical": sgd_step,
    "projected": projected,
    "no length": no_length,
    "no turn": no_turn,
    "neither": neither,
}
