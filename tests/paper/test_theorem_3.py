"""Thm 3, Eq. (7): the denoising loss to second order, with Gauss-Hermite quadrature over the noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import SIGMOID, SOFTPLUS, TANH
from numpy_rae.autoencoder import Params, forward
from numpy_rae.objectives import ae, dae
from numpy_rae.penalties import MDAE
from numpy_rae.taylor_penalties import TAYLOR, CrossTerm, ResidualTerm
from numpy_rae.theory.theorem_3 import expected_denoising

pytestmark = pytest.mark.thm_3
SIGMA = np.array([0.01, 0.02])


def instance(seed, activation, m=3):
    rng = np.random.default_rng(seed)
    params = Params(rng.standard_normal((m, 2)), rng.standard_normal(m))
    return params, activation, rng.standard_normal((4, 2))


def remainder_slope(params, activation, x, penalties):
    """Return the slope in sigma of |J_DAE - J_AE - sigma^2 sum of R| on log-log axes."""
    J = ae(params, activation, x)[0]
    fwd = forward(params, activation, x, order=3)
    R = sum(penalty.value_and_grad(params, activation, fwd)[0] for penalty in penalties)
    remainder = [abs(expected_denoising(params, activation, x, s) - J - s**2 * R) for s in SIGMA]
    return float(np.diff(np.log(remainder)).item() / np.diff(np.log(SIGMA)).item())


def test_quadrature_is_the_mean_of_the_denoising_loss():
    """Eq. (6): the mean over 4,000 noise samples must agree with the quadrature to five standard errors."""
    params, activation, x = instance(0, SIGMOID)
    rng = np.random.default_rng(0)
    draws = np.array([dae(params, activation, x, 0.25, rng)[0] for _ in range(4000)])
    error = draws.std() / len(draws) ** 0.5
    assert abs(draws.mean() - expected_denoising(params, activation, x, 0.5, nodes=20)) < 5 * error


@pytest.mark.parametrize("activation", [SIGMOID, SOFTPLUS, TANH], ids=lambda s: s.name)
@given(seed=st.integers(0, 50))
def test_remainder_is_of_order_sigma_to_the_fourth(activation, seed):
    """Odd Gaussian moments are 0, so the paper's o(sigma^2) is O(sigma^4) for smooth activations."""
    slopes = [remainder_slope(*instance(5 * seed + k, activation), (TAYLOR,)) for k in range(5)]
    assert np.median(slopes) == pytest.approx(4, abs=0.2)


TERMS = {"diagonal": MDAE, "cross": CrossTerm(), "residual": ResidualTerm()}


@pytest.mark.parametrize("dropped", TERMS)
@pytest.mark.parametrize("activation", [SIGMOID, SOFTPLUS, TANH], ids=lambda s: s.name)
def test_without_any_one_term_the_order_is_two(dropped, activation):
    kept = [penalty for name, penalty in TERMS.items() if name != dropped]
    slopes = [remainder_slope(*instance(seed, activation), kept) for seed in range(5)]
    assert np.median(slopes) == pytest.approx(2, abs=0.1)


def test_residual_term_vanishes_with_the_reconstruction_error():
    """Thm 3's third term is linear in y - x, so it is 0 for an exact reconstruction."""
    params, activation, x = instance(0, SIGMOID)
    fwd = forward(params, activation, x, order=3)
    perfect = fwd._replace(x=fwd.y)
    assert ResidualTerm().value_and_grad(params, activation, perfect)[0] == 0
    assert ResidualTerm().value_and_grad(params, activation, fwd)[0] != 0


def test_residual_term_may_be_negative_and_the_others_may_not():
    values = {name: [] for name in TERMS}
    for seed in range(20):
        params, activation, x = instance(seed, SOFTPLUS)
        fwd = forward(params, activation, x, order=3)
        for name, penalty in TERMS.items():
            values[name].append(penalty.value_and_grad(params, activation, fwd)[0])
    assert min(values["residual"]) < 0 and min(values["diagonal"]) > 0 and min(values["cross"]) >= 0
