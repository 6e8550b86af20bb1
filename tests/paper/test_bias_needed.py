"""Sec. 2.1.1: without an encoder bias, the mean pre-activation of centred data is 0 at every step of the training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import whitened

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU
from numpy_rae.autoencoder import forward
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective, without_bias
from numpy_rae.row_norms import row_len2
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

pytestmark = pytest.mark.sec_2_1_1
CONFIG = TrainConfig(sigma2=1.0, hidden=5, batch_size=10, epochs=10, eta=0.01, dtype="float64")


def white(seed=0, N=40, n=4):
    return whitened(np.random.default_rng(seed).standard_normal((N, n)))


PAIRS = [(m, s) for m in PAPER_OBJECTIVES for s in PAPER_ACTIVATIONS.values() if s.non_negative or m != "KL"]


@pytest.mark.parametrize(("model", "activation"), PAIRS, ids=lambda value: getattr(value, "name", value))
def test_mean_preactivation_stays_zero_without_bias_and_moves_with_it(model, activation):
    x = white()
    frozen = train(x, Objective("frozen", without_bias(PAPER_OBJECTIVES[model])), activation, CONFIG).params
    moving = train(x, PAPER_OBJECTIVES[model], activation, CONFIG).params
    np.testing.assert_allclose(forward(frozen, activation, x).a.mean(axis=0), 0, atol=1e-13)
    assert not frozen.b_e.any()
    assert np.abs(forward(moving, activation, x).a.mean(axis=0)).max() > 1e-3


@given(st.integers(0, 99))
def test_minority_above_a_threshold_must_pay_for_the_majority_below(seed):
    """With mean 0 and variance ||W_j||^2 = 1, a share of at most 1 / (1 + t^2) of the samples has a <= -t."""
    rng = np.random.default_rng(seed)
    x, w = white(seed), rng.standard_normal(4)
    a = x @ (w / np.linalg.norm(w))
    for t in (0.1, 0.5, 1.0, 2.0):
        assert (a <= -t).mean() <= 1 / (1 + t**2) + 1e-12


@given(seed=st.integers(0, 999), N=st.integers(6, 40))
def test_without_bias_no_unit_is_active_on_a_smaller_share_of_samples_than_1_over_2_x_squared(seed, N):
    """On white data with longest sample X, a unit without bias must be active on at least 1 / (2 X^2) of the samples.

    The threshold is 0. So no unit is dead. The data have long tails, and some rows of W are samples or their negatives.
    These rows bring the share close to its lower bound.
    """
    rng = np.random.default_rng(seed)
    x = whitened(np.abs(rng.standard_t(1, (N, 4))))
    W = np.vstack([x, -x, rng.standard_normal((50, 4))])
    X2, share = row_len2(x).max(), (x @ W.T > 0).mean(axis=0)
    assert X2 >= 4 - 1e-9 and (share >= 1 / (2 * X2) - 1e-12).all() and (share > 0).all()


@pytest.mark.parametrize("N", [2, 8, 50])
def test_that_share_is_attained(N):
    """The lower bound is exact for x = X on one sample, -X on another, and 0 on the others.

    Then E[x^2] = 2 X^2 / N = 1, and a > 0 on one sample in N.
    """
    x = np.zeros((N, 1))
    x[:2, 0] = np.array([1, -1]) * (N / 2) ** 0.5
    assert (x @ np.array([[0.3]]) > 0).mean() == pytest.approx(1 / (2 * row_len2(x).max()), rel=1e-12)


def test_without_bias_no_unit_falls_below_that_share_at_a_coefficient_that_kills_all_with_bias():
    """SAE with ReLU at lambda = 100: with a bias all units die, without a bias none does."""
    x = white(N=200, n=6)
    config = TrainConfig(sigma2=100.0, hidden=10, batch_size=20, epochs=20, eta=0.001, dtype="float64")
    runs = [
        train(x, m, RELU, config)
        for m in (Objective("frozen", without_bias(PAPER_OBJECTIVES["SAE"])), PAPER_OBJECTIVES["SAE"])
    ]
    frozen, moving = ((forward(run.params, RELU, x).a > 0).mean(axis=0) for run in runs)
    assert frozen.min() >= 1 / (2 * row_len2(x).max()) and moving.max() == 0
    assert [run.metrics["dead_fraction"] for run in runs] == [0, 1]


def test_sae_with_bias_reaches_a_sparsity_that_it_does_not_without():
    x = white(N=200, n=6)
    config = TrainConfig(sigma2=4.0, hidden=10, batch_size=20, epochs=60, eta=0.005, dtype="float64")
    fraction = {
        name: train(x, model, RELU, config).metrics["activation_fraction"]
        for name, model in (
            ("with", PAPER_OBJECTIVES["SAE"]),
            ("without", Objective("frozen", without_bias(PAPER_OBJECTIVES["SAE"]))),
        )
    }
    assert fraction["with"] < 0.2 < 0.4 < fraction["without"]
