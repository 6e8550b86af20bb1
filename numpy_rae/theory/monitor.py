"""Observe during training whether Thm 1's condition holds and whether E[a_j] changes as Eq. (5) predicts.

Training uses momentum and minibatches, and the mean of the data may not be 0. Then the change of E[a_j] over one update
is exactly

    Delta b_j + Delta W_j . mean(x) = from_gradient + from_velocity + from_constraint

Eq. (5) predicts only -eta (dJ_AE/db_j + lambda dR/db_j). Here lambda dR/db is computed as the bias gradient of the
objective minus dJ_AE/db on the same batch. This also works for DAE and eDAE, which have no separate R.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params, PenaltyGrad, backward, forward, reconstruction
from numpy_rae.callbacks import Callback
from numpy_rae.theory.lemma_1 import lemma_1_bound, lemma_1_bound_free, lemma_1_bound_gaussian, sigma_r
from numpy_rae.train_state import TrainState


class Before(NamedTuple):
    """Hold the start of one update.

    Attributes
    ----------
    params, velocity : Params
        Copies that were made before the update.
    x : ndarray, shape (batch, n)
        The batch.
    grad : Gradient
        The gradient on the batch.
    """

    params: Params
    velocity: Params
    x: Array
    grad: Gradient


class Observation(NamedTuple):
    """Hold the effect of one update on each unit: both sides of Thm 1's condition, and the change of E[a_j].

    Attributes
    ----------
    step : int
        Number of the update, from 1.
    dJ_db : ndarray, shape (m,)
        dJ_AE/db on the batch.
    lam_dR_db : ndarray, shape (m,)
        Bias gradient of the objective minus `dJ_db`.
    bound_paper, bound_free, bound_gaussian : ndarray, shape (m,)
        The bounds of `lemma_1`.
    predicted : ndarray, shape (m,)
        The change of E[a_j] by Eq. (5).
    from_gradient, from_velocity : ndarray, shape (m,)
        The parts of the change that come from the gradient of this update and from the velocity before it.
    realised : ndarray, shape (m,)
        The actual change of E[a_j].
    """

    step: int
    dJ_db: Array
    lam_dR_db: Array
    bound_paper: Array
    bound_free: Array
    bound_gaussian: Array
    predicted: Array
    from_gradient: Array
    from_velocity: Array
    realised: Array

    def holds(self) -> dict[str, float]:
        """Return the share of units at which Thm 1's condition holds, for each bound.

        Returns
        -------
        dict
            The share of units at which lambda dR/db exceeds each bound, by the name of the bound.
        """
        bounds = {"paper": self.bound_paper, "free": self.bound_free, "gaussian": self.bound_gaussian}
        return {name: float((self.lam_dR_db > bound).mean()) for name, bound in bounds.items()}

    def sign_right(self) -> float:
        """Return the share of units for which Eq. (5) predicts the correct sign of the change of E[a_j].

        Returns
        -------
        float
            Share of units.
        """
        return float((np.sign(self.predicted) == np.sign(self.realised)).mean())


@dataclass
class Monitor(Callback):
    """Observe every `every`-th update of `train`.

    Attributes
    ----------
    mean_x : ndarray, shape (n,)
        Mean of the training data.
    activation : Activation
        Encoder activation.
    eta : float
        Learning rate.
    momentum : float
        Momentum coefficient, in [0, 1].
    every : int
        Number of updates from one observation to the next.
    observations : list of Observation
        The observations so far.

    Raises
    ------
    ValueError
        If a value is outside its range.
    """

    mean_x: Array
    activation: Activation
    eta: float
    momentum: float
    every: int = 50
    observations: list[Observation] = field(default_factory=list)
    _before: Before | None = None

    def __post_init__(self) -> None:
        _validation.vector("mean_x", self.mean_x)
        _validation.instance("activation", self.activation, Activation)
        _validation.number("eta", self.eta)
        _validation.number("momentum", self.momentum, high=1)
        _validation.integer("every", self.every)

    def on_step_start(self, step: int, state: TrainState, x: Array, grad: Gradient) -> None:
        """Copy the state, if the next update is one that the monitor observes.

        Parameters
        ----------
        step : int
            Number of the update, from 1.
        state : TrainState
            The state before the update.
        x : ndarray, shape (batch, n)
            The batch.
        grad : Gradient
            The gradient on the batch.
        """
        due = (step - 1) % self.every == 0
        self._before = Before(_copy(state.params), _copy(state.velocity), x, grad) if due else None

    def on_step_end(self, step: int, state: TrainState) -> None:
        """Append an observation, if this update is observed.

        Parameters
        ----------
        step : int
            Number of the update, from 1.
        state : TrainState
            The state after the update.
        """
        if self._before:
            self.observations.append(self.observe(step, self._before, state.params))

    def observe(self, step: int, before: Before, after: Params) -> Observation:
        """Compare the predictions of Thm 1 and Eq. (5) for an update with its actual effect.

        Parameters
        ----------
        step : int
            Number of the update, from 1.
        before : Before
            The start of the update.
        after : Params
            The parameters after it.

        Returns
        -------
        Observation
            The predictions and the effect, for each unit.
        """
        start, velocity, x, grad = before
        fwd = forward(start, self.activation, x)
        _, g_y = reconstruction(fwd.y, x)
        dJ_db = backward(start, fwd, g_y, PenaltyGrad()).g_b_e
        r = x - fwd.y
        return Observation(
            step,
            dJ_db,
            grad.g_b_e - dJ_db,
            lemma_1_bound(start.W, r),
            lemma_1_bound_free(start.W, r),
            lemma_1_bound_gaussian(start.W, sigma_r(r)),
            predicted=-self.eta * grad.g_b_e,
            from_gradient=-self.eta * self._mean(grad.dense(start)),
            from_velocity=self.momentum * self._mean(velocity),
            realised=self._mean(after) - self._mean(start),
        )

    def _mean(self, params: Params) -> Array:
        """Compute E[a_j] for data of mean `mean_x`."""
        mean: Array = params.b_e + params.W @ self.mean_x
        return mean


def _copy(params: Params) -> Params:
    """Copy both arrays."""
    return Params(params.W.copy(), params.b_e.copy())
