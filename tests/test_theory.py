"""theory.py beyond the statements' own files: shapes, dtype, and `bias_gradient_at` against the formulas."""

import numpy as np
import pytest

from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS
from numpy_rae.penalties import CAE, L1, MDAE, SAE
from numpy_rae.theory import (
    audit, bias_gradient_at, lemma_1_bound, lemma_1_bound_free, residual_moments, sigma_r, theorem_1_holds,
)  # fmt: skip

A = np.linspace(-5, 0.5, 23)


def test_bias_gradient_at_a_point_is_the_formula_of_the_corollaries():
    for s_e in (RELU, SIGMOID, SOFTPLUS):
        h, dh_da, d2h_da2, _ = s_e(A)
        for penalty, expected in ((CAE, 2 * dh_da * d2h_da2), (MDAE, 2 * dh_da * d2h_da2), (L1, dh_da)):
            np.testing.assert_allclose(bias_gradient_at(penalty, s_e, A), expected, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(bias_gradient_at(SAE, s_e, A), dh_da / (1 - h), rtol=1e-9)


def test_bounds_by_hand():
    """r = (3, 4), (0, 0): sigma_r^2 = 25/4; W = (1, 0): W r = 3, 0."""
    r, W = np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[1.0, 0.0]])
    assert sigma_r(r) == 2.5
    np.testing.assert_allclose(lemma_1_bound(W, r), 2 * 2.5 * np.sqrt(2))
    np.testing.assert_allclose(lemma_1_bound_free(W, r), 2 * np.sqrt(4.5))


def test_at_the_bound_the_condition_does_not_hold():
    assert theorem_1_holds(2.0, np.array([1.0, 1.0, 2.0]), np.array([2.0, 1.5, 3.0])).tolist() == [False, True, True]


@pytest.mark.parametrize("function", [audit, residual_moments])
def test_data_with_nan_are_refused(function):
    with pytest.raises(ValueError, match="contains NaN or inf"):
        function(np.full((3, 2), np.nan))
