"""The lines that every model has: the derivatives of the activation, and the gradients with respect to W and b_e."""

from collections.abc import Callable

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import PAPER_ACTIVATIONS, Activation
from numpy_rae.autoencoder import Params
from numpy_rae.walkthrough.line import Line
from numpy_rae.walkthrough.setting import Setting

DERIVATIVES = ("h'", "h''", "h'''")


def derivative_lines(setting: Setting, a: Array, order: int) -> list[Line]:
    """Return the lines of the derivatives of the activation; each is the gradient of the one before.

    Parameters
    ----------
    setting : Setting
        Inputs of the step.
    a : ndarray, shape (N, m)
        Pre-activations.
    order : {1, 2, 3}
        Highest derivative.

    Returns
    -------
    list of Line
        One line per derivative.
    """
    s_e = setting.activation
    jet = s_e(a, order)
    source = [f"{s_e.name} ({letter})" if s_e.name in PAPER_ACTIVATIONS else s_e.name for letter in "bcd"]
    return [Line(source[k], f"{DERIVATIVES[k]} at a", np.asarray(jet[k + 1]), _total(s_e, k), a) for k in range(order)]


def _total(s_e: Activation, k: int) -> Callable[[Array], float]:
    """Return the function a -> sum of the derivative of order k."""
    return lambda a: float(np.sum(np.asarray(s_e(a, max(k, 1))[k])))


def parameter_lines(setting: Setting, of_W: str, of_b_e: str) -> list[Line]:
    """Return the lines of the gradients with respect to W and b_e.

    Parameters
    ----------
    setting : Setting
        Inputs of the step.
    of_W, of_b_e : str
        Where the two gradients are derived.

    Returns
    -------
    list of Line
        The two lines.
    """
    W, b_e = setting.params
    g_W, g_b_e = setting.objective(setting.params)[1].dense(setting.params)
    return [
        Line(of_W, "g_W = dJ/dW", g_W, lambda W: setting.objective(Params(W, b_e))[0], W),
        Line(of_b_e, "g_b_e = sum of g_a", g_b_e, lambda b_e: setting.objective(Params(W, b_e))[0], b_e),
    ]
