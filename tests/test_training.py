"""Training loop: two steps by hand, a textbook loop in float64, constraints, same noise for one seed, divergence."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_optimizer import textbook_step

from numpy_rae import training
from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.autoencoder import Params, init_params
from numpy_rae.batches import shuffled_batches
from numpy_rae.data.preprocessing import standardise
from numpy_rae.metrics import measure, summary
from numpy_rae.objectives import AE, PAPER_OBJECTIVES, Objective, Penalised, ae
from numpy_rae.optimizer import sgd_step_plain
from numpy_rae.penalties import CAE, JacobianPenalty
from numpy_rae.registry import ACTIVATIONS
from numpy_rae.taylor_penalties import WeightedSum
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import RandomStreams
from numpy_rae.training import init_state, run_epochs, train

SMALL = TrainConfig(sigma2=0.1, hidden=6, batch_size=8, epochs=3, eta=0.01, dtype="float64")


def data(N=30, n=5, seed=0, dtype=np.float64):
    return standardise(np.random.default_rng(seed).standard_normal((N, n))).astype(dtype)


def test_two_steps_by_hand():
    """One sample x = 1 and one ReLU unit: all numbers of the loop are worked out with scalars."""
    x, config = np.array([[1.0]]), TrainConfig(hidden=1, epochs=2, eta=0.1, constraint="free", dtype="float64")
    w, b = abs(float(init_params(1, 1, RandomStreams(0).init, np.float64).W.item())), 0.0
    positive = Objective("AE", lambda p, s, c, s2, rng: ae(p, s, c))
    seed = next(s for s in range(20) if init_params(1, 1, RandomStreams(s).init, np.float64).W.item() > 0)
    w, v_w, v_b = init_params(1, 1, RandomStreams(seed).init, np.float64).W.item(), 0.0, 0.0
    for _ in range(2):
        h = w + b
        g_y = -2 * (1 - w * h)
        g_w, g_b = g_y * w + h * g_y, g_y * w
        v_w, v_b = 0.9 * v_w - 0.1 * g_w, 0.9 * v_b - 0.1 * g_b
        w, b = w + v_w, b + v_b
    trained = train(x, positive, RELU, replace(config, seed=seed))
    assert trained.params.W.item() == pytest.approx(w, rel=1e-14)
    assert trained.params.b_e.item() == pytest.approx(b, rel=1e-14)


@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
@pytest.mark.parametrize("activation", [RELU, SIGMOID])
def test_training_equals_a_textbook_loop(model, activation):
    x, generators = data(), RandomStreams(SMALL.seed)
    params = init_params(SMALL.hidden, x.shape[1], generators.init, np.float64)
    velocity = Params(np.zeros_like(params.W), np.zeros_like(params.b_e))
    for _ in range(SMALL.epochs):
        order = generators.order.permutation(len(x))
        for start in range(0, len(x), SMALL.batch_size):
            batch = x[order[start : start + SMALL.batch_size]]
            grad = PAPER_OBJECTIVES[model](params, activation, batch, SMALL.sigma2, generators.noise)[1].dense(params)
            params, velocity = textbook_step(params, velocity, *grad, SMALL.eta, SMALL.momentum, unit=True)
    trained = train(x, PAPER_OBJECTIVES[model], activation, SMALL)
    np.testing.assert_allclose(trained.params.W, params.W, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(trained.params.b_e, params.b_e, rtol=1e-9, atol=1e-11)
    assert trained.metrics == pytest.approx(summary(measure(params, activation, x)), rel=1e-9, abs=1e-9)


def test_rows_have_unit_length_after_every_step_the_last_included():
    seen = []

    def spy(params, activation, x, sigma2, rng):
        seen.append(np.linalg.norm(params.W, axis=1))
        return ae(params, activation, x)

    trained = train(data(), Objective("spy", spy), RELU, SMALL)
    np.testing.assert_allclose(seen[1:], 1, rtol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(trained.params.W, axis=1), 1, rtol=1e-14)
    assert np.abs(seen[0] - 1).max() > 0.01


LONG = replace(SMALL, sigma2=0.05, hidden=5, batch_size=8, epochs=10, eta=0.002)


# A constraint depends on W and its velocity, not on the activation. So two activations with every constraint are
# enough.
STEPPED = [(name, "unit") for name in ACTIVATIONS] + [(s, c) for s in ("relu", "sigmoid") for c in ("max-norm", "free")]


@pytest.mark.parametrize(("s_e", "constraint"), STEPPED)
@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
def test_300_steps_are_the_textbook_s_to_rounding(model, s_e, constraint):
    """The fast loop is compared with plain steps on dense gradients, which do not use known row lengths."""
    s_e = ACTIVATIONS[s_e]
    if model == "KL" and not s_e.non_negative:
        pytest.skip("KL refuses activations with negative values")
    x, config = data(N=240, n=4), replace(LONG, constraint=constraint)
    trained = train(x, PAPER_OBJECTIVES[model], s_e, config)
    generators = RandomStreams(config.seed)
    params = init_params(config.hidden, x.shape[1], generators.init, np.float64)
    velocity = Params(np.zeros_like(params.W), np.zeros_like(params.b_e))
    for _ in range(config.epochs):
        for batch in shuffled_batches(len(x), config.batch_size, generators.order):
            grad = PAPER_OBJECTIVES[model](params, s_e, x[batch], config.sigma2, generators.noise)[1]
            sgd_step_plain(params, velocity, grad, config.eta, config.momentum, config.scale_rows())
    assert trained.steps == 300
    for found, wanted in zip(trained.params, params, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-11)


HAS_LENGTHS = ("CAE", "mDAE", "taylor_dae", "CAE+H")


@pytest.mark.parametrize("constraint", ["unit", "max-norm", "free"])
@pytest.mark.parametrize("model", HAS_LENGTHS)
def test_lengths_handed_on_are_those_of_the_weights_and_change_nothing(model, constraint, monkeypatch):
    """The package's penalties get the lengths from the second update on. The weights are the same up to rounding."""
    seen, config = [], replace(SMALL, constraint=constraint, epochs=10)
    objective = PAPER_OBJECTIVES[model].objective
    penalty = type(objective.penalty)
    right = penalty.value_and_grad

    def spy(self, params, activation, fwd, rng=None, len2=None):
        if self is objective.penalty:
            seen.append(len2 is not None)
            assert len2 is None or len2 == pytest.approx(np.square(params.W).sum(axis=1), rel=1e-14)
        return right(self, params, activation, fwd, rng, len2=len2)

    monkeypatch.setattr(penalty, "value_and_grad", spy)
    handed = train(data(), PAPER_OBJECTIVES[model], SIGMOID, config).params
    assert seen == [False] + [True] * 39
    monkeypatch.setattr(training, "known", lambda *_: {})
    computed = train(data(), PAPER_OBJECTIVES[model], SIGMOID, config).params
    for one, other in zip(handed, computed, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", ["function", "objective", "penalty", "subclass"])
def test_what_users_write_never_sees_the_lengths(kind):
    """Classes of users have only the documented arguments. This includes subclasses of the package's classes."""

    class Own:
        order = 2

        def value_and_grad(self, params, activation, fwd, rng):
            return CAE.value_and_grad(params, activation, fwd, rng)

    class Sub(JacobianPenalty):
        def value_and_grad(self, params, activation, fwd, rng=None):
            return super().value_and_grad(params, activation, fwd, rng)

    model = {
        "function": lambda params, activation, x, sigma2, rng: PAPER_OBJECTIVES["CAE"](
            params, activation, x, sigma2, rng
        ),
        "objective": Objective("own", lambda *arguments: PAPER_OBJECTIVES["CAE"](*arguments)),
        "penalty": Objective("own", Penalised(Own())),
        "subclass": Objective("own", Penalised(WeightedSum(((1.0, Sub()),)))),
    }[kind]
    found, wanted = (train(data(), each, SIGMOID, SMALL).params for each in (model, PAPER_OBJECTIVES["CAE"]))
    np.testing.assert_allclose(found.W, wanted.W, rtol=1e-11, atol=1e-13)


def test_lengths_of_weights_that_a_user_has_changed_since_are_computed_anew():
    state = init_state(5, SMALL)
    run_epochs(state, data(), PAPER_OBJECTIVES["CAE"], SIGMOID, replace(SMALL, constraint="free"), 1)
    state.params.W[...] = 2 * np.eye(6, 5)
    one_sample = data()[:1]
    J, _ = PAPER_OBJECTIVES["CAE"](state.params, SIGMOID, one_sample, SMALL.sigma2, None)
    run_epochs(state, one_sample, PAPER_OBJECTIVES["CAE"], SIGMOID, SMALL, 1)
    assert state.objectives[-1] == J


def test_a_second_run_is_equal_to_the_last_bit():
    one, two = (
        train(data(dtype=np.float32), PAPER_OBJECTIVES["DAE"], RELU, replace(SMALL, dtype="float32")) for _ in range(2)
    )
    assert one.history == two.history and one.metrics == two.metrics
    np.testing.assert_array_equal(one.params.W, two.params.W)
    assert one.params.W.dtype == np.float32


def test_one_seed_gives_every_model_the_same_start_and_the_same_batches():
    seen = {}
    for name in PAPER_OBJECTIVES:

        def spy(params, activation, x, sigma2, rng, name=name):
            seen.setdefault(name, (params.W.copy(), []))[1].append(x.copy())
            return PAPER_OBJECTIVES[name](params, activation, x, sigma2, rng)

        train(data(), Objective(name, spy), RELU, SMALL)
    W, xs = seen["AE"]
    for other_W, other_xs in seen.values():
        np.testing.assert_array_equal(other_W, W)
        np.testing.assert_array_equal(np.concatenate(other_xs), np.concatenate(xs))


def test_another_seed_gives_another_start_order_and_noise():
    one, two = RandomStreams(0), RandomStreams(1)
    for child in ("init", "order", "noise"):
        assert getattr(one, child).random() != getattr(two, child).random()
    assert len({getattr(RandomStreams(0), child).random() for child in ("init", "order", "noise")}) == 3


def test_epochs_in_two_parts_are_epochs_in_one():
    """The second call must continue the order, noise, velocity and history of the first."""
    state = init_state(5, SMALL)
    run_epochs(state, data(), PAPER_OBJECTIVES["DAE"], RELU, SMALL, 1)
    parted = run_epochs(state, data(), PAPER_OBJECTIVES["DAE"], RELU, SMALL, 2)
    whole = train(data(), PAPER_OBJECTIVES["DAE"], RELU, SMALL)
    np.testing.assert_array_equal(parted.params.W, whole.params.W)
    np.testing.assert_array_equal(parted.params.b_e, whole.params.b_e)
    assert (parted.history, parted.metrics, parted.steps) == (whole.history, whole.metrics, whole.steps)


@given(N=st.integers(1, 200), size=st.integers(1, 60), seed=st.integers(0, 99))
def test_batches_visit_every_sample_once(N, size, seed):
    pieces = shuffled_batches(N, size, np.random.default_rng(seed))
    np.testing.assert_array_equal(np.sort(np.concatenate(pieces)), np.arange(N))
    assert {len(piece) for piece in pieces[:-1]} <= {size} and 1 <= len(pieces[-1]) <= size


def test_every_epoch_has_an_order_of_its_own():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(shuffled_batches(50, 7, rng)) for _ in range(2))
    assert (first != second).any()


def test_history_counts_epochs_and_averages_their_objectives():
    values = iter(range(1, 100))

    def counted(params, activation, x, sigma2, rng):
        return float(next(values)), ae(params, activation, x)[1]

    trained = train(data(N=30), Objective("counted", counted), RELU, SMALL)
    assert [entry["epoch"] for entry in trained.history] == [1, 2, 3]
    assert [entry["objective"] for entry in trained.history] == [2.5, 6.5, 10.5]
    assert (trained.steps, trained.first, trained.peak, trained.last) == (12, 1.0, (12.0, 12), 12.0)


def test_the_last_line_of_history_measures_the_same_samples_as_the_end():
    trained = train(data(), PAPER_OBJECTIVES["DAE"], RELU, SMALL)
    assert {name: value for name, value in trained.history[-1].items() if name in trained.metrics} == trained.metrics


def test_continued_units_are_counted_over_all_updates():
    def counted(params, activation, x, sigma2, rng):
        return 1.0, ae(params, activation, x)[1]._replace(n_extrapolated=len(x))

    assert train(data(N=30), Objective("counted", counted), RELU, SMALL).n_extrapolated == 3 * 30


@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
def test_divergence_ends_the_run_at_its_step(model):
    trained = train(
        data(dtype=np.float32),
        PAPER_OBJECTIVES[model],
        RELU,
        replace(SMALL, eta=1e12, constraint="free", dtype="float32"),
    )
    assert trained.diverged == trained.steps + 1 > 1
    assert trained.metrics is None and np.isfinite(trained.last)


def test_tangent_step_starts_along_the_sphere():
    x = data()
    config = replace(SMALL, tangent=True, epochs=1, batch_size=30, eta=1e-4)
    start = init_params(6, 5, RandomStreams(0).init, np.float64).W
    moved = train(x, AE, SIGMOID, replace(config, constraint="free")).params.W - start
    plain = train(x, AE, SIGMOID, replace(config, constraint="free", tangent=False)).params.W - start
    np.testing.assert_allclose((moved * start).sum(axis=1), 0, atol=1e-15)
    assert np.abs((plain * start).sum(axis=1)).max() > 1e-6


def test_max_norm_keeps_rows_within_the_radius():
    trained = train(data(), AE, RELU, replace(SMALL, constraint="max-norm", radius=0.7))
    assert np.linalg.norm(trained.params.W, axis=1).max() <= 0.7 * (1 + 1e-12)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sigma2", -0.1), ("sigma2", float("nan")), ("seed", -1), ("hidden", 0), ("batch_size", 0), ("epochs", 1.5),
        ("eta", 0), ("eta", float("inf")), ("momentum", 1.1), ("constraint", "round"), ("radius", 0), ("dtype", "int8"),
    ],
)  # fmt: skip
def test_numbers_outside_their_range_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"^{field} is .* must be"):
        replace(SMALL, **{field: value})


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros((0, 3)), "x has shape"),
        (np.zeros(3), "x has shape"),
        (np.full((3, 3), np.nan), "x contains NaN or inf"),
        (np.zeros((3, 3), int), "x has dtype int64"),
        (np.zeros((3, 3), np.float32), "x is float32"),
        ([[1.0]], "x is a list"),
    ],
)
def test_bad_data_is_refused_before_any_work(x, sentence):
    def never(*arguments):
        raise AssertionError("training began")

    with pytest.raises(ValueError, match=f"^{sentence}"):
        train(x, Objective("never", never), RELU, SMALL)


def test_the_velocity_of_dead_units_comes_to_rest_and_moves_nothing(monkeypatch):
    """Without the flush, the velocity stays subnormal for ever.

    0.9 times a few of the smallest numbers rounds to the same value.
    """
    x, config = data(dtype=np.float32), replace(SMALL, dtype="float32", batch_size=30, epochs=1200, sigma2=1.0)

    def after(settle):
        monkeypatch.setattr(training, "flush_subnormals", settle)
        state = init_state(5, config)
        state.params.b_e[:] = (0, 0, 0, -99, -99, -99)
        state.velocity.W[:] = 1e-3
        run_epochs(state, x, AE, RELU, config, config.epochs)
        return state

    rested, restless = after(training.flush_subnormals), after(lambda velocity: None)
    dead = np.s_[3:]
    assert not rested.velocity.W[dead].any()
    stuck = np.abs(restless.velocity.W[dead])
    assert stuck.all() and stuck.max() < np.finfo(np.float32).tiny
    np.testing.assert_array_equal(rested.params.W, restless.params.W)
    np.testing.assert_array_equal(rested.params.b_e, restless.params.b_e)


def test_a_unit_start_has_the_directions_of_the_glorot_start():
    glorot, unit = (init_state(6, replace(SMALL, start=start)).params for start in ("glorot", "unit"))
    length = np.linalg.norm(glorot.W, axis=1, keepdims=True)
    assert abs(length - 1).min() > 0.01
    np.testing.assert_allclose(unit.W, glorot.W / length, rtol=1e-6)
    assert unit.W.dtype == glorot.W.dtype and not unit.b_e.any()
