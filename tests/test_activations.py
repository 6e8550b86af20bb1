"""Jets: each derivative against the one before, accuracy for large |a|, Sec. 2.1.2's properties of activations."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import PAPER_ACTIVATIONS, SOFTPLUS, Activation, Jet
from numpy_rae.extra_activations import EXTRA_ACTIVATIONS, softplus_beta
from numpy_rae.registry import ACTIVATIONS

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
        # The step of central differences falls to a tenth, so the error falls to a hundredth, until rounding dominates.
        assert error[1] <= error[0] / 50 + 1e-12 * max(1, abs(jet[order][0]))


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
    curvature = 2 if s_e.name == "squared_relu" else 0
    assert [(part[0], part[-1]) for part in s_e(a)[2:]] == [(0, curvature), (0, 0)]


@by_name
@pytest.mark.parametrize("order", [1, 2, 3])
def test_jet_is_filled_up_to_the_order_asked_for(s_e: Activation, order: int):
    full, jet = s_e(GRID, 3), s_e(GRID, order)
    for k, part in enumerate(jet):
        if k > order:
            assert part is None
        else:
            np.testing.assert_array_equal(part, full[k])


def test_without_an_order_all_three_derivatives_are_asked_for_and_no_fourth():
    line = Activation("line", lambda a, order: {3: Jet(a, 1 + 0 * a, 0 * a, 0 * a)}[order], 0.1)
    assert line(np.array([2.0])) == (2, 1, 0, 0)


@by_name
def test_claims_hold_on_a_grid_and_fail_where_not_claimed(s_e: Activation):
    h, dh_da, d2h_da2, _ = s_e(GRID)
    assert s_e.non_decreasing == (dh_da >= 0).all()
    assert s_e.slope_in_unit == ((0 <= dh_da) & (dh_da <= 1)).all()
    # h'' is not defined at a kink. There, the slope itself must not fall.
    falls = [np.diff(s_e(np.array([kink - 1e-9, kink + 1e-9]), 1).dh_da)[0] < -1e-6 for kink in s_e.kinks]
    assert s_e.convex == ((d2h_da2 >= 0).all() and not any(falls))
    assert s_e.zero_on_left == (s_e(np.array([-1e4]), 1).h[0] == 0)
    assert s_e.non_negative == (h >= 0).all()
    assert s_e.piecewise_linear == (d2h_da2 == 0).all()


@by_name
def test_kinks_are_where_the_jet_jumps_and_nowhere_else(s_e: Activation):
    """Between points at a distance of 2e-9, a smooth function changes by about that much. A jump is larger."""
    a = np.union1d(GRID, s_e.kinks)
    left, right = s_e(a - 1e-9, 2), s_e(a + 1e-9, 2)
    moved = np.max([np.abs(after - before) for before, after in zip(left[:3], right[:3], strict=True)], axis=0)
    assert tuple(a[moved > 1e-3]) == s_e.kinks


@by_name
def test_at_a_kink_the_jet_is_the_limit_from_the_left(s_e: Activation):
    for kink in s_e.kinks:
        at, left = s_e(np.array([kink])), s_e(np.array([kink - 1e-9]))
        for here, before in zip(at, left, strict=True):
            assert abs(here - before) < 1e-8


@by_name
def test_threshold_is_zero_only_for_hard_zeros(s_e: Activation):
    """delta_min = 0 makes sense if the activation is exactly 0 on an interval (Eq. 14)."""
    assert s_e.delta_min == (0.0 if (s_e(np.linspace(-8, -4, 9), 1).h == 0).all() else 0.1)


@given(a=st.floats(-40, 40), power=st.integers(-4, 4))
def test_sharpness_scales_softplus(a, power):
    """h_beta(a) = h(beta a) / beta, with one more factor beta per derivative. This is exact for powers of two."""
    beta = 2.0**power
    sharp, plain = softplus_beta(beta)(np.array([a])), SOFTPLUS(np.array([beta * a]))
    assert [part[0] for part in sharp] == [part[0] * beta ** (order - 1) for order, part in enumerate(plain)]


@given(a=st.floats(-5, 5), power=st.integers(0, 8))
def test_sharp_softplus_is_within_log_2_over_beta_of_relu(a, power):
    beta, a = 2.0**power, np.array([a])
    gap = softplus_beta(beta)(a, 1).h - PAPER_ACTIVATIONS["relu"](a, 1).h
    assert 0 <= gap <= np.log(2) / beta * (1 + 1e-15)


@pytest.mark.parametrize("beta", [0, -1, np.inf, "4"])
def test_sharpness_that_is_not_positive_is_refused(beta):
    with pytest.raises(ValueError, match="^beta is .*; it must be a number in"):
        softplus_beta(beta)


def test_the_table_holds_the_paper_s_four_and_the_rest():
    assert list(PAPER_ACTIVATIONS) == ["relu", "sigmoid", "softplus", "tanh"]
    assert {
        **PAPER_ACTIVATIONS,
        **EXTRA_ACTIVATIONS,
    } == ACTIVATIONS and not PAPER_ACTIVATIONS.keys() & EXTRA_ACTIVATIONS
    assert all(name == s_e.name for name, s_e in ACTIVATIONS.items())


def test_relu_at_its_kink_takes_the_left_derivative():
    jet = PAPER_ACTIVATIONS["relu"](np.zeros(1))
    assert [part[0] for part in jet] == [0, 0, 0, 0]


def exact_sigmoid(a, prec=50):
    """Return the sigmoid and its three derivatives at the numbers a, computed with 50 digits."""
    rows = []
    with localcontext(prec=prec):
        for number in a:
            e = (-Decimal(float(number))).exp()
            h, rest = 1 / (1 + e), e / (1 + e)
            rows.append((h, h * rest, h * rest * (rest - h), h * rest * (1 - 6 * h * rest)))
    return list(zip(*rows, strict=True))


def exact_softplus(a):
    """Return log(1 + exp(a)) and its derivatives. 1 + exp(-700) needs 305 digits, so this uses 400."""
    with localcontext(prec=400):
        return [[(1 + Decimal(float(number)).exp()).ln() for number in a], *exact_sigmoid(a)[:3]]


def exact_tanh(a):
    """Return tanh(a) = (1 - e) / (1 + e), e = exp(-2 a), and its derivatives 4 s'(2 a), 8 s''(2 a) and 16 s'''(2 a)."""
    with localcontext(prec=50):
        exps = [(-2 * Decimal(float(number))).exp() for number in a]
        _, *rest = exact_sigmoid(2 * a.astype(float))
        derivatives = [[factor * s for s in part] for factor, part in zip((4, 8, 16), rest, strict=True)]
        return [[(1 - e) / (1 + e) for e in exps], *derivatives]


# The roots of the sigmoid's h'' (at 0) and h''' (where h' = 1/6). No relative accuracy is possible at a root.
THIRD = float(np.log(2 + np.sqrt(3)))
EXACT = {
    "sigmoid": (exact_sigmoid, 1, ((), (), (0.0,), (THIRD, -THIRD))),
    "softplus": (exact_softplus, 1, ((), (), (), (0.0,))),
    "tanh": (exact_tanh, 2, ((0.0,), (), (0.0,), (THIRD, -THIRD))),
}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(("dtype", "end", "allowed"), [(np.float32, 87, 1e-6), (np.float64, 700, 1e-15)])
def test_sigmoid_and_its_relatives_are_accurate_to_the_ends_of_the_range(name, dtype, end, allowed):
    """Errors relative to values with 50 digits must be small, without a floating-point warning.

    1e-6 is 8 units in the last place of float32, and 1e-15 is 4.5 of float64. The error is absolute near a root: within
    a distance of 1, or of 1.2 for the third derivative.
    """
    exact, stretch, roots = EXACT[name]
    dense = np.random.default_rng(0).uniform(-5, 5, 300)
    a = (np.concatenate([np.linspace(-end, end, 200), dense, [0.0, 17.0, -17.0, end, -end]]) / stretch).astype(dtype)
    with np.errstate(all="raise"):
        jet = PAPER_ACTIVATIONS[name](a)
    worst = []
    for order, (found, wanted) in enumerate(zip(jet, exact(a), strict=True)):
        errors = [
            abs(Decimal(float(here)) - there) / (1 if nears(stretch * number, roots[order], order) else abs(there))
            for number, here, there in zip(a, found, wanted, strict=True)
        ]
        worst.append(float(max(errors)))
    assert max(worst) <= allowed, worst


def nears(number, roots, order):
    return any(abs(number - root) < (1.2 if order == 3 else 1) for root in roots)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_no_floating_point_error_is_raised_far_out(name, dtype):
    a = np.array([-1e4, -800, -104, -90, 0, 90, 104, 800, 1e4], dtype)
    with np.errstate(all="raise"):
        for jet in (PAPER_ACTIVATIONS[name], PAPER_ACTIVATIONS[name].jet):
            assert all(np.isfinite(part).all() for part in jet(a))
