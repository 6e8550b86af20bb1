"""The inputs of a training step: the model, the parameters, the velocity, the batch and the seed of the noise."""

from typing import NamedTuple

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.objectives import Objective, Penalised
from numpy_rae.walkthrough.line import Line

X = np.array([[1.0, -0.5], [0.2, 0.8]])
W = np.array([[0.6, -0.3], [0.1, 0.9]])
B_E = np.array([0.1, -0.2])


class Setting(NamedTuple):
    """Hold all inputs of one training step.

    Attributes
    ----------
    model : Objective
        The objective J.
    activation : Activation
        Encoder activation s_e.
    params, velocity : Params
        Parameters and velocity before the step, float64.
    x : ndarray, shape (N, n)
        Clean batch.
    sigma2 : float
        Coefficient of the model: the factor lam of a penalty, or the variance of the noise.
    eta, momentum : float
        Learning rate, and factor of the previous velocity.
    seed : int
        Seed of the noise of this step.
    """

    model: Objective
    activation: Activation
    params: Params
    velocity: Params
    x: Array
    sigma2: float = 0.5
    eta: float = 0.1
    momentum: float = 0.9
    seed: int = 0

    def rng(self) -> np.random.Generator:
        """Return a new generator, so that every evaluation of J draws the same noise.

        Returns
        -------
        numpy.random.Generator
            The generator.
        """
        return np.random.default_rng(self.seed)

    def objective(self, params: Params) -> tuple[float, Gradient]:
        """Compute J and its gradient for given parameters.

        Parameters
        ----------
        params : Params
            W, shape (m, n), and b_e, shape (m,).

        Returns
        -------
        J : float
            The value.
        gradient : Gradient
            The gradient.
        """
        return self.model(params, self.activation, self.x, self.sigma2, self.rng())


def first_setting(model: Objective, activation: Activation, sigma2: float = 0.5) -> Setting:
    """Return a setting with two samples, two inputs and two hidden units, before the first step.

    Parameters
    ----------
    model : Objective
        The objective.
    activation : Activation
        Encoder activation s_e.
    sigma2 : float
        Coefficient of the model.

    Returns
    -------
    Setting
        The setting, with a velocity of 0.
    """
    params = Params(W.copy(), B_E.copy())
    return Setting(model, activation, params, Params(np.zeros_like(W), np.zeros_like(B_E)), X.copy(), sigma2)


def inputs(setting: Setting) -> list[Line]:
    """Return the lines of all inputs of the step.

    Parameters
    ----------
    setting : Setting
        Inputs of the step.

    Returns
    -------
    list of Line
        The lines. The noise is among them if the model draws noise.
    """
    meaning = "lam, factor of R" if isinstance(setting.model.objective, Penalised) else "sigma2, variance of noise"
    return [
        Line("batch", "x", setting.x),
        Line("parameter", "W", setting.params.W),
        Line("parameter", "b_e", setting.params.b_e),
        Line("velocity", "v_W", setting.velocity.W),
        Line("velocity", "v_b", setting.velocity.b_e),
        Line("coefficient", meaning, setting.sigma2),
        Line("learning rate", "eta", setting.eta),
        Line("factor of v", "momentum", setting.momentum),
        *_noise(setting),
    ]


def _noise(setting: Setting) -> list[Line]:
    """Return one line with the standard normal numbers z that the model draws. If it draws none, return no line."""
    used = setting.rng()
    setting.model(setting.params, setting.activation, setting.x, setting.sigma2, used)
    if used.bit_generator.state == setting.rng().bit_generator.state:
        return []
    N, n = setting.x.shape
    copies = getattr(setting.model.objective, "K", 1)
    return [Line(f"noise, seed {setting.seed}", "z, standard normal", setting.rng().standard_normal((copies * N, n)))]
