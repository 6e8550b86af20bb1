"""The checks themselves: they pass a right gradient, and catch every kind of wrong one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import SIGMOID
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.gradcheck import check_gradient, directional, flatten, taylor_slope, unflatten
from numpy_rae.objectives import MODELS


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
        J, grad = MODELS["CAE"](p, SIGMOID, x, 0.5, None)
        dense = grad.dense(p)
        return J, Gradient((), fault * dense.b_e, direct=fault * dense.W)

    checks = check_gradient(scaled, params, np.random.default_rng(1))
    assert len(checks) == 5 and not any(check.passed for check in checks)
    assert "WRONG" in str(checks[0]) and "analytic" in str(checks[0]) and "step 0.001" in str(checks[0])
    assert all(check.passed for check in check_gradient(lambda p: MODELS["CAE"](p, SIGMOID, x, 0.5, None), params, rng))


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
