"""Rules for the velocity's radial part, and the proposition about the gradient's radial part."""

import numpy as np
import pytest

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SIGMOID
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective, Penalised
from numpy_rae.optimizer import zero_velocity
from numpy_rae.penalties import JacobianPenalty, WeightDecay
from numpy_rae.registry import ACTIVATIONS
from numpy_rae.row_norms import fast_directions, row_len2, unit_scale
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train
from numpy_rae.velocity_rules import VELOCITY_RULES

AE, CAE, MDAE = (PAPER_OBJECTIVES[name] for name in ("AE", "CAE", "mDAE"))
COR_2 = [Objective(f"q={q}, p={p}", Penalised(JacobianPenalty(q, p))) for q in (1, 3) for p in (0, 1, 3)]
DECAY = Objective("decay", Penalised(WeightDecay()))


def data(dtype, N=100, n=6):
    return np.random.default_rng(0).standard_normal((N, n)).astype(dtype)


def ends(models, dtype="float64", activation=RELU, epochs=20, **settings):
    """W and b_e of each model after 10 updates per epoch from one start, with their peak objectives."""
    settings = {"hidden": 9, "batch_size": 10, "sigma2": 1.0, "eta": 0.005, "tangent": True} | settings
    config = TrainConfig(epochs=epochs, dtype=dtype, **settings)
    results = [train(data(dtype), model, activation, config) for model in models]
    assert all(result.steps == 10 * epochs and not result.diverged for result in results)
    return [result.params for result in results], [result.peak for result in results]


def same(one: Params, other: Params) -> bool:
    return bool((one.W == other.W).all() and (one.b_e == other.b_e).all())


@pytest.mark.cor_2
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "rows", [{"constraint": "unit"}, {"constraint": "max-norm", "radius": 0.7}, {"constraint": "free"}]
)
@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"sigma2": 0.04, "eta": 0.001},
        {"sigma2": 7.0, "momentum": 0.0},
        {"sigma2": 0.25, "eta": 0.02, "momentum": 0.5},
    ],
)
def test_without_the_radial_gradient_ae_and_cor_2_make_the_same_steps(dtype, rows, numbers):
    """200 updates, compared with `==`: only the objective's value differs."""
    params, peaks = ends([AE, CAE, MDAE], dtype, **rows, **numbers)
    assert same(params[0], params[1]) and same(params[0], params[2])
    assert peaks[0] != peaks[1]


@pytest.mark.cor_2
@pytest.mark.parametrize("model", [*COR_2, DECAY], ids=lambda model: model.name)
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "hard_sigmoid"])
def test_so_do_the_other_penalties_of_the_family_with_any_piecewise_linear_activation(model, name):
    params, _ = ends([AE, model], activation=ACTIVATIONS[name], eta=0.002, sigma2=0.5)
    assert same(*params)


def test_the_premises_are_needed():
    """A curved activation, a penalty with a bias gradient, and the full gradient each make the steps differ."""
    for activation, model, tangent in ((SIGMOID, CAE, True), (RELU, PAPER_OBJECTIVES["SAE"], True), (RELU, CAE, False)):
        params, _ = ends([AE, model], activation=activation, tangent=tangent, epochs=1)
        assert not same(*params)


def test_every_rule_is_listed():
    assert list(VELOCITY_RULES) == ["classical", "projected", "no length", "no turn", "neither"]


def one_step(rule, constraint=unit_scale):
    """From W = (1, 0), v = 0: with eta = 1 the step is v = (-0.5, 1), radial part -0.5."""
    params = Params(np.array([[1.0, 0.0]]), np.zeros(1))
    velocity = zero_velocity(params)
    gradient = Gradient(((np.zeros((1, 1)), np.zeros((1, 2))),), np.zeros(1), dense_part=np.array([[0.5, -1.0]]))
    VELOCITY_RULES[rule](params, velocity, gradient, 1.0, 0.9, constraint)
    return params.W[0], velocity.W[0]


def test_a_step_by_hand():
    """Classical: (0.5, 1) / |.|. No length: (1, 1) / |.|, the same velocity. No turn: v = (0, 1) - 0.5 u'.
    Projected: v - (v . u') u' with u' = (1, 2) / |.|."""
    half, diagonal = np.array([1, 2]) / 5**0.5, np.array([1, 1]) / 2**0.5
    expected = {
        "classical": (half, [-0.5, 1]),
        "projected": (half, [-0.8, 0.4]),
        "no length": (diagonal, [-0.5, 1]),
        "no turn": (half, np.array([0, 1]) - 0.5 * half),
        "neither": (diagonal, np.array([0, 1]) - 0.5 * diagonal),
    }
    for rule, (W, v) in expected.items():
        found = one_step(rule)
        np.testing.assert_allclose(found[0], W, rtol=1e-14, err_msg=rule)
        np.testing.assert_allclose(found[1], v, rtol=1e-14, atol=1e-15, err_msg=rule)


def test_a_projected_velocity_is_orthogonal_to_the_rows():
    params, velocity = one_step("projected")
    assert abs(params @ velocity) < 1e-15


@pytest.mark.parametrize("constraint", ["unit", "free"])
def test_the_two_ways_are_all_ways(constraint):
    """With both removed, and the full gradient, CAE and mDAE follow AE to rounding; with one removed they do not."""

    def apart(rule):
        settings = {"tangent": False, "velocity": rule, "constraint": constraint, "epochs": 5}
        params, _ = ends([AE, CAE, MDAE], **settings)
        return min(np.abs(params[0].W - other.W).max() for other in params[1:])

    assert apart("neither") < 1e-11
    for rule in ("classical", "projected", "no length", "no turn"):
        assert apart(rule) > 1e-4, rule


def test_directions_leave_a_zero_row():
    np.testing.assert_allclose(fast_directions(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0, 0]], rtol=1e-15)


@pytest.mark.parametrize("rule", VELOCITY_RULES)
@pytest.mark.parametrize("activation", PAPER_ACTIVATIONS.values(), ids=lambda s: s.name)
def test_every_rule_keeps_unit_rows_and_the_dtype(rule, activation):
    params, _ = ends(
        [PAPER_OBJECTIVES["DAE"]], "float32", activation, epochs=2, velocity=rule, tangent=False, sigma2=0.1
    )
    assert params[0].W.dtype == np.float32
    np.testing.assert_allclose(row_len2(params[0].W), 1, rtol=1e-5)
