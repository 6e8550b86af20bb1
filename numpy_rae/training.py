"""The minibatch loop: nothing but composition of objective, optimiser, constraint and metrics."""

import math
import time
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np

from numpy_rae import _contracts, _validation, constraints, metrics, velocity_rules
from numpy_rae._known_lengths import known
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params, init_params, row_len2
from numpy_rae.objectives import Objective
from numpy_rae.optimizer import flush_subnormals, zero_velocity

# The version of the arithmetic. A change of it can change the last bits of a run, so records and checkpoints name it:
# 1 is the arithmetic of records that name none; 2 has W in C order and a sigmoid accurate in both tails.
NUMERICS = 2
HISTORY_SAMPLES = 1000
FLUSH_EVERY = 100
DTYPES = ("float32", "float64")
STARTS = ("glorot", "unit")
# Fields that earlier records do not have. At their defaults they add nothing to a run's description.
LATER = ("velocity", "start")


@dataclass(frozen=True)
class TrainConfig:
    """One run's numbers, with the defaults of Sec. 3. Raises ValueError at once for a value outside its range.

    `tangent` removes the part of the gradient along each row; `velocity` is the rule for the velocity's part along the
    rows (`velocity_rules.VELOCITY_RULES`). With `start="unit"` the rows of the Glorot initialisation are scaled to length 1 before the
    first update; with "glorot" the constraint first acts after it.
    """

    sigma2: float = 0.0
    seed: int = 0
    hidden: int = 1000
    batch_size: int = 50
    epochs: int = 50
    eta: float = 0.001
    momentum: float = 0.9
    constraint: str = "unit"
    radius: float = 1.0
    tangent: bool = False
    dtype: str = "float32"
    velocity: str = "classical"
    start: str = "glorot"

    def __post_init__(self):
        _validation.number("sigma2", self.sigma2)
        _validation.integer("seed", self.seed, low=0)
        for name in ("hidden", "batch_size", "epochs"):
            _validation.integer(name, getattr(self, name))
        _validation.number("eta", self.eta, open_low=True)
        _validation.number("momentum", self.momentum, high=1)
        _validation.one_of("constraint", self.constraint, constraints.CONSTRAINTS)
        _validation.number("radius", self.radius, open_low=True)
        _validation.one_of("dtype", self.dtype, DTYPES)
        _validation.one_of("velocity", self.velocity, velocity_rules.VELOCITY_RULES)
        _validation.one_of("start", self.start, STARTS)
        if not isinstance(self.tangent, (bool, np.bool_)):
            raise ValueError(f"tangent is {self.tangent!r}; it must be True or False")
        # A number of NumPy's would make float32 arithmetic float64.
        for name in ("sigma2", "eta", "momentum", "radius"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def description(self) -> dict:
        """Return the configuration as JSON values, without `LATER` fields that have their default."""
        default = {name: getattr(TrainConfig, name) for name in LATER}
        values = asdict(self)
        return {name: value for name, value in values.items() if name not in LATER or value != default[name]}

    def scale_rows(self) -> constraints.Constraint | None:
        """The constraint as a function of the squared row lengths; None leaves the rows free."""
        rule = constraints.CONSTRAINTS[self.constraint]
        return partial(rule, radius=self.radius) if self.constraint == "max-norm" else rule


@dataclass(frozen=True)
class TrainResult:
    """What a run leaves: parameters, final metrics (None if it diverged), one dict an epoch, and how it ended.

    `n_extrapolated` counts (update, unit) pairs at which a penalty was continued beyond its domain. Of the minibatch
    objectives the first, the largest (with its step, from 1) and the last finite one are kept; `diverged` is None or
    the step at which the objective ceased to be finite.
    """

    params: Params
    metrics: dict[str, float] | None
    history: list[dict] = field(default_factory=list)
    steps: int = 0
    n_extrapolated: int = 0
    diverged: int | None = None
    first: float | None = None
    peak: tuple[float, int] | None = None
    last: float | None = None
    seconds: float = 0.0


class RandomStreams:
    """Children of one seed for initialisation, batch order and noise: models with one seed share W and batches."""

    def __init__(self, seed: int):
        self.init, self.order, self.noise = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))


@dataclass
class TrainState:
    """The loop's own arrays and counters: all that a run needs to go on, bit for bit.

    `ahead` are the index arrays of the batches still to come in the epoch in progress, None between epochs, and `began`
    is the number of updates before it; `seconds` is what whole epochs took. `len2` are the squared row lengths of W as
    the last update computed them, None before the first.
    """

    params: Params
    velocity: Params
    generators: RandomStreams
    objectives: list[float] = field(default_factory=list)
    history: list[dict] = field(default_factory=list)
    n_extrapolated: int = 0
    diverged: int | None = None
    ahead: list[np.ndarray] | None = None
    began: int = 0
    seconds: float = 0.0
    len2: np.ndarray | None = None


class Callback:
    """Looks on, before and after every update, and must change nothing. This one sees nothing."""

    def on_step_start(self, step: int, state: TrainState, x: np.ndarray, grad: Gradient) -> None:
        """Called ahead of update number `step` (from 1) with its batch x and its gradient."""

    def on_step_end(self, step: int, state: TrainState) -> None:
        """Called once it is done; `checkpoint` writes what it sees here."""

    def on_epoch_end(self, state: TrainState) -> bool:
        """Called after each epoch, once its line of history is there. True ends the training."""
        return False


def train(
    x: np.ndarray,
    model: Objective,
    activation: Activation,
    config: TrainConfig,
    watch: Callback | None = None,
    state: TrainState | None = None,
) -> TrainResult:
    """Train on x (N, n), which must have `config.dtype`; a function of its arguments alone.

    Raises ValueError before any work if x is not a finite matrix. An objective that ceases to be finite ends the run:
    the result says at which step. `watch` looks on (see `monitor` and `checkpoint`). With the `state` of a run of the
    same arguments that was left on its way (`checkpoint.load`), that run is brought to its end, in place.
    """
    _validation.instance("config", config, TrainConfig)
    _validation.instance("activation", activation, Activation)
    _validation.function("model", model)
    _validation.matrix("x", x)
    _validation.like("x", x, x.shape, np.dtype(config.dtype))
    state = state or init_state(x.shape[1], config)
    return run_epochs(state, x, model, activation, config, config.epochs - len(state.history), watch)


def init_state(n: int, config: TrainConfig) -> TrainState:
    """The loop's state before the first update, for data of n features."""
    generators = RandomStreams(config.seed)
    params = init_params(config.hidden, n, generators.init, np.dtype(config.dtype))
    if config.start == "unit":
        constraints.unit_rows(params.W)
    return TrainState(params, zero_velocity(params), generators)


def run_epochs(state: TrainState, x: np.ndarray, model, activation, config, epochs: int, watch: Callback | None = None) -> TrainResult:
    """Go on from `state`, in place, for `epochs` epochs over x (N, n), which need not be the data it has seen so far.

    An epoch in progress, which must be over this x, is the first of them. `config.epochs` and `config.seed` are not
    read. The result counts from the state's beginning; its metrics are x's.
    """
    last = len(state.history) + epochs
    drop_wrong_lengths(state)
    # An overflow is not a warning here: the objective shows it in the same step.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        while len(state.history) < last and not state.diverged:
            run_epoch(state, x, model, activation, config, watch or Callback())
            if not state.diverged and watch and watch.on_epoch_end(state):
                break
        return finalise(state, x, activation)


def drop_wrong_lengths(state: TrainState) -> None:
    """Forget the known row lengths if W has been changed from outside since the last update."""
    if state.len2 is not None:
        rounding = np.finfo(state.len2.dtype).eps ** 0.5
        if not np.allclose(row_len2(state.params.W), state.len2, rtol=rounding, atol=0):
            state.len2 = None


def run_epoch(state: TrainState, x: np.ndarray, model, activation, config: TrainConfig, watch: Callback) -> None:
    """Every sample once, or what is left of an epoch in progress, then a line of history; stops at a divergence."""
    start = time.perf_counter()
    if state.ahead is None:
        state.ahead = shuffled_batches(len(x), config.batch_size, state.generators.order)
        state.began = len(state.objectives)
    while state.ahead:
        run_step(state, x[state.ahead.pop(0)], model, activation, config, watch)
        if state.diverged:
            return
    probe = x[:: max(1, len(x) // HISTORY_SAMPLES)][:HISTORY_SAMPLES]
    recent = state.objectives[state.began :]
    state.history.append(history_entry(len(state.history) + 1, recent, state.params, activation, probe))
    state.ahead = None
    state.seconds += time.perf_counter() - start


def run_step(state: TrainState, x: np.ndarray, model, activation, config: TrainConfig, watch: Callback) -> None:
    """Objective and gradient of one batch, and the step along it."""
    given = (state.params, activation, x, config.sigma2, state.generators.noise)
    if state.objectives:
        J, grad = model(*given, **known(model, state.len2))
    else:
        J, grad = _contracts.first_objective_call(model, *given)
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


def finalise(state: TrainState, x: np.ndarray, activation: Activation) -> TrainResult:
    """The final metrics over all of x, and what the loop counted; metrics that overflow are a divergence, too."""
    final, steps, start = None, len(state.objectives), time.perf_counter()
    if not state.diverged:
        final = metrics.summary(metrics.measure(state.params, activation, x))
        if not all(map(math.isfinite, final.values())):
            final, state.diverged = None, steps + 1
    first, peak, last = objective_extremes(state.objectives)
    seconds = state.seconds + time.perf_counter() - start
    return TrainResult(
        state.params, final, state.history, steps, state.n_extrapolated, state.diverged, first, peak, last, seconds
    )


def objective_extremes(objectives: list[float]) -> tuple:
    """First, (largest, its step) and last of the minibatch objectives; None where there is none."""
    if not objectives:
        return None, None, None
    peak = max(objectives)
    return objectives[0], (peak, objectives.index(peak) + 1), objectives[-1]


def shuffled_batches(N: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """One epoch's index arrays: a permutation of N samples in pieces of `size`, the last one shorter if need be."""
    return split_batches(rng.permutation(N), size)


def split_batches(order: np.ndarray, size: int) -> list[np.ndarray]:
    """`order` in pieces of `size`, the last one shorter if need be; none if there is nothing in it."""
    return np.split(order, range(size, len(order), size)) if len(order) else []


def update(params: Params, velocity: Params, grad: Gradient, config: TrainConfig) -> np.ndarray:
    """One step of the optimiser with the configured constraint, in place; returns the squared row lengths after it."""
    if config.tangent:
        grad = constraints.tangent(grad, params)
    step = velocity_rules.VELOCITY_RULES[config.velocity]
    return step(params, velocity, grad, config.eta, config.momentum, config.scale_rows())


def history_entry(epoch: int, recent: list[float], params: Params, activation: Activation, probe: np.ndarray) -> dict:
    """One line of history: the mean of the epoch's objectives, and metrics on the same fixed samples every epoch."""
    seen = metrics.summary(metrics.measure(params, activation, probe))
    return {"epoch": epoch, "objective": sum(recent) / len(recent), **seen}
