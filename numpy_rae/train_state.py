"""The data of a training run: its random streams, its state between updates, and its result."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.autoencoder import Params


@dataclass(frozen=True)
class TrainResult:
    """Hold the result of a run: parameters, final metrics, history, and how it ended.

    Attributes
    ----------
    params : Params
        Final W, shape (m, n), and b_e, shape (m,).
    metrics : dict or None
        `metrics.summary` over all of x at the end. None if the run diverged.
    history : list of dict
        One dict per epoch: its number, its mean objective, and the metrics of fixed samples.
    steps : int
        Number of updates.
    n_extrapolated : int
        Number of (update, unit) pairs at which a penalty was extrapolated beyond its domain.
    diverged : int or None
        The first step, counted from 1, at which the objective was not finite. None if the run did not diverge.
    first : float or None
        First minibatch objective.
    peak : tuple of (float, int) or None
        Largest minibatch objective, and its step.
    last : float or None
        Last finite minibatch objective.
    seconds : float
        Duration of the training and of the final metrics.
    """

    params: Params
    metrics: dict[str, float] | None
    history: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0
    n_extrapolated: int = 0
    diverged: int | None = None
    first: float | None = None
    peak: tuple[float, int] | None = None
    last: float | None = None
    seconds: float = 0.0


class RandomStreams:
    """Spawn the generators for initialisation, batch order and noise from one seed.

    Runs of different objectives with one seed start at the same W and see the same batches.

    Parameters
    ----------
    seed : int
        Seed from which all three streams are derived.
    """

    def __init__(self, seed: int) -> None:
        self.init, self.order, self.noise = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))


@dataclass
class TrainState:
    """Hold the arrays and counters of the loop. A run that continues from them gives exactly the same result.

    Attributes
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    velocity : Params
        The optimiser's velocity, of the same shapes.
    generators : RandomStreams
        The three random streams.
    objectives : list of float
        The minibatch objective of each update so far.
    history : list of dict
        One dict per complete epoch.
    n_extrapolated : int
        Number of (update, unit) pairs at which a penalty was extrapolated.
    diverged : int or None
        The first step at which the objective was not finite. None if there is no such step.
    ahead : list of ndarray, or None
        Index arrays of the batches that remain in the epoch in progress. None between epochs.
    began : int
        Number of updates before the epoch in progress.
    seconds : float
        Duration of the complete epochs.
    len2 : ndarray, shape (m,), or None
        Squared row lengths of W as the last update computed them. None before the first update.
    """

    params: Params
    velocity: Params
    generators: RandomStreams
    objectives: list[float] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    n_extrapolated: int = 0
    diverged: int | None = None
    ahead: list[Array] | None = None
    began: int = 0
    seconds: float = 0.0
    len2: Array | None = None
