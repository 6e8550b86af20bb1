"""The update in textbook form: momentum, step and unit rows (`optimizer.sgd_step_plain`)."""

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.autoencoder import Params
from numpy_rae.constraints import Constraint, max_norm_scale, tangent
from numpy_rae.optimizer import sgd_step_plain
from numpy_rae.row_norms import row_len2, unit_scale
from numpy_rae.walkthrough.line import Line
from numpy_rae.walkthrough.setting import Setting


def updated(setting: Setting, constraint: Constraint | None = unit_scale) -> tuple[Params, Params]:
    """Return the parameters and the velocity after the step.

    Parameters
    ----------
    setting : Setting
        Inputs of the step. It does not change.
    constraint : callable or None
        Constraint on the rows of W. None leaves the rows as they are.

    Returns
    -------
    params, velocity : Params
        New arrays.
    """
    params, velocity = (Params(pair.W.copy(), pair.b_e.copy()) for pair in (setting.params, setting.velocity))
    _, gradient = setting.objective(params)
    sgd_step_plain(params, velocity, gradient, setting.eta, setting.momentum, constraint)
    return params, velocity


def after(setting: Setting) -> Setting:
    """Return the inputs of the next step. The next step has its own noise.

    Parameters
    ----------
    setting : Setting
        Inputs of this step.

    Returns
    -------
    Setting
        The next setting.
    """
    params, velocity = updated(setting)
    return setting._replace(params=params, velocity=velocity, seed=setting.seed + 1)


def update_lines(setting: Setting) -> list[Line]:
    """Return the lines of the update.

    Parameters
    ----------
    setting : Setting
        Inputs of the step.

    Returns
    -------
    list of Line
        The lines.
    """
    free, velocity = updated(setting, constraint=None)
    params, _ = updated(setting)
    len2 = row_len2(free.W)
    return [
        Line("sgd_step_plain (a)", "v_W = momentum v_W - eta g_W", velocity.W),
        Line("sgd_step_plain (b)", "v_b = momentum v_b - eta g_b_e", velocity.b_e),
        Line("sgd_step_plain (c)", "W + v_W", free.W),
        Line("sgd_step_plain (d)", "b_e + v_b", params.b_e),
        Line("row_len2", "len2 of these rows", len2),
        Line("unit_scale (a)", "factors 1 / |W_j|", unit_scale(len2)),
        Line("sgd_step_plain (e)", "W with unit rows", params.W),
        Line("row_len2", "len2 after the step", row_len2(params.W)),
        Line("next batch", "J after the step, same noise", setting.objective(params)[0]),
    ]


def constraint_lines(setting: Setting, radius: float = 0.8) -> list[Line]:
    """Return the lines of max-norm and of the tangent projection. The update of this step does not use them.

    Parameters
    ----------
    setting : Setting
        Inputs of the step.
    radius : float
        Largest row length of max-norm.

    Returns
    -------
    list of Line
        The lines. The tangent part of dJ/dW is the gradient of J as a function of the rows' directions.
    """
    W, b_e = setting.params
    len2 = row_len2(W)
    g_t = tangent(setting.objective(setting.params)[1], setting.params).dense(setting.params).W

    def _of_directions(turned: Array) -> float:
        """Compute J for rows along `turned`, with the lengths of the rows of W."""
        rows = turned * (unit_scale(row_len2(turned)) * np.sqrt(len2))[:, None]
        return setting.objective(Params(rows, b_e))[0]

    return [
        Line("row_len2", "len2 = |W_j|^2", len2),
        Line("max_norm_scale (a)", "factors of max-norm", max_norm_scale(len2, radius)),
        Line("tangent (b)", "g_t, tangent part of g_W", g_t, _of_directions, W),
    ]
