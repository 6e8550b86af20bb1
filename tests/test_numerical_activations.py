"""Activations from callables: documented accuracy, the method for the derivative, kinks that are found, refusals."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import expit, ndtr

from numpy_rae.numerical_activations import from_callable
from numpy_rae.registry import ACTIVATIONS, find_activation

# Name of the package's jet, the user's function, whether complex steps are valid for it, and its kinks.
CALLABLES = {
    "sigmoid, complex": ("sigmoid", lambda a: 1 / (1 + np.exp(-a)), True, ()),
    "sigmoid, expit refuses complex": ("sigmoid", expit, False, ()),
    "sigmoid, of one number": ("sigmoid", lambda a: 1 / (1 + math.exp(-a)) if a > -700 else 0.0, False, ()),
    "softplus, overflows": ("softplus", lambda a: np.log(1 + np.exp(a)), True, ()),
    "softplus, logaddexp refuses complex": ("softplus", lambda a: np.logaddexp(a, 0), False, ()),
    "tanh": ("tanh", np.tanh, True, ()),
    "gelu": ("gelu", lambda a: a * ndtr(a), True, ()),
    "relu, complex": ("relu", lambda a: np.maximum(a, 0), True, (0.0,)),
    "relu, abs drops the imaginary part": ("relu", lambda a: (a + np.abs(a)) / 2, False, (0.0,)),
    "relu, of one number": ("relu", lambda a: max(0.0, a), False, (0.0,)),
    "hard sigmoid": ("hard_sigmoid", lambda a: np.clip(a / 6 + 0.5, 0, 1), True, (-3.0, 3.0)),
}
by_name = pytest.mark.parametrize("case", CALLABLES)


@by_name
def test_derivatives_are_as_accurate_as_documented(case):
    name, f, by_complex_step, kinks = CALLABLES[case]
    s_e = from_callable(case, f)
    assert (s_e.jet.by_complex_step, s_e.kinks) == (by_complex_step, kinks)
    a = np.linspace(-8, 8, 1601) + 0.00037
    a = a[[all(abs(one - kink) > 0.01 for kink in kinks) for one in a]]
    limits = (1e-14, 1e-14, 1e-9, 1e-6) if by_complex_step else (1e-14, 1e-9, 1e-6, 1e-4)
    for found, exact, limit in zip(s_e(a), ACTIVATIONS[name](a), limits, strict=True):
        assert np.abs(found - exact).max() <= limit


@by_name
def test_claims_left_out_are_those_of_the_shipped_activation(case):
    name, f, _, _ = CALLABLES[case]
    s_e, shipped = from_callable(case, f), ACTIVATIONS[name]
    for claim in ("non_decreasing", "slope_in_unit", "convex", "zero_on_left", "non_negative"):
        assert getattr(s_e, claim) == getattr(shipped, claim), claim


@pytest.mark.parametrize("given_up_to", [1, 2, 3])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_given_derivatives_are_used_as_they_are(given_up_to, order):
    """Given derivatives are returned bit for bit. Higher ones are differences of the last given one, not of f."""
    tanh = ACTIVATIONS["tanh"]
    parts = [lambda a, k=k: tanh(a)[k] for k in range(1, given_up_to + 1)]
    s_e, a = from_callable("own", np.tanh, parts), np.linspace(-4, 4, 81)
    jet, exact = s_e(a, order), tanh(a, order)
    for k in range(4):
        if k > order:
            assert jet[k] is None
        elif k <= given_up_to:
            np.testing.assert_array_equal(jet[k], exact[k])
        else:
            assert np.abs(jet[k] - exact[k]).max() <= (1e-9, 1e-6)[k - given_up_to - 1]


def test_dtype_and_shape_follow_a():
    a = np.linspace(-2, 2, 6, dtype=np.float32).reshape(2, 3)
    for found, exact in zip(from_callable("own", np.tanh)(a), ACTIVATIONS["tanh"](a), strict=True):
        assert found.dtype == np.float32 and found.shape == (2, 3)
        # Differences in float32 would have far larger errors, so the code computes them in float64.
        np.testing.assert_allclose(found, exact, atol=1e-6)


@example(kink=8.65265653439095, left=0, turn=-3, by_abs=True)  # at the edge of two cells of the search
@given(kink=st.floats(-20, 20), left=st.integers(-4, 12), turn=st.sampled_from([-3, -1, 1, 3]), by_abs=st.booleans())
def test_a_kink_anywhere_is_found_and_its_sides_kept_apart(kink, left, turn, by_abs):
    def f(a):
        bent = (a - kink + np.abs(a - kink)) / 2 if by_abs else np.maximum(a - kink, 0)
        return left / 8 * a + turn / 8 * bent

    s_e = from_callable("bent", f)
    (found,) = s_e.kinks
    assert abs(found - kink) <= 1e-4
    jet = s_e(np.array([kink - 2e-4, kink + 2e-4]))
    np.testing.assert_allclose(jet.dh_da, [left / 8, (left + turn) / 8], atol=1e-9)
    np.testing.assert_allclose(jet.d2h_da2, 0, atol=1e-6)


@given(at=st.floats(-40, 40))
def test_a_sharp_bend_is_no_kink(at):
    """Within one cell of the search, h' changes by more than the smallest jump.

    Within three, it changes by three times as much.
    """
    assert from_callable("bend", lambda a: np.logaddexp(0, 16 * (a - at)) / 16).kinks == ()


def test_claims_and_kinks_that_are_given_stand():
    s_e = from_callable("own", np.tanh, kinks=(1,), delta_min=0.2, non_negative=True)
    assert (s_e.kinks, s_e.delta_min, s_e.non_negative, s_e.non_decreasing) == ((1.0,), 0.2, True, True)


@pytest.mark.parametrize("f", [np.sqrt, lambda a: np.exp(a * a), lambda a: 1j * a, lambda a: 1 / a])
def test_a_function_that_is_not_finite_and_real_is_refused(f):
    with pytest.raises(ValueError, match="^activation own is not a finite real float at a = .*; it must be on"):
        from_callable("own", f)


def test_what_is_not_callable_is_refused():
    with pytest.raises(ValueError, match="^own is given a str; it must be a callable"):
        from_callable("own", "relu")


def test_a_plain_function_is_an_activation_of_its_name():
    found, a = find_activation(np.arctan), np.linspace(-4, 4, 81)
    assert found.name == "arctan"
    np.testing.assert_allclose(found(a).dh_da, 1 / (1 + a * a), rtol=1e-12)


def test_what_is_no_activation_is_refused():
    with pytest.raises(ValueError, match="^activation is 3; it must be a function$"):
        find_activation(3)
