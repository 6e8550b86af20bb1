"""Thm 1 watched while training: for every unit, does its condition hold, and does E[a_j] move as Eq. (5) says?

On real data with momentum, minibatches and a mean that is not 0 the change of E[a_j] over one update is exactly

    Delta b_j + Delta W_j . mean(x) = from_gradient + from_velocity + from_constraint

of which Eq. (5) predicts -eta (dJ_AE/db_j + lambda dR/db_j). lambda dR/db is taken as what the objective's bias gradient
has beyond dJ_AE/db on the same batch, so that DAE and eDAE, which have no R of their own, are watched as well.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params, PenaltyGrad, backward, forward, reconstruction
from numpy_rae.callbacks import Callback
from numpy_rae.theory.lemma_1 import lemma_1_bound, lemma_1_bound_free, lemma_1_bound_gaussian, sigma_r
from numpy_rae.train_state import TrainState


class Before(NamedTuple):
    """What one update starts from: parameters and velocity (copies), its batch and its gradient."""

    params: Params
    velocity: Params
    x: np.ndarray
    grad: Gradient


class Observation(NamedTuple):
    """One update, unit by unit, all (m,): both sides of Thm 1's condition, and where the change of E[a_j] came from."""

    step: int
    dJ_db: np.ndarray
    lam_dR_db: np.ndarray
    bound_paper: np.ndarray
    bound_free: np.ndarray
    bound_gaussian: np.ndarray
    predicted: np.ndarray
    from_gradient: np.ndarray
    from_velocity: np.ndarray
    realised: np.ndarray

    def holds(self) -> dict[str, float]:
        """The share of units at which lambda dR/db exceeds each bound."""
        bounds = {"paper": self.bound_paper, "free": self.bound_free, "gaussian": self.bound_gaussian}
        return {name: float((self.lam_dR_db > bound).mean()) for name, bound in bounds.items()}

    def sign_right(self) -> float:
        """The share of units whose E[a_j] moved in the direction that Eq. (5) predicts."""
        return float((np.sign(self.predicted) == np.sign(self.realised)).mean())


@dataclass
class Monitor(Callback):
    """A watch for `training.train` that observes every `every`-th update on data of mean `mean_x` (n,)."""

    mean_x: np.ndarray
    activation: Activation
    eta: float
    momentum: float
    every: int = 50
    observations: list[Observation] = field(default_factory=list)
    _before: Before | None = None

    def __post_init__(self):
        _validation.vector("mean_x", self.mean_x)
        _validation.instance("activation", self.activation, Activation)
        _validation.number("eta", self.eta)
        _validation.number("momentum", self.momentum, high=1)
        _validation.integer("every", self.every)

    def on_step_start(self, step: int, state: TrainState, x: np.ndarray, grad: Gradient) -> None:
        """Called ahead of the update number `step` (from 1)."""
        due = (step - 1) % self.every == 0
        copies = (Params(*(part.copy() for part in pair)) for pair in (state.params, state.velocity))
        self._before = Before(*copies, x, grad) if due else None

    def on_step_end(self, step: int, state: TrainState) -> None:
        """Called after it."""
        if self._before:
            self.observations.append(self.observe(step, self._before, state.params))

    def observe(self, step: int, before: Before, after: Params) -> Observation:
        """Compare what Thm 1 and Eq. (5) say of an update with what it did."""
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

    def _mean(self, params: Params) -> np.ndarray:
        return params.b_e + params.W @ self.mean_x
