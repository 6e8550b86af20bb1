"""Lemma 1: the bound on the bias gradient of the reconstruction, as in the paper, without assumptions, and sharp."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from strategies import problems, white_problems

from numpy_rae.activations import Activation, Jet, relu
from numpy_rae.autoencoder import Params, forward
from numpy_rae.theory.lemma_1 import lemma_1_bound, lemma_1_bound_free, lemma_1_bound_gaussian, sigma_r
from numpy_rae.theory.theorem_1 import reconstruction_bias_gradient

pytestmark = pytest.mark.lemma_1
ROUNDING = 1 + 1e-12


def residual(problem):
    return problem.x - forward(problem.params, problem.activation, problem.x).y


@given(white_problems() | problems())
def test_both_bounds_hold_for_every_draw_white_or_not(problem):
    """Lemma 1 and the form without the Gaussian assumption must hold. The second form is never above the first."""
    r, W = residual(problem), problem.params.W
    gradient = np.abs(reconstruction_bias_gradient(problem.params, problem.activation, problem.x))
    free, paper = lemma_1_bound_free(W, r), lemma_1_bound(W, r)
    assert (gradient <= free * ROUNDING + 1e-13).all()
    assert (free <= paper * ROUNDING + 1e-13).all()


def test_slope_beyond_one_can_break_the_bound():
    """The condition h' in [0, 1] is needed: with s_e(a) = 3 max(a, 0) the gradient exceeds both bounds."""
    steep = Activation("steep", lambda a, order: Jet(*(3 * part for part in relu(a, 1)[:2])), 0.0)
    x, params = np.array([[1.0], [-1.0]]), Params(np.array([[1.0]]), np.array([2.0]))
    r = x - forward(params, steep, x).y
    gradient = np.abs(reconstruction_bias_gradient(params, steep, x))
    assert (gradient > lemma_1_bound(params.W, r)).all() and (gradient > lemma_1_bound_free(params.W, r)).all()


@given(sigma=st.floats(0.1, 5), w=st.lists(st.floats(-2, 2), min_size=1, max_size=4))
def test_sharp_gaussian_bound_is_attained_by_the_step_slope(sigma, w):
    """For Gaussian u = W_j r, h' = 1{u > 0} gives 2 E[max(u, 0)], by Gauss-Legendre quadrature on the half line."""
    W = np.array([w])
    length = float(np.linalg.norm(W))
    bound = lemma_1_bound_gaussian(W, sigma).item()
    t, weight = np.polynomial.legendre.leggauss(80)
    z = 6 * (t + 1)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    attained = 2 * sigma * length * float(6 * weight @ (z * density))
    assert attained == pytest.approx(bound, rel=1e-10, abs=1e-14)


@given(st.lists(st.floats(0, 1), min_size=20, max_size=20))
def test_no_slope_in_the_unit_interval_passes_the_sharp_bound(slopes):
    """h' is any step function with values in [0, 1] on twenty quantile cells of u = W_j r, with sigma_r ||W_j|| = 1."""
    edges = norm.ppf(np.linspace(0, 1, 21))
    moment = -np.diff(norm.pdf(edges))  # E[u 1{cell}]
    gradient = abs(2 * np.dot(slopes, moment))
    assert gradient <= lemma_1_bound_gaussian(np.array([[1.0]]), 1.0).item() * ROUNDING


@given(white_problems())
def test_paper_s_bound_is_looser_than_the_sharp_one_by_sqrt_2_pi_n(problem):
    r, W = residual(problem), problem.params.W
    sharp = lemma_1_bound_gaussian(W, sigma_r(r))
    np.testing.assert_allclose(lemma_1_bound(W, r), sharp * np.sqrt(2 * np.pi * r.shape[1]), rtol=1e-12)
