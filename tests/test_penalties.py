"""Every penalty: values against loops over the whole Jacobian, gradients against complex steps, edges of the domain."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems

from numpy_rae._contracts import check_penalty
from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SIGMOID, SOFTPLUS, TANH
from numpy_rae.autoencoder import Params, backward, forward, init_params
from numpy_rae.penalties import (  # fmt: skip
    CAE,
    EPS,
    EPS_ABOVE_1,
    L1,
    MDAE,
    PENALTIES,
    SAE,
    JacobianPenalty,
    MeanActivationPenalty,
    WeightDecay,
    identity,
    kl,
    sae,
    sae_with_target,
)
from numpy_rae.registry import ACTIVATIONS
from numpy_rae.row_norms import row_len2
from numpy_rae.taylor_penalties import CrossTerm, HessianTerm, MarginalisedPenalty, ResidualTerm

ORACLES = {
    "SAE": reference.sae,
    "CAE": reference.cae,
    "mDAE": reference.mdae,
    "L1": reference.l1,
    "KL": reference.kl,
    "decay": reference.decay,
}
by_name = pytest.mark.parametrize("name", PENALTIES)
NON_NEGATIVE = tuple(s for s in PAPER_ACTIVATIONS.values() if s.non_negative)


def value_and_dense_gradient(penalty, params, activation, x):
    fwd = forward(params, activation, x, penalty.order)
    R, grad = penalty.value_and_grad(params, activation, fwd, None)
    return R, backward(params, fwd, np.zeros_like(x), grad).dense(params)


@by_name
@given(problem=problems(NON_NEGATIVE))
def test_value_equals_the_loops(name, problem):
    R, _ = value_and_dense_gradient(PENALTIES[name], problem.params, problem.activation, problem.x)
    expected = ORACLES[name](*problem.params, problem.x, problem.activation.name)
    assert R == pytest.approx(expected, rel=1e-11, abs=1e-13)


@by_name
@given(problem=problems(NON_NEGATIVE))
def test_gradient_equals_a_complex_step(name, problem):
    params, activation, x, _, _ = problem
    _, grad = value_and_dense_gradient(PENALTIES[name], params, activation, x)
    g_W, g_b = reference.complex_gradient(lambda W, b: ORACLES[name](W, b, x, activation.name), *params)
    np.testing.assert_allclose(grad.W, g_W, rtol=1e-10, atol=1e-12 * max(1, np.abs(g_W).max()))
    np.testing.assert_allclose(grad.b_e, g_b, rtol=1e-10, atol=1e-12 * max(1, np.abs(g_b).max()))


@given(problem=problems(), q=st.integers(1, 5), p=st.sampled_from([0, 2, 4, 6]))
def test_any_power_of_the_jacobian(problem, q, p):
    agrees_with_the_loops(problem, q, p)


@given(problem=problems(least=0.2), q=st.integers(1, 5), p=st.sampled_from([1, 3, 5, 7]))
def test_any_odd_length_power_of_the_jacobian(problem, q, p):
    """No row is zero, because the length has no derivative at a zero row."""
    agrees_with_the_loops(problem, q, p)


def agrees_with_the_loops(problem, q, p):
    params, activation, x, _, _ = problem
    R, grad = value_and_dense_gradient(JacobianPenalty(q, p), params, activation, x)

    def oracle(W, b):
        return reference.power_of_jacobian(W, b, x, activation.name, q, p)

    assert R == pytest.approx(oracle(*params), rel=1e-11, abs=1e-13)
    g_W, g_b = reference.complex_gradient(oracle, *params)
    np.testing.assert_allclose(grad.W, g_W, rtol=1e-10, atol=1e-12 * max(1, np.abs(g_W).max()))
    np.testing.assert_allclose(grad.b_e, g_b, rtol=1e-10, atol=1e-12 * max(1, np.abs(g_b).max()))


@given(problem=problems((SOFTPLUS,)), q=st.integers(1, 3))
def test_odd_length_power_is_the_geometric_mean_of_its_neighbours(problem, q):
    """For one unit, R_p = s len^p. So R_1^2 = R_0 R_2, and the product rule gives the gradients."""
    params = Params(problem.params.W[:1] + 3, problem.params.b_e[:1])
    R0, R1, R2 = (value_and_dense_gradient(JacobianPenalty(q, p), params, SOFTPLUS, problem.x) for p in (0, 1, 2))
    assert R1[0] ** 2 == pytest.approx(R0[0] * R2[0], rel=1e-12)
    np.testing.assert_allclose(2 * R1[0] * R1[1].W, R0[0] * R2[1].W + R2[0] * R0[1].W, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("p", [0, 1, 2, 3, 4])
def test_zero_row_has_a_finite_gradient(p):
    params = Params(np.zeros((1, 2)), np.zeros(1))
    R, grad = value_and_dense_gradient(JacobianPenalty(2, p), params, SOFTPLUS, np.ones((3, 2)))
    assert R == (0.25 if p == 0 else 0)
    # h'(0) h''(0) = 1/8 reaches W through a only if the power of the length is not 0.
    np.testing.assert_allclose(grad.W, np.full((1, 2), 0.25 if p == 0 else 0))


@pytest.mark.parametrize(("p", "slope"), [(0, 0), (1, 0), (2, 0.25), (4, 0)])
def test_slope_in_the_length_at_a_zero_row(p, slope):
    """(e) in the docstring: for p = 2 the slope is s = h'(0)^2 = 1/4, because len2^0 = 1. Otherwise it is 0."""
    params = Params(np.zeros((1, 2)), np.zeros(1))
    _, grad = JacobianPenalty(2, p).value_and_grad(params, SOFTPLUS, forward(params, SOFTPLUS, np.ones((3, 2)), 2))
    assert grad.dR_dlen2.tolist() == [slope]


@pytest.mark.parametrize("penalty", [SAE, sae_with_target(0.05)])
def test_beyond_the_domain_the_tangent_goes_on(penalty):
    """The penalty is C1 at each edge and linear beyond it. So no NaN occurs and the gradient is kept."""
    low, high = penalty.domain
    for edge, side in ((low, -1), (high, 1)):
        if np.isfinite(edge):
            beyond = np.array([0.0, 1e-9, 0.5, 7.0])
            f, df, n_extrapolated = penalty.extrapolated(edge + side * beyond)
            _, inside, _ = penalty.extrapolated(np.array([edge - side * 1e-9]))
            assert n_extrapolated == 3
            np.testing.assert_allclose(df, inside.item(), rtol=1e-5)
            np.testing.assert_allclose(f - f[0], side * beyond * df[0], rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("eps", [1e-3, 0.02])
def test_eq_12_goes_on_along_its_tangents_from_eps_and_from_1_minus_eps(eps):
    """At the edge, f' = -rho_0 / rho + (1 - rho_0) / (1 - rho).

    Beyond the edge, f' keeps this value: for a dead unit (rho = 0), and for means of 1 and 2.
    """
    f, df, n_extrapolated = sae_with_target(0.2, eps).extrapolated(np.array([0, eps, 0.2, 1 - eps, 1, 2]))
    low, high = -0.2 / eps + 0.8 / (1 - eps), -0.2 / (1 - eps) + 0.8 / eps
    np.testing.assert_allclose(df, [low, low, 0, high, high, high], rtol=1e-12, atol=1e-15)
    assert n_extrapolated == 3 and f[0] == pytest.approx(f[1] - eps * low) and f[5] == pytest.approx(f[4] + high)


@given(rho=st.floats(0, 1e6))
def test_cor_1_slope_is_positive_on_the_whole_half_line(rho):
    _, df, _ = SAE.extrapolated(np.array([rho]))
    assert 1 <= df[0] <= 1001


@given(bias=st.floats(-3, 50))
def test_saturated_units_still_feel_the_penalty(bias):
    """rho is far above 1, where a clipped rho would have no gradient. The units beyond the domain are counted."""
    params = Params(np.array([[0.5]]), np.array([bias]))
    fwd = forward(params, SOFTPLUS, np.array([[1.0], [-1.0]]))
    R, grad = SAE.value_and_grad(params, SOFTPLUS, fwd)
    rho = fwd.jet.h.mean()
    assert np.isfinite(R) and (grad.dR_da > 0).all()
    assert grad.n_extrapolated == (rho > 1 - EPS_ABOVE_1)
    slope = 1 / EPS_ABOVE_1 if rho > 1 - EPS_ABOVE_1 else 1 / (1 - rho)
    np.testing.assert_allclose(grad.dR_da, slope * fwd.jet.dh_da / 2)


@given(rho=st.floats(0.01, 0.99), exponent=st.integers(3, 12))
def test_target_to_zero_turns_equation_12_into_13(rho, exponent):
    """The difference is rho_0 times logarithms, so it goes to 0 at the rate of rho_0."""
    rho, rho_0 = np.array([rho]), 10.0**-exponent
    logs = 1 + abs(np.log(rho_0)) + abs(np.log(rho)) + abs(np.log(1 - rho))
    assert abs(kl(rho, rho_0)[0] - kl(rho)[0]) <= rho_0 * logs
    assert abs(kl(rho, rho_0)[1] - kl(rho)[1]) <= rho_0 * (1 / rho + 1 / (1 - rho)) * (1 + 1e-3)
    np.testing.assert_allclose(kl(rho)[0], -np.log(1 - rho), rtol=1e-13)


def test_target_is_the_minimum():
    f, df = kl(np.array([0.01, 0.05, 0.2]), 0.05)
    assert f[1] == 0 and df[1] == 0 and df[0] < 0 < df[2] and f[0] > 0 < f[2]


@pytest.mark.parametrize(("activation", "bias"), [("relu", -5.0), ("sigmoid", -800.0), ("softplus", -800.0)])
def test_kl_of_a_dead_unit_is_finite_but_leaves_it_dead(activation, bias):
    """rho = 0. Below eps, R and f' follow the tangent. But h' = 0 at every sample, and dR/da = f' h' / N."""
    penalty, eps = sae_with_target(0.05), 1e-3
    params, x = Params(np.array([[1.0]]), np.array([bias])), np.array([[1.0], [-1.0]])
    fwd = forward(params, PAPER_ACTIVATIONS[activation], x)
    R, grad = value_and_dense_gradient(penalty, params, PAPER_ACTIVATIONS[activation], x)
    (at_eps,), (slope,) = kl(np.array([eps]), 0.05)
    assert fwd.jet.h.max() == 0 and slope < -49 and R == pytest.approx(at_eps - slope * eps) and R > at_eps
    assert penalty.value_and_grad(params, PAPER_ACTIVATIONS[activation], fwd)[1].n_extrapolated == 1
    assert grad.b_e[0] == 0 and grad.W[0, 0] == 0


@given(bias=st.floats(-60, -8))
def test_kl_pushes_up_a_nearly_dead_unit_below_the_domain_as_its_slope_allows(bias):
    """For softplus with rho < eps, the gradients are (eps - rho_0) / (eps (1 - eps)) times E[h'] and E[h' x]."""
    eps, rho_0 = 1e-3, 0.05
    params, x = Params(np.array([[0.5]]), np.array([bias])), np.array([[1.0], [-1.0]])
    e = np.exp(x / 2 + bias)
    h, slope = np.log1p(e), (eps - rho_0) / (eps * (1 - eps))
    _, grad = value_and_dense_gradient(sae_with_target(rho_0, eps), params, SOFTPLUS, x)
    assert 0 < h.mean() < eps and grad.b_e[0] < 0
    np.testing.assert_allclose(grad.b_e[0], slope * (e / (1 + e)).mean(), rtol=1e-12)
    np.testing.assert_allclose(grad.W[0, 0], slope * (e / (1 + e) * x).mean(), rtol=1e-12)


def test_activation_below_zero_is_refused_by_name():
    params = Params(np.ones((1, 1)), np.zeros(1))
    fwd = forward(params, TANH, np.ones((2, 1)))
    sentence = "^activation tanh takes negative values; this penalty needs a mean above 0.001$"
    with pytest.raises(ValueError, match=sentence):
        sae_with_target(0.05).value_and_grad(params, TANH, fwd)


def test_target_below_the_continuation_is_refused():
    with pytest.raises(ValueError, match=r"^rho_0 is 0.0001; it must be a number in \[0.001, 0.999\]"):
        sae_with_target(1e-4)


@pytest.mark.parametrize("arguments", [{"q": 0}, {"q": 1.5}, {"p": -1}, {"p": 0.5}])
def test_powers_outside_the_corollary_are_refused(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"^{name} is .* must be a whole number"):
        JacobianPenalty(**arguments)


def test_relu_bias_gradient_is_exactly_zero_for_cae_and_mdae():
    rng = np.random.default_rng(0)
    params = Params(rng.standard_normal((5, 3)), rng.standard_normal(5))
    for penalty in (CAE, MDAE):
        R, grad = value_and_dense_gradient(penalty, params, RELU, rng.standard_normal((7, 3)))
        assert R > 0 and not grad.b_e.any() and grad.W.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("f", [identity, kl, lambda rho: kl(rho, 0.05)], ids=["L1", "SAE", "KL"])
def test_value_and_slope_of_f_have_the_shape_and_dtype_of_rho(f, dtype):
    rho = np.array([0.1, 0.2, 0.7], dtype)
    assert [(part.shape, part.dtype) for part in f(rho)] == 2 * [((3,), dtype)]


def test_a_user_function_is_a_penalty():
    square = MeanActivationPenalty(lambda rho: (rho**2, 2 * rho))
    params = Params(np.array([[1.0]]), np.array([0.0]))
    R, grad = value_and_dense_gradient(square, params, RELU, np.array([[1.0], [3.0]]))
    assert (R, grad.b_e[0], grad.W[0, 0]) == (4, 4, 8)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: MeanActivationPenalty(identity, domain=(0.5, 0.5)),
         "domain is (0.5, 0.5); its first number must be below the second"),
        (lambda: MeanActivationPenalty(identity, domain=(0.1, 0.2, 0.3)),
         "domain is (0.1, 0.2, 0.3); it must be a pair of numbers"),
        (lambda: MeanActivationPenalty(identity, domain_at_most_1=(0.5, 0.5)),
         "domain_at_most_1 is (0.5, 0.5); its first number must be below the second"),
        (lambda: sae(1.5), "eps is 1.5; it must be a number in [1e-06, 1]"),
        (lambda: sae_with_target(0.5, 0.0), "eps is 0.0; it must be a number in [1e-06, 0.5]"),
        (lambda: sae_with_target(0.5, 0.75), "eps is 0.75; it must be a number in [1e-06, 0.5]"),
    ],
)  # fmt: skip
def test_a_domain_that_is_none_is_refused(call, sentence):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == sentence


def test_a_penalty_has_an_order_and_a_method():
    class OrderAlone:
        order = 1

    with pytest.raises(ValueError, match="^penalty is a OrderAlone; it must have an order and a method"):
        check_penalty(OrderAlone())


SECOND_ORDER = [CAE, MDAE, CrossTerm(), ResidualTerm(), HessianTerm(0.5), MarginalisedPenalty(np.ones(3))]


@pytest.mark.parametrize("penalty", SECOND_ORDER)
@pytest.mark.parametrize("s_e", [s_e for s_e in ACTIVATIONS.values() if s_e.piecewise_linear], ids=lambda s: s.name)
def test_without_a_second_derivative_nothing_is_left_out_but_zeros(penalty, s_e):
    rng = np.random.default_rng(0)
    x, params = rng.standard_normal((4, 3)), init_params(5, 3, rng, np.float64)
    fwd = forward(params, s_e, x, order=3)
    in_full = replace(s_e, piecewise_linear=False)
    (R, grad), (R_full, full) = (
        penalty.value_and_grad(params, one, fwd, np.random.default_rng(1)) for one in (s_e, in_full)
    )
    assert R == R_full and grad.dR_da is None and not full.dR_da.any()
    g_y = rng.standard_normal(x.shape)
    for short, long in zip(*(backward(params, fwd, g_y, part).dense(params) for part in (grad, full)), strict=True):
        np.testing.assert_array_equal(short, long)


@pytest.mark.parametrize("eps", [1e-6, 1e-3, 0.1, 0.5])
def test_sae_s_slope_is_1_over_eps_beyond_1_minus_eps(eps):
    """The penalty is -log(1 - rho) below 1 - eps. Above, it is the tangent log(1 / eps) + (rho - 1 + eps) / eps."""
    rho = np.array([0, (1 - eps) / 2, 1 - eps, 1, 3])
    f, df, n_extrapolated = sae(eps).extrapolated(rho)
    np.testing.assert_allclose(df, [1, 2 / (1 + eps), 1 / eps, 1 / eps, 1 / eps], rtol=1e-9)
    np.testing.assert_allclose(f[:2], [0, -np.log((1 + eps) / 2)], atol=1e-15)
    np.testing.assert_allclose(f[2:], np.log(1 / eps) + np.array([0, 1, 2 / eps + 1]), rtol=1e-9)
    assert n_extrapolated == 2


def test_sae_with_eps_1_is_l1():
    rho = np.array([0, 0.3, 1, 5])
    assert [part.tolist() for part in sae(1.0).extrapolated(rho)[:2]] == [part.tolist() for part in L1.f(rho)]


def test_the_default_continuation_depends_on_whether_h_can_exceed_1():
    assert sae() == SAE
    params = Params(np.zeros((1, 1)), np.array([5.0]))  # h = 5 with relu, 5.007 with softplus, 0.993 with sigmoid
    for activation, eps in ((RELU, EPS_ABOVE_1), (SOFTPLUS, EPS_ABOVE_1), (SIGMOID, EPS)):
        fwd = forward(params, activation, np.ones((2, 1)))
        found, expected = (penalty.value_and_grad(params, activation, fwd) for penalty in (SAE, sae(eps)))
        assert found[0] == expected[0] and (found[1].dR_da == expected[1].dR_da).all()


def test_each_kind_of_activation_takes_its_own_domain():
    penalty = MeanActivationPenalty(kl, (-np.inf, 0.5), domain_at_most_1=(-np.inf, 0.9))
    assert penalty.extrapolated(np.array([0.7]))[1] == pytest.approx(2)
    assert penalty.extrapolated(np.array([0.7]), at_most_1=True)[1] == pytest.approx(1 / 0.3)
    params = Params(np.zeros((1, 1)), np.array([np.log(7 / 3)]))  # sigmoid: h = 0.7; softplus: h = log(10 / 3) = 1.2
    for activation, continued in ((SIGMOID, 0), (SOFTPLUS, 1)):
        _, grad = penalty.value_and_grad(params, activation, forward(params, activation, np.ones((2, 1))))
        assert grad.n_extrapolated == continued


@pytest.mark.parametrize("penalty", [CAE, MDAE, WeightDecay()])
def test_lengths_handed_on_are_used(penalty):
    """With len2 of another W, R and dR/d(len2) are those of the other W. h' does not depend on it."""
    rng = np.random.default_rng(0)
    params = init_params(3, 2, rng, np.float64)
    fwd = forward(params, SIGMOID, rng.standard_normal((4, 2)), 2)
    doubled = Params(2 * params.W, params.b_e)
    found = penalty.value_and_grad(params, SIGMOID, fwd, len2=4 * row_len2(params.W))
    right = penalty.value_and_grad(doubled, SIGMOID, fwd)
    assert found[0] == right[0] and (found[1].dR_dlen2 == right[1].dR_dlen2).all()
