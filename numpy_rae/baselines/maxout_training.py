"""Train a Maxout auto-encoder with minibatch SGD."""

import math
from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.baselines.maxout import MaxoutParams, init_params, value_and_grad
from numpy_rae.batches import shuffled_batches


class MaxoutTrained(NamedTuple):
    """Hold the result of `train`.

    Attributes
    ----------
    params : MaxoutParams
        Final parameters.
    history : tuple of float
        Mean minibatch objective per epoch.
    diverged : int or None
        The epoch in which the objective was not finite any more. None if the run did not diverge.
    """

    params: MaxoutParams
    history: tuple[float, ...]
    diverged: int | None


@_validation.tiny_is_zero
def train(
    x: Array,
    m: int,
    k: int,
    rng: np.random.Generator,
    epochs: int = 50,
    eta: float = 0.001,
    momentum: float = 0.9,
    batch_size: int = 50,
) -> MaxoutTrained:
    """Train with minibatch SGD: v <- momentum v - eta g, then W <- W + v. The rows are free.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Data. Its dtype is the dtype of the parameters.
    m : int
        Number of units.
    k : int
        Number of pieces per unit.
    rng : numpy.random.Generator
        Source of the initialisation and of the order of the samples.
    epochs : int
        Passes over the data.
    eta : float
        Learning rate, positive.
    momentum : float
        Momentum coefficient, in [0, 1].
    batch_size : int
        Samples per update.

    Returns
    -------
    MaxoutTrained
        Parameters and history. If the objective stops being finite, the run ends, and `diverged` is the epoch.

    Raises
    ------
    ValueError
        Before any work, if an argument is outside its range.
    """
    _validation.matrix("x", x)
    for name, value in (("m", m), ("k", k), ("epochs", epochs), ("batch_size", batch_size)):
        _validation.integer(name, value)
    _validation.number("eta", eta, open_low=True)
    _validation.number("momentum", momentum, high=1)
    _validation.instance("rng", rng, np.random.Generator)
    params = init_params(m, k, x.shape[1], rng, x.dtype)
    velocity = MaxoutParams(np.zeros_like(params.W), np.zeros_like(params.b_e))
    history: list[float] = []
    # An overflow needs no warning here, because the objective is not finite in the same epoch.
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(1, epochs + 1):
            steps = (x[batch] for batch in shuffled_batches(len(x), batch_size, rng))
            J = float(np.mean([step(params, velocity, part, float(eta), float(momentum)) for part in steps]))
            if not math.isfinite(J):
                return MaxoutTrained(params, tuple(history), epoch)
            history.append(J)
    return MaxoutTrained(params, tuple(history), None)


@_validation.tiny_is_zero
def step(params: MaxoutParams, velocity: MaxoutParams, x: Array, eta: float, momentum: float) -> float:
    """Do one step on a batch, in place.

    Parameters
    ----------
    params, velocity : MaxoutParams
        Changed in place.
    x : ndarray, shape (N, n)
        The batch.
    eta : float
        Learning rate.
    momentum : float
        Momentum coefficient.

    Returns
    -------
    float
        The objective before the step.
    """
    J, grad = value_and_grad(params, x)
    for value, v, g in zip(params, velocity, grad, strict=True):
        v *= momentum
        v -= eta * g
        value += v
    return J
