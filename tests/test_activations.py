"""Jets: derivatives one order at a time, stability far out, and Sec. 2.1.2's claims about each activation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from numpy_rae.activations import ACTIVATIONS, Activation

by_name = pytest.mark.parametrize("s_e", ACTIVATIONS.values(), ids=ACTIVATIONS)
GRID = np.linspace(-30, 30, 6001).reshape(-1, 1)


@by_name
@given(a=st.floats(-8, 8))
def test_each_derivative_is_the_slope_of_the_one_before(s_e: Activation, a: float):
    a = a if all(abs(a - kink) > 0.1 for kink in s_e.kinks) else a + 0.5
    t = np.array([1e-2, 1e-3])
    jet, ahead, behind = s_e(np.array([a])), s_e(a + t), s_e(a - t)
    for order in range(3):
        error = np.abs((ahead[order] - behind[order]) / (2 * t) - jet[order + 1])
        # Central differences: a hundredth of the error on a tenth of the step, until rounding takes over.
        assert error[1] <= error[0] / 50 + 1e-12


@by_name
@given(a=st.floats(-10, 10))
def test_jet_agrees_with_the_reference_formulas(s_e: Activation, a: float):
    jet = s_e(np.array([a]))
    for order, formula in enumerate(reference.JETS[s_e.name]):
        expected = formula(np.array([a]))
        assert abs(jet[order] - expected) <= 8 * np.finfo(float).eps * max(1, abs(expected[0]))


@by_name
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_every_derivative_is_finite_and_keeps_dtype(s_e: Activation, dtype):
    a = np.array([-1e4, -800, -90, 0, 90, 800, 1e4], dtype)
    for part in s_e(a):
        assert np.isfinite(part).all() and part.dtype == dtype and part.shape == a.shape
    for part in s_e(a)[2:]:
        assert part[0] == part[-1] == 0


@by_name
@pytest.mark.parametrize("order", [1, 2, 3])
def test_jet_is_filled_up_to_the_order_asked_for(s_e: Activation, order: int):
    full, jet = s_e(GRID, 3), s_e(GRID, order)
    for k, part in enumerate(jet):
        if k > order:
            assert part is None
        else:
            np.testing.assert_array_equal(part, full[k])


@by_name
def test_claims_hold_on_a_grid_and_fail_where_not_claimed(s_e: Activation):
    h, dh_da, d2h_da2, _ = s_e(GRID)
    assert s_e.non_decreasing == (dh_da >= 0).all()
    assert s_e.slope_in_unit == ((0 <= dh_da) & (dh_da <= 1)).all()
    assert s_e.convex == (d2h_da2 >= 0).all()
    assert s_e.zero_on_left == (s_e(np.array([-1e4]), 1).h[0] == 0)
    assert s_e.non_negative == (h >= 0).all()


def test_relu_at_its_kink_takes_the_left_derivative():
    jet = ACTIVATIONS["relu"](np.zeros(1))
    assert [part[0] for part in jet] == [0, 0, 0, 0]
