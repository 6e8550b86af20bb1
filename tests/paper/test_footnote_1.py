"""Fn. 1: ReLU's second derivative is a Dirac at 0, the limit of the second derivatives of sharpened softplus."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import RELU, SOFTPLUS

pytestmark = pytest.mark.fn_1


@given(st.floats(-1e3, 1e3).filter(lambda a: a != 0))
def test_zero_wherever_it_exists(a):
    assert RELU(np.array([a])).d2h_da2.item() == 0


@given(st.floats(1e-3, 1))
def test_sharpened_softplus_carries_its_unit_mass_into_any_neighbourhood_of_zero(width):
    """s_beta(a) = softplus(beta a) / beta has h'' = beta softplus''(beta a).

    All its mass must lie within `width` of 0.
    """
    edges = np.array([-width, width, -1e4, 1e4])
    for beta in (40 / width, 400 / width):
        slope = SOFTPLUS(beta * edges, 1).dh_da
        assert slope[1] - slope[0] == pytest.approx(1, abs=1e-15) and slope[3] - slope[2] == 1
        gap = np.abs(SOFTPLUS(beta * edges, 1).h / beta - RELU(edges, 1).h)
        assert gap.max() <= np.log(2) / beta
