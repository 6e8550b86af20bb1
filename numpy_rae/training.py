"""The minibatch loop: nothing but composition of objective, optimiser, constraint and metrics."""

import math
import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from numpy_rae import constraints, metrics, validation
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params, init_params, row_len2
from numpy_rae.objectives import Model
from numpy_rae.optimizer import settle, sgd_step, zero_velocity
from numpy_rae.row_lengths import known

# The version of the arithmetic. A change of it can change the last bits of a run, so records and checkpoints name it:
# 1 is the arithmetic of records that name none; 2 has W in C order and a sigmoid accurate in both tails.
NUMERICS = 2
HISTORY_SAMPLES = 1000
SETTLE = 100
DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class TrainConfig:
    """One run's numbers, with the defaults of Sec. 3. Raises ValueError at once for a value outside its range."""

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

    def __post_init__(self):
        validation.number("sigma2", self.sigma2)
        validation.whole("seed", self.seed, low=0)
        for name in ("hidden", "batch_size", "epochs"):
            validation.whole(name, getattr(self, name))
        validation.number("eta", self.eta, open_low=True)
        validation.number("momentum", self.momentum, high=1)
        validation.one_of("constraint", self.constraint, constraints.CONSTRAINTS)
        validation.number("radius", self.radius, open_low=True)
        validation.one_of("dtype", self.dtype, DTYPES)
        if not isinstance(self.tangent, (bool, np.bool_)):
            raise ValueError(f"tangent is {self.tangent!r}; it must be True or False")
        # A number of NumPy's would make float32 arithmetic float64.
        for name in ("sigma2", "eta", "momentum", "radius"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def scale_rows(self) -> constraints.Constraint | None:
        """The constraint as a function of the squared row lengths; None leaves the rows free."""
        rule = constraints.CONSTRAINTS[self.constraint]
        return partial(rule, radius=self.radius) if self.constraint == "max-norm" else rule


@dataclass(frozen=True)
class Trained:
    """What a run leaves: parameters, final metrics (None if it diverged), one dict an epoch, and how it ended.

    `n_continued` counts (update, unit) pairs at which a penalty was continued beyond its domain. Of the minibatch
    objectives the first, the largest (with its step, from 1) and the last finite one are kept; `diverged` is None or
    the step at which the objective ceased to be finite.
    """

    params: Params
    metrics: dict[str, float] | None
    history: list[dict] = field(default_factory=list)
    steps: int = 0
    n_continued: int = 0
    diverged: int | None = None
    first: float | None = None
    peak: tuple[float, int] | None = None
    last: float | None = None
    seconds: float = 0.0


class Generators:
    """Children of one seed for initialisation, batch order and noise: models with one seed share W and batches."""

    def __init__(self, seed: int):
        self.init, self.order, self.noise = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))


@dataclass
class State:
    """The loop's own arrays and counters: all that a run needs to go on, bit for bit.

    `ahead` are the index arrays of the batches still to come in the epoch in progress, None between epochs, and `began`
    is the number of updates before it; `seconds` is what whole epochs took. `len2` are the squared row lengths of W as
    the last update computed them, None before the first.
    """

    params: Params
    velocity: Params
    generators: Generators
    objectives: list[float] = field(default_factory=list)
    history: list[dict] = field(default_factory=list)
    n_continued: int = 0
    diverged: int | None = None
    ahead: list[np.ndarray] | None = None
    began: int = 0
    seconds: float = 0.0
    len2: np.ndarray | None = None


class Watch:
    """Looks on, before and after every update, and must change nothing. This one sees nothing."""

    def before(self, step: int, state: State, x: np.ndarray, grad: Gradient) -> None:
        """Called ahead of update number `step` (from 1) with its batch x and its gradient."""

    def after(self, step: int, state: State) -> None:
        """Called once it is done; `checkpoint` writes what it sees here."""


def train(
    x: np.ndarray,
    model: Model,
    activation: Activation,
    config: TrainConfig,
    watch: Watch | None = None,
    state: State | None = None,
) -> Trained:
    """Train on x (N, n), which must have `config.dtype`; a function of its arguments alone.

    Raises ValueError before any work if x is not a finite matrix. An objective that ceases to be finite ends the run:
    the result says at which step. `watch` looks on (see `monitor` and `checkpoint`). With the `state` of a run of the
    same arguments that was left on its way (`checkpoint.load`), that run is brought to its end, in place.
    """
    validation.instance("config", config, TrainConfig)
    validation.instance("activation", activation, Activation)
    validation.function("model", model)
    validation.matrix("x", x)
    validation.like("x", x, x.shape, np.dtype(config.dtype))
    state = state or begin(x.shape[1], config)
    return advance(state, x, model, activation, config, config.epochs - len(state.history), watch)


def begin(n: int, config: TrainConfig) -> State:
    """The loop's state before the first update, for data of n features."""
    generators = Generators(config.seed)
    params = init_params(config.hidden, n, generators.init, np.dtype(config.dtype))
    return State(params, zero_velocity(params), generators)


def advance(state: State, x: np.ndarray, model, activation, config, epochs: int, watch: Watch | None = None) -> Trained:
    """Go on from `state`, in place, for `epochs` epochs over x (N, n), which need not be the data it has seen so far.

    An epoch in progress, which must be over this x, is the first of them. `config.epochs` and `config.seed` are not
    read. The result counts from the state's beginning; its metrics are x's.
    """
    last = len(state.history) + epochs
    drop_wrong_lengths(state)
    # An overflow is not a warning here: the objective shows it in the same step.
    with np.errstate(over="ignore", invalid="ignore"):
        while len(state.history) < last and not state.diverged:
            one_epoch(state, x, model, activation, config, watch or Watch())
        return outcome(state, x, activation)


def drop_wrong_lengths(state: State) -> None:
    """Forget the known row lengths if W has been changed from outside since the last update."""
    if state.len2 is not None:
        rounding = np.finfo(state.len2.dtype).eps ** 0.5
        if not np.allclose(row_len2(state.params.W), state.len2, rtol=rounding, atol=0):
            state.len2 = None


def one_epoch(state: State, x: np.ndarray, model, activation, config: TrainConfig, watch: Watch) -> None:
    """Every sample once, or what is left of an epoch in progress, then a line of history; stops at a divergence."""
    start = time.perf_counter()
    if state.ahead is None:
        state.ahead = batches(len(x), config.batch_size, state.generators.order)
        state.began = len(state.objectives)
    while state.ahead:
        one_update(state, x[state.ahead.pop(0)], model, activation, config, watch)
        if state.diverged:
            return
    probe = x[:: max(1, len(x) // HISTORY_SAMPLES)][:HISTORY_SAMPLES]
    recent = state.objectives[state.began :]
    state.history.append(epoch_entry(len(state.history) + 1, recent, state.params, activation, probe))
    state.ahead = None
    state.seconds += time.perf_counter() - start


def one_update(state: State, x: np.ndarray, model, activation, config: TrainConfig, watch: Watch) -> None:
    """Objective and gradient of one batch, and the step along it."""
    lengths = known(model, state.len2)
    J, grad = model(state.params, activation, x, config.sigma2, state.generators.noise, **lengths)
    step = len(state.objectives) + 1
    if not math.isfinite(J):
        state.diverged = step
        return
    watch.before(step, state, x, grad)
    state.len2 = update(state.params, state.velocity, grad, config)
    if step % SETTLE == 0:
        settle(state.velocity)
    state.objectives.append(J)
    state.n_continued += grad.n_continued
    watch.after(step, state)


def outcome(state: State, x: np.ndarray, activation: Activation) -> Trained:
    """The final metrics over all of x, and what the loop counted; metrics that overflow are a divergence, too."""
    final, steps, start = None, len(state.objectives), time.perf_counter()
    if not state.diverged:
        final = metrics.summary(metrics.measure(state.params, activation, x))
        if not all(map(math.isfinite, final.values())):
            final, state.diverged = None, steps + 1
    first, peak, last = landmarks(state.objectives)
    seconds = state.seconds + time.perf_counter() - start
    return Trained(
        state.params, final, state.history, steps, state.n_continued, state.diverged, first, peak, last, seconds
    )


def landmarks(objectives: list[float]) -> tuple:
    """First, (largest, its step) and last of the minibatch objectives; None where there is none."""
    if not objectives:
        return None, None, None
    peak = max(objectives)
    return objectives[0], (peak, objectives.index(peak) + 1), objectives[-1]


def batches(N: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """One epoch's index arrays: a permutation of N samples in pieces of `size`, the last one shorter if need be."""
    return pieces(rng.permutation(N), size)


def pieces(order: np.ndarray, size: int) -> list[np.ndarray]:
    """`order` in pieces of `size`, the last one shorter if need be; none if there is nothing in it."""
    return np.split(order, range(size, len(order), size)) if len(order) else []


def update(params: Params, velocity: Params, grad: Gradient, config: TrainConfig) -> np.ndarray:
    """One step of the optimiser with the configured constraint, in place; returns the squared row lengths after it."""
    if config.tangent:
        grad = constraints.tangent(grad, params)
    return sgd_step(params, velocity, grad, config.eta, config.momentum, config.scale_rows())


def epoch_entry(epoch: int, recent: list[float], params: Params, activation: Activation, probe: np.ndarray) -> dict:
    """One line of history: the mean of the epoch's objectives, and metrics on the same fixed samples every epoch."""
    seen = metrics.summary(metrics.measure(params, activation, probe))
    return {"epoch": epoch, "objective": sum(recent) / len(recent), **seen}
