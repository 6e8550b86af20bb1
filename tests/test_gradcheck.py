"""Tests of the gradient checks: they must pass a right gradient and detect every kind of wrong one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import SIGMOID
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.gradcheck import check_gradient, directional, flatten, taylor_slope, unflatten
from numpy_rae.objectives import PAPER_OBJECTIVES


def quartic(vector):
    return float((vector**4).sum()), 4 * vector**3


@given(scale=st.floats(0.5, 2), seed=st.integers(0, 999))
def test_slope_is_two_for_the_right_gradient_and_one_for_a_wrong_one(scale, seed):
    rng = np.random.default_rng(seed)
    point, d = scale * rng.uniform(0.5, 1.5, 3), rng.uniform(0.5, 1, 3)
    assert taylor_slope(quartic, point, d) == pytest.approx(2, abs=0.01)
    assert taylor_slope(lambda p: (quartic(p)[0], 2 * quartic(p)[1]), point, d) == pytest.approx(1, abs=0.01)


def test_a_linear_function_has_no_remainder():
    assert taylor_slope(lambda p: (float(p.sum()), np.ones_like(p)), np.ones(3), np.arange(3.0)) == math.inf


def test_fourth_order_difference_is_exact_on_quartics():
    check = directional(quartic, np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    assert check.analytic == 36 and check.numeric == pytest.approx(36, abs=1e-9) and check.passed


@pytest.mark.parametrize("fault", [0.5, 2.0, -1.0, 1.000001])
def test_a_scaled_gradient_is_reported_wrong(fault):
    rng = np.random.default_rng(0)
    params, x = Params(rng.standard_normal((3, 2)), rng.standard_normal(3)), rng.standard_normal((4, 2))

    def scaled(p):
        J, grad = PAPER_OBJECTIVES["CAE"](p, SIGMOID, x, 0.5, None)
        dense = grad.dense(p)
        return J, Gradient((), fault * dense.b_e, dense_part=fault * dense.W)

    checks = check_gradient(scaled, params, np.random.default_rng(1))
    assert len(checks) == 5 and not any(check.passed for check in checks)
    assert "WRONG" in str(checks[0]) and "analytic" in str(checks[0]) and "step 0.001" in str(checks[0])
    assert all(
        check.passed
        for check in check_gradient(lambda p: PAPER_OBJECTIVES["CAE"](p, SIGMOID, x, 0.5, None), params, rng)
    )


def test_a_kink_is_named_with_both_slopes():
    check = directional(lambda p: (float(np.abs(p).sum()), np.sign(p)), np.zeros(1), np.ones(1))
    assert (check.left, check.right) == (-1, 1) and not check.passed
    assert "AT A KINK, slope -1.000000e+00 on the left and +1.000000e+00 on the right: move the point" in str(check)


@given(seed=st.integers(0, 999))
def test_smooth_functions_have_no_kink(seed):
    rng = np.random.default_rng(seed)
    check = directional(quartic, rng.standard_normal(3), rng.standard_normal(3))
    assert check.left is None and check.passed


def test_flatten_and_back():
    params = Params(np.arange(6.0).reshape(2, 3), np.array([7.0, 8.0]))
    for back, part in zip(unflatten(flatten(params), params), params, strict=True):
        np.testing.assert_array_equal(back, part)


DOWN = -np.ones(3)
HERE = np.array([0.3, -0.7, 1.1])


def test_a_gradient_in_a_reused_buffer_is_copied_at_once():
    buffer, value = np.empty(3), np.empty(())

    def reuses(p):
        np.multiply(4, p**3, out=buffer)
        value[()] = (p**4).sum()
        return value, buffer

    assert directional(reuses, HERE, DOWN).passed
    assert taylor_slope(reuses, HERE, DOWN) == pytest.approx(2, abs=0.05)


def test_a_function_may_write_into_its_argument():
    def destroys(p):
        result = quartic(p.copy())
        p[:] = 7
        return result

    kept = HERE.copy()
    assert directional(destroys, kept, DOWN).passed and taylor_slope(destroys, kept, DOWN) > 1.9
    np.testing.assert_array_equal(kept, HERE)


def test_an_objective_may_write_into_its_parameters():
    """`Gradient.row_scale` means a multiple of the W that was given, not of the W after the call."""
    params = Params(np.array([[1.0, 2.0], [-0.5, 0.3]]), np.array([0.1, 0.2]))

    def destroys(p):
        J = float((p.W**2).sum())
        p.W[:] = 0
        return J, Gradient((), np.zeros(2), row_scale=np.array([2.0, 2.0]))

    assert all(check.passed for check in check_gradient(destroys, params, np.random.default_rng(0)))


@pytest.mark.parametrize("scale", [1e-300, 1e-100, 1e-12, 1.0, 1e12, 1e100])
def test_the_scale_of_f_hides_no_fault(scale):
    right, wrong = (lambda p, f=f: (scale * quartic(p)[0], f * scale * quartic(p)[1]) for f in (1, -1))
    assert directional(right, HERE, DOWN).passed and taylor_slope(right, HERE, DOWN) > 1.9
    assert directional(wrong, HERE, DOWN).verdict == "WRONG"
    assert taylor_slope(wrong, HERE, DOWN) == pytest.approx(1, abs=0.01)


def test_what_rounding_hides_is_too_small_to_tell_with_either_sign():
    for sign in (1, -1):
        check = directional(lambda p: (1e12 + float(p.sum()), sign * np.ones(3)), HERE, DOWN)  # noqa: B023
        assert not check.passed and "TOO SMALL TO TELL" in str(check)
        assert math.isnan(taylor_slope(lambda p: (1e20 + float(p.sum()), sign * np.ones(3)), HERE, DOWN))  # noqa: B023
    flat = directional(lambda p: (5.0, np.zeros(3)), HERE, DOWN)
    assert flat.passed and taylor_slope(lambda p: (5.0, np.zeros(3)), HERE, DOWN) == math.inf


def test_a_step_lost_in_a_large_point_is_no_wrong_gradient():
    check = directional(lambda p: (float((p - 1e20).sum()), np.ones(3)), np.full(3, 1e20), DOWN)
    assert "TOO SMALL TO TELL" in check.verdict


@pytest.mark.parametrize("size", [1e-9, 1e-3, 1.0])
def test_noise_is_named_and_is_no_kink(size):
    rng = np.random.default_rng(0)

    def noisy(p):
        value, gradient = quartic(p)
        return value + size * rng.standard_normal(), gradient

    check = directional(noisy, HERE, DOWN)
    assert not check.passed and check.verdict.startswith("NOT DETERMINISTIC, two results at the same point differ by ")
    with pytest.raises(ValueError, match="^f is not deterministic; two values at the same point differ by "):
        taylor_slope(noisy, HERE, DOWN)


def test_noise_that_vanishes_at_the_point_or_is_in_the_gradient_alone_is_seen():
    rng = np.random.default_rng(0)
    away = directional(lambda p: (float(rng.standard_normal(3) @ p), np.ones(3)), np.zeros(3), DOWN)
    in_gradient = directional(lambda p: (quartic(p)[0], quartic(p)[1] + rng.standard_normal(3)), HERE, DOWN)
    assert "NOT DETERMINISTIC" in away.verdict and "NOT DETERMINISTIC" in in_gradient.verdict


def test_check_gradient_names_an_objective_that_draws_fresh_noise():
    rng, x = np.random.default_rng(0), np.random.default_rng(1).standard_normal((6, 2))
    params = Params(rng.standard_normal((3, 2)), rng.standard_normal(3))
    checks = check_gradient(
        lambda p: PAPER_OBJECTIVES["DAE"](p, SIGMOID, x, 0.5, rng), params, np.random.default_rng(2)
    )
    assert all("NOT DETERMINISTIC" in str(check) and "WRONG" not in str(check) for check in checks)


VALUE, GRADIENT = quartic(HERE)
FLOAT32 = GRADIENT.astype(np.float32)


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (VALUE, f"f returned {VALUE}; it must return the pair (value, gradient)"),
        ((VALUE, GRADIENT, 0), "f returned a tuple of 3; it must return the pair (value, gradient)"),
        (None, "f returned None; it must return the pair (value, gradient)"),
        ((VALUE, GRADIENT[:2]), "f returned float64 (2,) (ndarray) as a gradient; it must be a float64 array of shape (3,)"),
        ((VALUE, GRADIENT[:, None]), "f returned float64 (3, 1) (ndarray) as a gradient; it must be a float64 array of "
         "shape (3,)"),
        ((VALUE, FLOAT32), "f returned float32 (3,) (ndarray) as a gradient; it must be a float64 array of shape (3,)"),
        ((VALUE, GRADIENT + 0j), "f returned complex128 (3,) (ndarray) as a gradient; it must be a float64 array of shape (3,)"),
        ((VALUE, GRADIENT.tolist()), "f returned a list as a gradient; it must be a float64 array of shape (3,)"),
        ((VALUE, None), "f returned None as a gradient; it must be a float64 array of shape (3,)"),
        ((1 + 2j, GRADIENT), "f returned (1+2j) as its value; it must be one real number, such as a float"),
        ((np.array([VALUE]), GRADIENT), "f returned float64 (1,) (ndarray) as its value; it must be one real number, such "
         "as a float"),
        ((np.array([[VALUE]]), GRADIENT), "f returned float64 (1, 1) (ndarray) as its value; it must be one real number, "
         "such as a float"),
        ((True, GRADIENT), "f returned True as its value; it must be one real number, such as a float"),
        (("1", GRADIENT), "f returned '1' as its value; it must be one real number, such as a float"),
        ((np.float32(VALUE), GRADIENT), "f returned a value in float32; it must be computed in float64"),
        ((math.nan, GRADIENT), "f or its gradient is not finite at the point; they must be finite there"),
        ((VALUE, GRADIENT * math.inf), "f or its gradient is not finite at the point; they must be finite there"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("check", [directional, taylor_slope])
def test_a_function_that_returns_something_else_is_told_in_one_sentence(check, returned, sentence):
    with pytest.raises(ValueError) as error:
        check(lambda p: returned, HERE, DOWN)
    assert str(error.value) == sentence


@pytest.mark.parametrize("kind", [int, np.float64, np.longdouble, np.asarray])
def test_a_value_may_be_any_real_number(kind):
    check = directional(lambda p: (kind(3), np.zeros(3)), HERE, DOWN)
    assert check.passed and type(check.numeric) is float


def test_an_objective_that_returns_params_is_told_in_one_sentence():
    params = Params(np.ones((2, 3)), np.ones(2))
    with pytest.raises(ValueError, match="^value_and_grad returned a Params as its gradient; it must be a Gradient$"):
        check_gradient(lambda p: (1.0, p), params, np.random.default_rng(0))
    with pytest.raises(
        ValueError, match=r"^value_and_grad returned float64 \(3,\) \(ndarray\) as g_b_e; it must be a "
    ):
        check_gradient(lambda p: (1.0, Gradient((), np.ones(3))), params, np.random.default_rng(0))
