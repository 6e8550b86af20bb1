"""Row constraints, and the tangent projection of a factored gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import ACTIVATIONS
from numpy_rae.autoencoder import Params
from numpy_rae.constraints import CONSTRAINTS, free, max_norm_rows, tangent, unit_rows
from numpy_rae.objectives import MODELS
from strategies import problems, values

MATRICES = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(lambda shape: values(*shape, bound=100))
POSITIVE = tuple(s for s in ACTIVATIONS.values() if s.non_negative)


@given(MATRICES)
def test_unit_rows_keeps_directions_and_leaves_zero_rows(W):
    before = W.copy()
    unit_rows(W)
    length = np.linalg.norm(before, axis=1)
    tiny = length < 1e-150  # its square underflows: a zero row for floating point
    np.testing.assert_allclose(np.linalg.norm(W[~tiny], axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(W[~tiny] * length[~tiny, None], before[~tiny], rtol=1e-13)
    assert np.isfinite(W).all()


@given(MATRICES, st.floats(0.01, 50))
def test_max_norm_shortens_long_rows_only(W, radius):
    before = W.copy()
    max_norm_rows(W, radius)
    length = np.linalg.norm(before, axis=1)
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), np.minimum(length, radius), rtol=1e-13)
    np.testing.assert_array_equal(W[length < radius * (1 - 1e-12)], before[length < radius * (1 - 1e-12)])


def test_free_changes_nothing_and_every_constraint_is_listed():
    W = np.full((2, 2), 7.0)
    free(W)
    assert (W == 7).all() and set(CONSTRAINTS) == {"unit", "free", "max-norm"}


@pytest.mark.parametrize("model", MODELS)
@given(problem=problems(POSITIVE))
def test_tangent_gradient_is_the_dense_projection(model, problem):
    params, activation, x, _, seed = problem
    params = Params(params.W + 2, params.b_e)
    _, grad = MODELS[model](params, activation, x, 0.3, np.random.default_rng(seed))
    dense, projected = grad.dense(params), tangent(grad, params).dense(params)
    W = params.W
    along = (dense.W * W).sum(axis=1) / (W * W).sum(axis=1)
    scale = 1e-12 * max(1, np.abs(dense.W).max())
    np.testing.assert_allclose(projected.W, dense.W - along[:, None] * W, rtol=1e-9, atol=10 * scale)
    np.testing.assert_allclose((projected.W * W).sum(axis=1), 0, atol=100 * scale)
    np.testing.assert_array_equal(projected.b_e, dense.b_e)
