"""Objectives whose weights and biases get the gradients of different models: which of the two makes codes sparse?

A model's gradient and the plain auto-encoder's are taken at the same parameters and batch, and each of W and b_e gets
one of them:

    "DAE weights only"    g_W from DAE,    g_b_e from AE
    "DAE bias only"       g_W from AE,     g_b_e from DAE

The model draws its noise as always, so with one seed the full model and both parts see the same noise. The value of a
mixed objective is the model's own: no function has this gradient, and the value only shows how training goes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from numpy_rae.autoencoder import Gradient
from numpy_rae.objectives import Model, ae


def with_bias_of(weights: Gradient, bias: Gradient) -> Gradient:
    """Return the gradient with g_W of `weights` and g_b_e of `bias`."""
    return weights._replace(g_b_e=bias.g_b_e)


@dataclass(frozen=True)
class WeightsOnly:
    """g_W of `objective`, g_b_e of the plain auto-encoder."""

    objective: Callable[..., tuple[float, Gradient]]

    def __call__(self, params, activation, x, sigma2, rng=None) -> tuple[float, Gradient]:
        J, grad = self.objective(params, activation, x, sigma2, rng)
        return J, with_bias_of(grad, ae(params, activation, x)[1])


@dataclass(frozen=True)
class BiasOnly:
    """g_b_e of `objective`, g_W of the plain auto-encoder."""

    objective: Callable[..., tuple[float, Gradient]]

    def __call__(self, params, activation, x, sigma2, rng=None) -> tuple[float, Gradient]:
        J, grad = self.objective(params, activation, x, sigma2, rng)
        plain = ae(params, activation, x)[1]
        return J, with_bias_of(plain, grad)._replace(n_continued=grad.n_continued)


def weights_only(model: Model) -> Model:
    """Return the model whose weights follow `model` and whose biases follow the plain auto-encoder."""
    return Model(f"{model.name} weights only", WeightsOnly(model.objective))


def bias_only(model: Model) -> Model:
    """Return the model whose biases follow `model` and whose weights follow the plain auto-encoder."""
    return Model(f"{model.name} bias only", BiasOnly(model.objective))
