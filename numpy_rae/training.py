"""The minibatch loop: it composes objective, optimiser, constraint and metrics."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_rae import _contracts, _validation, constraints, velocity_rules
from numpy_rae._known_lengths import known
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params, init_params
from numpy_rae.batches import shuffled_batches
from numpy_rae.callbacks import Callback
from numpy_rae.objectives import ObjectiveFunction
from numpy_rae.optimizer import flush_subnormals, zero_velocity
from numpy_rae.registry import find_activation, find_objective
from numpy_rae.row_norms import row_len2, unit_rows
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import RandomStreams, TrainResult, TrainState
from numpy_rae.training_summary import finalise, history_entry

# The version of the arithmetic. A change of it can change the last bits of a run, so records and checkpoints name it:
# 1 is the arithmetic of records that name none; 2 has W in C order and a sigmoid accurate in both tails.
NUMERICS = 2
HISTORY_SAMPLES = 1000
FLUSH_EVERY = 100


def train(
    x: Array,
    objective: str | ObjectiveFunction,
    activation: str | Activation | Callable[..., Any],
    config: TrainConfig,
    watch: Callback | None = None,
    state: TrainState | None = None,
) -> TrainResult:
    """Train an auto-encoder on x. The result depends only on the arguments.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Training data, of the dtype `config.dtype`.
    objective : str, Objective or callable
        A name in `registry.OBJECTIVES`, an objective, or a function of the same arguments.
    activation : str, Activation or callable
        A name in `registry.ACTIVATIONS`, an activation, or a function s_e(a).
    config : TrainConfig
        The numbers of the run.
    watch : Callback, optional
        Called before and after each update, and after each epoch.
    state : TrainState, optional
        State of an interrupted run with the same arguments, see `checkpoint.load`. This run is completed, in place.

    Returns
    -------
    TrainResult
        Parameters, metrics and history. If the objective stops being finite, the run ends, and the result names the
        step.

    Raises
    ------
    ValueError
        Before any work, if x is not a finite matrix of the dtype in `config`, or another argument is not allowed.
    """
    _validation.instance("config", config, TrainConfig)
    activation, objective = find_activation(activation), find_objective(objective)
    _validation.matrix("x", x)
    _validation.like("x", x, x.shape, np.dtype(config.dtype))
    state = state or init_state(x.shape[1], config)
    return run_epochs(state, x, objective, activation, config, config.epochs - len(state.history), watch)


def init_state(n: int, config: TrainConfig) -> TrainState:
    """Return the state of the loop before the first update.

    Parameters
    ----------
    n : int
        Number of features of the data.
    config : TrainConfig
        The numbers of the run.

    Returns
    -------
    TrainState
        Initial W, b_e = 0, velocity 0, and new random streams.
    """
    generators = RandomStreams(config.seed)
    params = init_params(config.hidden, n, generators.init, np.dtype(config.dtype))
    if config.start == "unit":
        unit_rows(params.W)
    return TrainState(params, zero_velocity(params), generators)


def run_epochs(
    state: TrainState,
    x: Array,
    objective: ObjectiveFunction,
    activation: Activation,
    config: TrainConfig,
    epochs: int,
    watch: Callback | None = None,
) -> TrainResult:
    """Continue from a state, in place, for a number of epochs.

    An epoch in progress is the first of them. It must be over this x.

    Parameters
    ----------
    state : TrainState
        The state to continue from.
    x : ndarray, shape (N, n)
        Training data. It may differ from the data of earlier epochs.
    objective : Objective or callable
        The objective.
    activation : Activation
        Encoder activation.
    config : TrainConfig
        The numbers of the run. Its `epochs` and `seed` are not used.
    epochs : int
        Number of epochs.
    watch : Callback, optional
        Called before and after each update, and after each epoch.

    Returns
    -------
    TrainResult
        The result counts from the beginning of the state. Its metrics are those of x.
    """
    last = len(state.history) + epochs
    drop_wrong_lengths(state)
    # An overflow needs no warning here, because the objective is not finite in the same step.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        while len(state.history) < last and not state.diverged:
            run_epoch(state, x, objective, activation, config, watch or Callback())
            if not state.diverged and watch and watch.on_epoch_end(state):
                break
        return finalise(state, x, activation)


def drop_wrong_lengths(state: TrainState) -> None:
    """Forget the known row lengths if other code has changed W since the last update.

    Parameters
    ----------
    state : TrainState
        Its `len2` becomes None if it does not fit W.
    """
    if state.len2 is not None:
        rounding = np.finfo(state.len2.dtype).eps ** 0.5
        if not np.allclose(row_len2(state.params.W), state.len2, rtol=rounding, atol=0):
            state.len2 = None


def run_epoch(
    state: TrainState,
    x: Array,
    objective: ObjectiveFunction,
    activation: Activation,
    config: TrainConfig,
    watch: Callback,
) -> None:
    """Run one epoch, or the rest of an epoch in progress, and add an entry to the history. Stop at a divergence.

    Parameters
    ----------
    state : TrainState
        Updated in place.
    x : ndarray, shape (N, n)
        Training data.
    objective : Objective or callable
        The objective.
    activation : Activation
        Encoder activation.
    config : TrainConfig
        The numbers of the run.
    watch : Callback
        Called before and after each update.
    """
    start = time.perf_counter()
    if state.ahead is None:
        state.ahead = shuffled_batches(len(x), config.batch_size, state.generators.order)
        state.began = len(state.objectives)
    while state.ahead:
        run_step(state, x[state.ahead.pop(0)], objective, activation, config, watch)
        if state.diverged:
            return
    probe = x[:: max(1, len(x) // HISTORY_SAMPLES)][:HISTORY_SAMPLES]
    recent = state.objectives[state.began :]
    state.history.append(history_entry(len(state.history) + 1, recent, state.params, activation, probe))
    state.ahead = None
    state.seconds += time.perf_counter() - start


def run_step(
    state: TrainState,
    x: Array,
    objective: ObjectiveFunction,
    activation: Activation,
    config: TrainConfig,
    watch: Callback,
) -> None:
    """Compute the objective and its gradient on one batch, and do one update.

    Parameters
    ----------
    state : TrainState
        Updated in place. If the objective is not finite, only `diverged` is set.
    x : ndarray, shape (batch, n)
        The batch.
    objective : Objective or callable
        The objective.
    activation : Activation
        Encoder activation.
    config : TrainConfig
        The numbers of the run.
    watch : Callback
        Called before and after the update.
    """
    given = (state.params, activation, x, config.sigma2, state.generators.noise)
    if state.objectives:
        J, grad = objective(*given, **known(objective, state.len2))
    else:
        J, grad = _contracts.first_objective_call(objective, *given)
    step = len(state.objectives) + 1
    if not math.isfinite(J):
        state.diverged = step
        return
    watch.on_step_start(step, state, x, grad)
    state.len2 = update(state.params, state.velocity, grad, config)
    if step % FLUSH_EVERY == 0:
        flush_subnormals(state.velocity)
    state.objectives.append(J)
    state.n_extrapolated += grad.n_extrapolated
    watch.on_step_end(step, state)


def update(params: Params, velocity: Params, grad: Gradient, config: TrainConfig) -> Array:
    """Do one step of the optimiser with the configured constraint, in place.

    Parameters
    ----------
    params, velocity : Params
        Changed in place.
    grad : Gradient
        Gradient of the objective.
    config : TrainConfig
        The numbers of the run.

    Returns
    -------
    ndarray, shape (m,)
        Squared row lengths of W after the step.
    """
    if config.tangent:
        grad = constraints.tangent(grad, params)
    step = velocity_rules.VELOCITY_RULES[config.velocity]
    return step(params, velocity, grad, config.eta, config.momentum, config.scale_rows())
