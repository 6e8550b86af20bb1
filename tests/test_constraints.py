"""Constraints on rows, and the tangent projection of a factored gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems, values

from numpy_rae.activations import PAPER_ACTIVATIONS
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.constraints import CONSTRAINTS, max_norm_scale, tangent
from numpy_rae.objectives import PAPER_OBJECTIVES
from numpy_rae.row_norms import row_len2, unit_rows, unit_scale

MATRICES = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(lambda shape: values(*shape, bound=100))
POSITIVE = tuple(s for s in PAPER_ACTIVATIONS.values() if s.non_negative)


@given(MATRICES)
def test_unit_rows_keeps_directions_and_leaves_zero_rows(W):
    before = W.copy()
    unit_rows(W)
    length = np.linalg.norm(before, axis=1)
    tiny = length < 1e-150  # The square of this row underflows, so floating point treats it as a zero row.
    np.testing.assert_allclose(np.linalg.norm(W[~tiny], axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(W[~tiny] * length[~tiny, None], before[~tiny], rtol=1e-13)
    assert np.isfinite(W).all()


def test_factor_of_a_zero_row_is_one():
    assert unit_scale(np.array([4.0, 0.0, 0.25])).tolist() == [0.5, 1, 2]


@given(MATRICES, st.floats(0.01, 50))
def test_max_norm_shortens_long_rows_only(W, radius):
    scale = max_norm_scale(row_len2(W), radius)
    length = np.linalg.norm(W, axis=1)
    np.testing.assert_allclose(scale * length, np.minimum(length, radius), rtol=1e-13)
    assert (scale[length < radius] == 1).all()


def test_every_constraint_is_listed_and_free_is_none():
    assert set(CONSTRAINTS) == {"unit", "free", "max-norm"} and CONSTRAINTS["free"] is None


@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
@given(problem=problems(POSITIVE))
def test_tangent_gradient_is_the_dense_projection(model, problem):
    params, activation, x, _, seed = problem
    params = Params(params.W + 2, params.b_e)
    _, grad = PAPER_OBJECTIVES[model](params, activation, x, 0.3, np.random.default_rng(seed))
    dense, projected = grad.dense(params), tangent(grad, params).dense(params)
    W = params.W
    along = (dense.W * W).sum(axis=1) / (W * W).sum(axis=1)
    scale = 1e-12 * max(1, np.abs(dense.W).max())
    np.testing.assert_allclose(projected.W, dense.W - along[:, None] * W, rtol=1e-9, atol=10 * scale)
    np.testing.assert_allclose((projected.W * W).sum(axis=1), 0, atol=100 * scale)
    np.testing.assert_array_equal(projected.b_e, dense.b_e)


def test_a_zero_row_has_no_radial_part():
    """W = (3, 4), (0, 0), g_W = (1, 2), (5, 6).

    The part of (1, 2) along (3, 4) is 11 / 25. (5, 6) has no radial part.
    """
    params = Params(np.array([[3.0, 4.0], [0.0, 0.0]]), np.zeros(2))
    grad = Gradient((), np.zeros(2), dense_part=np.array([[1.0, 2.0], [5.0, 6.0]]))
    np.testing.assert_allclose(tangent(grad, params).row_scale, [-11 / 25, 0], rtol=1e-15)
