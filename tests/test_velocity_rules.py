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
    """Return W, b_e and the peak objectives of each model after training from one start, with 10 updates per epoch."""
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
    """After 200 updates the weights must be equal bit for bit. Only the value of the objective differs."""
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
    """The steps differ with a curved activation, a penalty that has a bias gradient, or the full gradient."""
    for activation, model, tangent in ((SIGMOID, CAE, True), (RELU, PAPER_OBJECTIVES["SAE"], True), (RELU, CAE, False)):
        params, _ = ends([AE, model], activation=activation, tangent=tangent, epochs=1)
        assert not same(*params)


def test_every_rule_is_listed():
    assert list(VELOCITY_RULES) == ["classical", "projected", "no length", "no turn", "neither"]


def one_step(rule, constraint=unit_scale):
    """Return W and v after one step from W = (1, 0), v = 0.

    With eta = 1 the step is v = (-0.5, 1), with radial part -0.5.
    """
    params = Params(np.array([[1.0, 0.0]]), np.zeros(1))
    velocity = zero_velocity(params)
    gradient = Gradient(((np.zeros((1, 1)), np.zeros((1, 2))),), np.zeros(1), dense_part=np.array([[0.5, -1.0]]))
    VELOCITY_RULES[rule](params, velocity, gradient, 1.0, 0.9, constraint)
    return params.W[0], velocity.W[0]


def test_a_step_by_hand():
    """The expected W and v of each rule, with u' = (1, 2) / |.|.

    Classical: W = (0.5, 1) / |.|. No length: W = (1, 1) / |.| with the same velocity. No turn: v = (0, 1) - 0.5 u'.
    Projected: v - (v . u') u'.
    """
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
    """With the full gradient, CAE and mDAE equal AE up to rounding only if both parts of the velocity are removed."""

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
