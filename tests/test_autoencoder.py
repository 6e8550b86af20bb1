"""Forward and backward pass, compared with loops and with an example that is worked out by hand."""

import numpy as np
import pytest
import reference
from hypothesis import given
from strategies import problems

from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.autoencoder import Gradient, Params, PenaltyGrad, backward, forward, init_params, reconstruction
from numpy_rae.row_norms import row_len2


@given(problems())
def test_forward_and_loss_agree_with_loops(problem):
    """Eq. (1) and Eq. (3), sample by sample and unit by unit."""
    params, activation, x, _, _ = problem
    fwd = forward(params, activation, x)
    for i, sample in enumerate(x):
        h = reference.encode(*params, sample, activation.name)
        np.testing.assert_allclose(fwd.jet.h[i], h, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(fwd.y[i], reference.decode(params.W, h), rtol=1e-13, atol=1e-13)
    J, _ = reconstruction(fwd.y, x)
    assert J == pytest.approx(reference.ae(*params, x, activation.name), rel=1e-13, abs=1e-13)


def test_one_sample_one_unit_by_hand():
    """x = (1, 2), W = (3, -1), b = 1: a = 2, h = 2, y = (6, -2), r = (-5, 4), J = 41."""
    x, params = np.array([[1.0, 2.0]]), Params(np.array([[3.0, -1.0]]), np.array([1.0]))
    fwd = forward(params, RELU, x)
    J, g_y = reconstruction(fwd.y, x)
    grad = backward(params, fwd, g_y, PenaltyGrad()).dense(params)
    assert (fwd.a.item(), fwd.jet.h.item(), J) == (2, 2, 41)
    np.testing.assert_array_equal(g_y, [[10, -8]])
    # g_a = g_y . W = 38; g_W = 38 x + 2 g_y
    np.testing.assert_array_equal(grad.W, [[58, 60]])
    np.testing.assert_array_equal(grad.b_e, [38])


def test_loss_and_its_gradient_are_means_over_samples():
    """r = (1, 0) and (0, -2), so J = (1 + 4) / 2 and g_y = -2 r / 2."""
    J, g_y = reconstruction(np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([[3.0, 0.0], [0.0, 1.0]]))
    assert J == 2.5
    np.testing.assert_array_equal(g_y, [[-1, 0], [0, 2]])


def test_initial_weights_are_normalized_and_biases_zero():
    params = init_params(30, 20, np.random.default_rng(0), np.float64)
    bound = np.sqrt(6 / 50)
    assert 0.95 * bound < np.abs(params.W).max() <= bound
    assert params.W.var() == pytest.approx(bound**2 / 3, rel=0.1)
    assert not params.b_e.any()


def test_initial_weights_are_in_fortran_order_as_the_step_wants_them():
    W = init_params(4, 3, np.random.default_rng(0)).W
    assert W.flags.c_contiguous and not W.flags.f_contiguous


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_follows_the_data(dtype):
    params = init_params(4, 3, np.random.default_rng(0), dtype)
    fwd = forward(params, SIGMOID, np.ones((2, 3), dtype), order=3)
    _, g_y = reconstruction(fwd.y, fwd.x)
    grad = backward(params, fwd, g_y, PenaltyGrad()).dense(params)
    assert {part.dtype for part in (*fwd.jet, fwd.a, fwd.y, *grad, row_len2(params.W))} == {np.dtype(dtype)}


@pytest.mark.parametrize("x", [np.ones((2, 4)), np.ones((2, 3), np.float32), np.ones(3), [[1.0, 2.0, 3.0]]])
def test_input_of_another_width_or_dtype_is_refused(x):
    params = init_params(4, 3, np.random.default_rng(0), np.float64)
    with pytest.raises(ValueError, match="^x is .* must be a float64 array of shape"):
        forward(params, RELU, x)


def test_a_gradient_without_parts_is_zero():
    dense = Gradient((), np.ones(2)).dense(Params(np.ones((2, 3)), np.zeros(2)))
    np.testing.assert_array_equal(dense.W, np.zeros((2, 3)), strict=True)
