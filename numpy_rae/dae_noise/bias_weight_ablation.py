"""Objectives in which the weights and the biases get the gradients of two different objectives.

They show whether the gradient of W or that of b_e makes the codes sparse. The gradients of an objective and of the
plain auto-encoder are computed at the same parameters and batch. W gets one of them, and b_e gets the other:

    "DAE weights only"    g_W from DAE,    g_b_e from AE
    "DAE bias only"       g_W from AE,     g_b_e from DAE

For the same seed, the full objective and both mixed objectives draw the same noise. The value of a mixed objective is
the value of the full objective. The mixed gradient is not the gradient of any function. So the value only shows the
progress of the training.
"""

from dataclasses import dataclass

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.objectives import Objective, ObjectiveFunction, ae


def with_bias_of(weights: Gradient, bias: Gradient) -> Gradient:
    """Return the gradient with g_W of one gradient and g_b_e of another.

    Parameters
    ----------
    weights : Gradient
        Source of g_W.
    bias : Gradient
        Source of g_b_e.

    Returns
    -------
    Gradient
        The mixture.
    """
    return weights._replace(g_b_e=bias.g_b_e)


@dataclass(frozen=True)
class WeightsOnly:
    """Compute g_W of an objective and g_b_e of the plain auto-encoder.

    Attributes
    ----------
    objective : callable
        The objective.
    """

    objective: ObjectiveFunction

    def __call__(
        self,
        params: Params,
        activation: Activation,
        x: Array,
        sigma2: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradient]:
        J, grad = self.objective(params, activation, x, sigma2, rng)
        return J, with_bias_of(grad, ae(params, activation, x)[1])


@dataclass(frozen=True)
class BiasOnly:
    """Compute g_b_e of an objective and g_W of the plain auto-encoder.

    Attributes
    ----------
    objective : callable
        The objective.
    """

    objective: ObjectiveFunction

    def __call__(
        self,
        params: Params,
        activation: Activation,
        x: Array,
        sigma2: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradient]:
        J, grad = self.objective(params, activation, x, sigma2, rng)
        plain = ae(params, activation, x)[1]
        return J, with_bias_of(plain, grad)._replace(n_extrapolated=grad.n_extrapolated)


def weights_only(model: Objective) -> Objective:
    """Return the objective whose weights follow `model` and whose biases follow the plain auto-encoder.

    Parameters
    ----------
    model : Objective
        The full objective.

    Returns
    -------
    Objective
        The mixed objective, named "... weights only".
    """
    return Objective(f"{model.name} weights only", WeightsOnly(model.objective))


def bias_only(model: Objective) -> Objective:
    """Return the objective whose biases follow `model` and whose weights follow the plain auto-encoder.

    Parameters
    ----------
    model : Objective
        The full objective.

    Returns
    -------
    Objective
        The mixed objective, named "... bias only".
    """
    return Objective(f"{model.name} bias only", BiasOnly(model.objective))
