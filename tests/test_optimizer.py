"""SGD with momentum: steps by hand, the textbook formula on dense arrays, and the order of the operations."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae import optimizer
from numpy_rae.activations import SIGMOID
from numpy_rae.autoencoder import Gradient, Params, init_params
from numpy_rae.constraints import max_norm_scale
from numpy_rae.objectives import PAPER_OBJECTIVES
from numpy_rae.optimizer import as_fortran, flush_subnormals, row_blocks, sgd_step, sgd_step_plain, zero_velocity
from numpy_rae.row_norms import unit_scale


def test_two_steps_by_hand():
    """g = 2 then 4, eta 0.5, momentum 0.5: v = -1, then -0.5 - 2 = -2.5. W goes 10, 9, 6.5, and the bias 1, 0, -2.5."""
    params = Params(np.array([[10.0]]), np.array([1.0]))
    velocity = zero_velocity(params)
    for g, W, b in ((2.0, 9.0, 0.0), (4.0, 6.5, -2.5)):
        grad = Gradient(((np.array([[g]]), np.array([[1.0]])),), np.array([g]))
        sgd_step(params, velocity, grad, 0.5, 0.5, None)
        assert (params.W.item(), params.b_e.item()) == (W, b)
    assert (velocity.W.item(), velocity.b_e.item()) == (-2.5, -2.5)


def textbook_step(params, velocity, g_W, g_b, eta, momentum, unit):
    """Return the same step on new dense arrays, with the norm of numpy.linalg."""
    v_W, v_b = momentum * velocity.W - eta * g_W, momentum * velocity.b_e - eta * g_b
    W = params.W + v_W
    W = W / np.linalg.norm(W, axis=1, keepdims=True) if unit else W
    return Params(W, params.b_e + v_b), Params(v_W, v_b)


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("model", ["AE", "CAE", "SAE", "eDAE", "taylor_dae"])
@given(m=st.integers(1, 9), n=st.integers(1, 9), seed=st.integers(0, 2**16), block=st.integers(1, 30))
def test_factored_step_equals_the_textbook_whatever_the_block_and_order(model, order, unit, m, n, seed, block):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((6, n))
    params = init_params(m, n, rng, np.float64)
    params = params._replace(W=params.W.copy(order=order))
    expected, v_expected = Params(*(part.copy() for part in params)), zero_velocity(params)
    velocity = zero_velocity(params)
    before, optimizer.BLOCK = optimizer.BLOCK, block
    try:
        for _ in range(4):
            _, grad = PAPER_OBJECTIVES[model](params, SIGMOID, x, 0.3, np.random.default_rng(seed))
            dense = grad.dense(params)
            expected, v_expected = textbook_step(expected, v_expected, *dense, 0.1, 0.9, unit)
            sgd_step(params, velocity, grad, 0.1, 0.9, unit_scale if unit else None)
    finally:
        optimizer.BLOCK = before
    for found, wanted in zip((*params, *velocity), (*expected, *v_expected), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("constraint", [None, unit_scale, partial(max_norm_scale, radius=0.8)])
@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
def test_the_plain_step_is_the_fast_one(model, constraint):
    """The gradients together have every part of `Gradient`. In float64, the two steps may differ only by rounding."""
    rng = np.random.default_rng(0)
    x, params = rng.standard_normal((6, 4)), init_params(5, 4, rng, np.float64)
    velocity = Params(*(rng.standard_normal(part.shape) / 10 for part in params))
    plain, v_plain = (Params(*(part.copy() for part in pair)) for pair in (params, velocity))
    for step in range(5):
        grad = PAPER_OBJECTIVES[model](params, SIGMOID, x, 0.3, np.random.default_rng(step))[1]
        len2_plain = sgd_step_plain(plain, v_plain, grad, 0.1, 0.9, constraint)
        len2 = sgd_step(params, velocity, grad, 0.1, 0.9, constraint)
        for found, wanted in zip((*params, *velocity, len2), (*plain, *v_plain, len2_plain), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)


def test_rows_have_unit_length_after_the_step_and_momentum_is_left_alone():
    rng = np.random.default_rng(0)
    params = init_params(5, 4, rng, np.float64)
    velocity = zero_velocity(params)
    x = rng.standard_normal((3, 4))
    _, grad = PAPER_OBJECTIVES["AE"](params, SIGMOID, x, 0.0, rng)
    dense = grad.dense(params)
    sgd_step(params, velocity, grad, 0.1, 0.9, unit_scale)
    np.testing.assert_allclose(np.linalg.norm(params.W, axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(velocity.W, -0.1 * dense.W, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["CC", "CF", "FC", "FF"])
def test_factors_of_any_order_and_dtype_reach_the_velocity(order, dtype):
    """BLAS writes in place only if the dtype and memory order are its own.

    The numbers are small integers, so no sum rounds.
    """
    rng = np.random.default_rng(0)
    left, right = (
        np.array(rng.integers(-9, 10, (5, k)), dtype, order=one) for k, one in zip((4, 3), order, strict=True)
    )
    for memory in "CF":
        params = Params(np.zeros((4, 3), dtype, order=memory), np.zeros(4, dtype))
        velocity = zero_velocity(params)
        sgd_step(params, velocity, Gradient(((left, right),), np.zeros(4, dtype)), 0.5, 0.5, None)
        np.testing.assert_array_equal(velocity.W, -0.5 * (left.T @ right))
        assert {part.dtype for part in (*params, *velocity)} == {np.dtype(dtype)}


@pytest.mark.parametrize("order", ["C", "F"])
def test_blas_is_given_fortran_order_without_a_copy(order):
    matrix = np.ones((4, 3), order=order)
    view, transposed = as_fortran(matrix)
    assert view.flags.f_contiguous and np.shares_memory(view, matrix)
    assert (view.T if transposed else view).shape == matrix.shape


@given(m=st.integers(1, 50), n=st.integers(1, 2**19))
def test_blocks_are_as_high_as_the_cache_allows_and_one_row_at_least(m, n):
    *full, last = (len(range(m)[rows]) for rows in row_blocks((m, n)))
    assert all(height == 1 or height * n <= optimizer.BLOCK for height in (*full, last))
    assert all((height + 1) * n > optimizer.BLOCK for height in full)


@given(m=st.integers(1, 50), n=st.integers(1, 2**19))
def test_blocks_cover_every_row_once(m, n):
    covered = np.concatenate([np.arange(m)[rows] for rows in row_blocks((m, n))])
    np.testing.assert_array_equal(covered, np.arange(m))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_settle_sets_exactly_the_subnormal_to_zero(dtype):
    tiny, least = np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal
    W = np.array([[1, -tiny, tiny / 2], [-least, 0, -1e-30]], dtype)
    settled = Params(W.copy(order="F"), np.array([least, -tiny], dtype))
    flush_subnormals(settled)
    np.testing.assert_array_equal(settled.W, np.array([[1, -tiny, 0], [0, 0, -1e-30]], dtype))
    np.testing.assert_array_equal(settled.b_e, np.array([0, -tiny], dtype))


def spoil(array, how):
    """Return a copy of `array` with the same numbers and memory order, into which a step must not write."""
    if how == "big-endian":
        return array.astype(array.dtype.newbyteorder())
    if how == "unaligned":
        order = "F" if array.flags.f_contiguous else "C"
        raw = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape, order=order)
        raw[...] = array
        return raw
    copied = array.copy(order="K")
    copied.flags.writeable = False
    return copied


FAULTS = {"read-only": "read-only", "unaligned": "not aligned", "big-endian": "not in the native byte order"}


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("name", ["W", "b_e", "v_W", "v_b_e"])
@pytest.mark.parametrize("model", ["AE", "CAE"])
def test_what_a_step_cannot_write_into_is_refused_and_nothing_is_changed(model, name, how):
    x = np.random.default_rng(0).standard_normal((6, 3))
    params = init_params(4, 3, np.random.default_rng(1), np.float64)
    _, grad = PAPER_OBJECTIVES[model](params, SIGMOID, x, 0.3, None)
    arrays = dict(zip(("W", "b_e", "v_W", "v_b_e"), (*params, *zero_velocity(params)), strict=True))
    arrays[name] = spoil(arrays[name], how)
    before = {key: array.copy() for key, array in arrays.items()}
    with pytest.raises(ValueError) as error:
        sgd_step(Params(arrays["W"], arrays["b_e"]), Params(arrays["v_W"], arrays["v_b_e"]), grad, 0.1, 0.9, None)
    assert str(error.value) == f"{name} is {FAULTS[how]}; a step changes it in place, so it must be copied first"
    for key, array in arrays.items():
        np.testing.assert_array_equal(array, before[key])


def test_a_velocity_that_is_not_contiguous_is_refused():
    """BLAS would write into a copy, and the step would be lost without an error."""
    params = init_params(4, 3, np.random.default_rng(1), np.float64)
    _, grad = PAPER_OBJECTIVES["AE"](params, SIGMOID, np.ones((2, 3)), 0.0, None)
    velocity = Params(np.zeros((8, 6))[::2, ::2], np.zeros(4))
    with pytest.raises(
        ValueError, match="^v_W is not contiguous in memory; a step changes it in place, so it must be "
    ):
        sgd_step(params, velocity, grad, 0.1, 0.9, None)
