"""Sec. 2.1.1: without an encoder bias the mean pre-activation of centred data is 0, whatever is trained."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import ACTIVATIONS, RELU
from numpy_rae.autoencoder import forward
from numpy_rae.objectives import MODELS, Model, without_bias
from numpy_rae.training import TrainConfig, train
from strategies import whitened

pytestmark = pytest.mark.sec_2_1_1
CONFIG = TrainConfig(sigma2=1.0, hidden=5, batch_size=10, epochs=10, eta=0.01, dtype="float64")


def white(seed=0, N=40, n=4):
    return whitened(np.random.default_rng(seed).standard_normal((N, n)))


PAIRS = [(m, s) for m in MODELS for s in ACTIVATIONS.values() if s.non_negative or m != "KL"]


@pytest.mark.parametrize(("model", "activation"), PAIRS, ids=lambda value: getattr(value, "name", value))
def test_mean_preactivation_stays_zero_without_bias_and_moves_with_it(model, activation):
    x = white()
    frozen = train(x, Model("frozen", without_bias(MODELS[model])), activation, CONFIG).params
    moving = train(x, MODELS[model], activation, CONFIG).params
    np.testing.assert_allclose(forward(frozen, activation, x).a.mean(axis=0), 0, atol=1e-13)
    assert not frozen.b_e.any()
    assert np.abs(forward(moving, activation, x).a.mean(axis=0)).max() > 1e-3


@given(st.integers(0, 99))
def test_minority_above_a_threshold_must_pay_for_the_majority_below(seed):
    """Mean 0 and variance ||W_j||^2 = 1 cap the share of samples off by margin t at 1 / (1 + t^2)."""
    rng = np.random.default_rng(seed)
    x, w = white(seed), rng.standard_normal(4)
    a = x @ (w / np.linalg.norm(w))
    for t in (0.1, 0.5, 1.0, 2.0):
        assert (a <= -t).mean() <= 1 / (1 + t**2) + 1e-12


def test_sae_with_bias_reaches_a_sparsity_that_it_does_not_without():
    x = white(N=200, n=6)
    config = TrainConfig(sigma2=4.0, hidden=10, batch_size=20, epochs=60, eta=0.005, dtype="float64")
    fraction = {
        name: train(x, model, RELU, config).metrics["activation_fraction"]
        for name, model in (("with", MODELS["SAE"]), ("without", Model("frozen", without_bias(MODELS["SAE"]))))
    }
    assert fraction["with"] < 0.2 < 0.4 < fraction["without"]
