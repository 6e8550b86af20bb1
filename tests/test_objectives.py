"""Every listed model with every activation: gradients by slope, by difference and by complex step; identities."""

import re
from dataclasses import replace

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import MARGIN, problems

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SIGMOID
from numpy_rae.autoencoder import Params
from numpy_rae.extra_activations import EXTRA_ACTIVATIONS
from numpy_rae.gradcheck import check_gradient, flatten, on_vector, taylor_slope
from numpy_rae.objectives import (
    PAPER_OBJECTIVES,
    Penalised,
    ae,
    corruption,
    dae,
    denoising,
    edae,
    first_order,
    sae_continued,
    without_bias,
)
from numpy_rae.penalties import CAE, JacobianPenalty, MeanActivationPenalty, WeightDecay, sae
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.taylor_penalties import CrossTerm, HessianTerm, MarginalisedPenalty, ResidualTerm

SMOOTH = tuple(s for s in PAPER_ACTIVATIONS.values() if not s.kinks)
NEEDS_POSITIVE = {"KL"}
PAIRS = [
    (m, s)
    for m in PAPER_OBJECTIVES
    for s in PAPER_ACTIVATIONS
    if PAPER_ACTIVATIONS[s].non_negative or m not in NEEDS_POSITIVE
]
FURTHER = [(m, s) for m in ("CAE", "taylor_dae") for s in EXTRA_ACTIVATIONS]
SIGMA2 = 0.09


def objective(name, problem, sigma2=SIGMA2):
    """The model as a function of the parameters alone: the same noise at every call."""
    _, activation, x, _, seed = problem
    return lambda params: PAPER_OBJECTIVES[name](params, activation, x, sigma2, np.random.default_rng(seed))


@pytest.mark.parametrize(("model", "activation"), PAIRS)
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_value_and_gradient_by_slope_by_difference_and_by_loops(model, activation, data, seed):
    """Each problem is drawn once for the three checks, because to draw it takes as long as a check."""
    problem = data.draw(problems((ACTIVATIONS[activation],)))
    taylor_remainder_has_slope_two(model, problem, seed)
    gradient_agrees_with_fourth_order_differences(model, problem)
    value_and_gradient_equal_the_loops_and_their_complex_step(model, problem)


def taylor_remainder_has_slope_two(model, problem, seed):
    assert best_slope(objective(model, problem), problem.params, seed) > 1.9


def best_slope(value_and_grad, params, seed):
    """Return the best slope in three directions. On a single one the second derivative may happen to vanish."""
    f, point = on_vector(value_and_grad, params), flatten(params)
    directions = np.random.default_rng(seed).standard_normal((3, point.size))
    # Steps small enough to stay on one side of every kink.
    steps = 10.0 ** np.arange(-2.5, -4.6, -0.5) / point.size
    slopes = []
    for direction in directions:
        slopes.append(taylor_slope(f, point, direction, steps))
        if slopes[-1] > 1.9:
            break  # one is enough
    return max(slopes)


# Each made for n inputs.
OTHER_PENALTIES = {
    "decay": lambda n: WeightDecay(),
    **{f"q={q}, p={p}": lambda n, q=q, p=p: JacobianPenalty(q, p) for q, p in ((1, 0), (1, 1), (3, 2), (2, 3), (4, 5))},
    "user's f": lambda n: MeanActivationPenalty(lambda rho: (np.sinh(rho), np.cosh(rho))),
    "cross": lambda n: CrossTerm(),
    "residual": lambda n: ResidualTerm(),
    "unequal variances": lambda n: MarginalisedPenalty(np.linspace(0.5, 2, n)),
    "hessian": lambda n: HessianTerm(0.1),
}


@pytest.mark.parametrize("activation", PAPER_ACTIVATIONS)
@pytest.mark.parametrize("penalty", OTHER_PENALTIES)
@settings(max_examples=8)
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_taylor_remainder_of_penalties_beyond_the_models_has_slope_two(penalty, activation, data, seed):
    """With rows away from zero, where an odd power of their length has no second derivative."""
    start, s_e, x, _, noise = data.draw(problems((PAPER_ACTIVATIONS[activation],), least=0.3))
    J = Penalised(OTHER_PENALTIES[penalty](x.shape[1]))
    assert best_slope(lambda params: J(params, s_e, x, 1.0, np.random.default_rng(noise)), start, seed) > 1.9


def gradient_agrees_with_fourth_order_differences(model, problem):
    """Check one direction per problem: every problem has another one."""
    rng = np.random.default_rng(problem.seed + 1)  # not the generator of the noise
    for check in check_gradient(objective(model, problem), problem.params, rng, directions=1):
        # A gradient of 1e-262 beside values of order one cannot be told from its opposite.
        assert check.passed or "TOO SMALL TO TELL" in check.verdict, str(check)


def oracle(name, W, b, problem, sigma2=SIGMA2):
    """J of each model from the reference formulas, as a complex-safe function of W and b."""
    x, s_e, eps = problem.x, problem.activation.name, problem.eps
    J = reference.ae(W, b, x, s_e)
    penalty = {
        "AE": lambda: 0,
        "CAE": lambda: sigma2 * reference.cae(W, b, x, s_e),
        "mDAE": lambda: sigma2 * reference.mdae(W, b, x, s_e),
        "SAE": lambda: sigma2 * reference.sae(W, b, x, s_e),
        "KL": lambda: sigma2 * reference.kl(W, b, x, s_e),
        "L1": lambda: sigma2 * reference.l1(W, b, x, s_e),
        "DAE": lambda: reference.denoising(W, b, x, x + sigma2**0.5 * eps, s_e) - J,
        "eDAE": lambda: reference.first_order(W, b, x, sigma2**0.5 * eps, s_e),
        "CAE+H": lambda: sigma2 * (reference.cae(W, b, x, s_e) + reference.hessian_term(W, b, x, 0.1 * eps, s_e)),
        "taylor_dae": lambda: (
            sigma2
            * (reference.mdae(W, b, x, s_e) + reference.cross(W, b, x, s_e) + reference.residual_term(W, b, x, s_e))
        ),
    }[name]
    return J + penalty()


def value_and_gradient_equal_the_loops_and_their_complex_step(model, problem):
    J, grad = objective(model, problem)(problem.params)
    assert J == pytest.approx(oracle(model, *problem.params, problem), rel=1e-10, abs=1e-12)
    g_W, g_b = reference.complex_gradient(lambda W, b: oracle(model, W, b, problem), *problem.params)
    dense = grad.dense(problem.params)
    scale = 1e-11 * max(1, abs(J), np.abs(g_W).max())
    np.testing.assert_allclose(dense.W, g_W, rtol=1e-9, atol=scale)
    np.testing.assert_allclose(dense.b_e, g_b, rtol=1e-9, atol=scale)


@given(data=st.data(), kinks=st.lists(st.floats(-3, 3), min_size=1, max_size=4).map(tuple))
@settings(max_examples=100)
def test_problems_keep_clear_of_any_set_of_kinks(data, kinks):
    """By construction: without this the tests around would fail at a kink once in a while."""
    problem = data.draw(problems((replace(ACTIVATIONS["hard_sigmoid"], kinks=kinks),)))
    for level in (0.0, 0.1, 0.3):
        a = (problem.x + level * problem.eps) @ problem.params.W.T + problem.params.b_e
        assert min(np.abs(a - kink).min() for kink in kinks) > MARGIN - 1e-12


@pytest.mark.parametrize(("model", "activation"), FURTHER)
@settings(max_examples=8)
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_further_activations_pass_the_three_checks_above(model, activation, data, seed):
    """On fewer draws: CAE asks for the second derivative of s_e, Thm 3's bracket for the third."""
    every_check = test_value_and_gradient_by_slope_by_difference_and_by_loops.hypothesis.inner_test
    every_check(model, activation, data, seed)


@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
@given(problem=problems(tuple(s for s in PAPER_ACTIVATIONS.values() if s.non_negative)))
def test_all_models_coincide_at_sigma2_zero_to_the_last_bit(model, problem):
    """Eq. (4) at lambda = 0 is Eq. (1)."""
    plain, grad_0 = ae(problem.params, problem.activation, problem.x)
    J, grad = objective(model, problem, sigma2=0.0)(problem.params)
    assert plain == J
    for expected, found in zip(grad_0.dense(problem.params), grad.dense(problem.params), strict=True):
        np.testing.assert_array_equal(found, expected)


@given(problems())
def test_edae_with_eps_and_minus_eps_cancels(problem):
    """Sec. 3.1.1's term is odd in the noise."""
    params, activation, x, eps, _ = problem
    J, _ = ae(params, activation, x)
    ahead, g_ahead = first_order(params, activation, x, eps)
    behind, g_behind = first_order(params, activation, x, -eps)
    scale = 1e-13 * max(1, abs(ahead), abs(J))
    assert (ahead - J) + (behind - J) == pytest.approx(0, abs=10 * scale)
    plain = ae(params, activation, x)[1].dense(params)
    for one, other, middle in zip(g_ahead.dense(params), g_behind.dense(params), plain, strict=True):
        size = max(1, np.abs(one).max())
        np.testing.assert_allclose(one + other, 2 * middle, rtol=0, atol=1e-12 * size)


def test_relu_has_an_edae_bias_gradient_where_cae_has_none():
    rng = np.random.default_rng(1)
    params, x = Params(rng.standard_normal((6, 3)), rng.standard_normal(6)), rng.standard_normal((9, 3))
    plain = ae(params, RELU, x)[1].g_b_e
    np.testing.assert_array_equal(PAPER_OBJECTIVES["CAE"](params, RELU, x, 1.0, rng)[1].g_b_e, plain)
    assert np.abs(edae(params, RELU, x, 1.0, rng)[1].g_b_e - plain).max() > 0.1


def test_edae_is_the_slope_of_the_denoising_loss_at_zero_noise():
    rng = np.random.default_rng(2)
    params, x = Params(rng.standard_normal((4, 3)), rng.standard_normal(4)), rng.standard_normal((5, 3))
    eps, J = rng.standard_normal(x.shape), ae(params, SIGMOID, x)[0]
    first = first_order(params, SIGMOID, x, eps)[0] - J
    t = np.array([1e-2, 1e-3, 1e-4])
    remainder = [abs(denoising(params, SIGMOID, x, x + step * eps)[0] - J - step * first) for step in t]
    np.testing.assert_allclose(np.diff(np.log(remainder)) / np.diff(np.log(t)), 2, atol=0.1)


def test_corruption_has_the_variance_asked_for_and_the_data_s_dtype():
    eps = corruption(np.zeros((200, 500), np.float32), 0.25, np.random.default_rng(0))
    assert eps.dtype == np.float32
    # 1e5 draws: the variance is known to 0.25 sqrt(2 / 1e5) = 0.0011 a standard deviation.
    assert abs(eps.var() - 0.25) < 5 * 0.0011 and abs(eps.mean()) < 5 * 0.5 / 1e5**0.5


def test_noise_without_a_generator_is_refused():
    with pytest.raises(ValueError, match="^rng is None; a model with sigma2 > 0 draws noise and needs a numpy"):
        corruption(np.ones((2, 2)), 0.5, None)


@given(problem=problems(SMOOTH), v=st.floats(0.1, 3))
def test_equal_variances_turn_equation_10_into_11(problem, v):
    params, activation, x, _, _ = problem
    general = Penalised(MarginalisedPenalty(np.full(x.shape[1], v)))(params, activation, x, 1.0)
    equal = PAPER_OBJECTIVES["mDAE"](params, activation, x, v, None)
    assert general[0] == pytest.approx(equal[0], rel=1e-12)
    for one, other in zip(general[1].dense(params), equal[1].dense(params), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11 * max(1, np.abs(other).max()))


def test_without_bias_freezes_it():
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((4, 3)), np.zeros(4)), rng.standard_normal((5, 3))
    J, grad = without_bias(PAPER_OBJECTIVES["SAE"])(params, SIGMOID, x, 0.5, rng)
    full = PAPER_OBJECTIVES["SAE"](params, SIGMOID, x, 0.5, rng)
    assert J == full[0] and full[1].g_b_e.any()
    np.testing.assert_array_equal(grad.g_b_e, np.zeros(4), strict=True)
    np.testing.assert_array_equal(grad.dense(params).W, full[1].dense(params).W)
    assert without_bias(dae)(params, SIGMOID, x)[0] == ae(params, SIGMOID, x)[0], "the default of sigma2 is 0"


@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
def test_negative_sigma2_is_refused(model):
    params = Params(np.ones((2, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="^sigma2 is -0.1; it must be a number"):
        PAPER_OBJECTIVES[model](params, RELU, np.ones((3, 2)), -0.1, np.random.default_rng(0))


@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
@pytest.mark.parametrize("activation", [RELU, SIGMOID])
def test_float32_stays_float32(model, activation):
    rng = np.random.default_rng(0)
    params = Params(rng.standard_normal((4, 3), np.float32), np.zeros(4, np.float32))
    J, grad = PAPER_OBJECTIVES[model](params, activation, rng.standard_normal((5, 3), np.float32), 0.5, rng)
    parts = [part for pair in grad.factors for part in pair] + [grad.g_b_e, grad.row_scale, grad.dense_part]
    assert {part.dtype for part in parts if part is not None} == {np.dtype(np.float32)}
    assert isinstance(J, float) and {part.dtype for part in grad.dense(params)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("model", "order"),
    [
        *((name, 1) for name in ("AE", "DAE", "SAE", "KL", "L1")),
        *((name, 2) for name in ("CAE", "mDAE", "eDAE", "CAE+H")),
        ("taylor_dae", 3),
    ],
)
def test_a_model_asks_for_the_derivatives_of_s_e_that_its_gradient_needs_and_no_more(model, order):
    """What a user's own activation must supply, and what a step costs: one derivative for the loss, a second where
    R has h' in it, a third where it has h''."""
    seen = []
    watched = replace(SIGMOID, jet=lambda a, order: seen.append(order) or SIGMOID(a, order))
    rng = np.random.default_rng(0)
    PAPER_OBJECTIVES[model](Params(np.ones((2, 3)), np.zeros(2)), watched, np.ones((4, 3)), 0.5, rng)
    assert max(seen) == order


def test_units_beyond_the_domain_of_the_penalty_are_counted_in_the_gradient():
    """The record tells how often: of the means log(1 + exp(b)), b = -1, 2, 3, two lie above 1."""
    params = Params(np.zeros((3, 2)), np.array([-1.0, 2.0, 3.0]))
    assert (
        PAPER_OBJECTIVES["SAE"](params, PAPER_ACTIVATIONS["softplus"], np.ones((4, 2)), 0.5, None)[1].n_extrapolated
        == 2
    )


def test_dae_without_noise_draws_none():
    """So the run at sigma2 = 0 is the plain auto-encoder's, and costs the same."""
    params, x = Params(np.ones((2, 3)), np.zeros(2)), np.ones((4, 3))
    assert dae(params, SIGMOID, x, 0.0, rng=None)[0] == ae(params, SIGMOID, x)[0]


def test_dae_draws_new_noise_each_time():
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((4, 3)), np.zeros(4)), rng.standard_normal((5, 3))
    assert dae(params, SIGMOID, x, 0.5, rng)[0] != dae(params, SIGMOID, x, 0.5, rng)[0]


@pytest.mark.parametrize("objective", [PAPER_OBJECTIVES["AE"], ae, dae, edae, Penalised(CAE)])
def test_a_negative_coefficient_is_refused_by_name(objective):
    """By the objective itself, too, without the model's name around it."""
    params = Params(np.ones((1, 1)), np.zeros(1))
    with pytest.raises(ValueError, match="^sigma2 is -1.0; it must be a number"):
        objective(params, SIGMOID, np.ones((2, 1)), -1.0, np.random.default_rng(0))


@pytest.mark.parametrize("model", [*OBJECTIVES.values(), dae, edae, Penalised(CAE)])
def test_without_sigma2_and_rng_every_model_is_the_plain_auto_encoder(model):
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((4, 3)), np.zeros(4)), rng.standard_normal((5, 3))
    (J, grad), (plain, plain_grad) = model(params, RELU, x), ae(params, RELU, x)
    assert J == plain
    for part, same in zip(grad.dense(params), plain_grad.dense(params), strict=True):
        np.testing.assert_array_equal(part, same)


@pytest.mark.parametrize(
    ("x", "eps", "sentence"),
    [
        (np.ones(2), np.ones(2), "x is float64 (2,); it must be a float64 array of shape (samples, 2)"),
        (np.ones((3, 2)), np.ones((1, 2)), "eps is float64 (1, 2); it must be a float64 array of shape (3, 2)"),
    ],
)
def test_the_first_order_objective_names_what_does_not_fit(x, eps, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        first_order(Params(np.eye(2), np.zeros(2)), SIGMOID, x, eps)


def test_continued_sae_has_the_penalty_and_the_name_of_its_eps():
    params, x = Params(np.eye(2), np.ones(2)), np.array([[1.0, 2.0], [3.0, -1.0]])
    model, right = sae_continued(0.25), Penalised(sae(0.25))
    assert model.name == "SAE(eps=0.25)" and model(params, RELU, x, 0.5)[0] == right(params, RELU, x, 0.5)[0]
    assert right(params, RELU, x, 0.5)[0] != PAPER_OBJECTIVES["SAE"](params, RELU, x, 0.5)[0]


@pytest.mark.parametrize("model", ["DAE", "eDAE", "CAE+H", "antithetic", "2-copies"])
@pytest.mark.parametrize(("rng", "shown"), [(None, "None"), (3, "3")])
def test_a_model_that_draws_noise_asks_for_a_generator(model, rng, shown):
    params = Params(np.ones((4, 3)), np.zeros(4))
    message = f"rng is {shown}; {model} with sigma2 > 0 draws noise and needs a numpy.random.Generator"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        OBJECTIVES[model](params, SIGMOID, np.ones((5, 3)), 0.5, rng)


@pytest.mark.parametrize("model", ["AE", "CAE", "mDAE", "SAE", "taylor_dae", "KL", "L1"])
def test_a_model_without_noise_needs_no_generator(model):
    params = Params(np.ones((4, 3)), np.zeros(4))
    assert np.isfinite(OBJECTIVES[model](params, SIGMOID, np.ones((5, 3)), 0.5)[0])
