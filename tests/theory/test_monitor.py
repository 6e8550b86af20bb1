"""The monitor: its parts add up to the change of E[a_j], its prediction is Eq. (5), and training does not change."""

import re
from dataclasses import replace

import numpy as np
import pytest
from strategies import whitened

from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.autoencoder import Params, forward, init_params
from numpy_rae.data.preprocessing import standardise
from numpy_rae.objectives import PAPER_OBJECTIVES, ae
from numpy_rae.penalties import SAE
from numpy_rae.theory.lemma_1 import lemma_1_bound, lemma_1_bound_free, lemma_1_bound_gaussian, sigma_r
from numpy_rae.theory.monitor import Before, Monitor
from numpy_rae.theory.theorem_1 import penalty_bias_gradient
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

CONFIG = TrainConfig(sigma2=0.5, hidden=6, batch_size=8, epochs=3, eta=0.01, dtype="float64", constraint="free")
X = standardise(np.random.default_rng(0).standard_normal((30, 5))) + 0.3


def watched(model="SAE", activation=SIGMOID, x=X, config=CONFIG, every=1):
    monitor = Monitor(x.mean(axis=0), activation, config.eta, config.momentum, every)
    return train(x, PAPER_OBJECTIVES[model], activation, config, monitor), monitor.observations


@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
def test_gradient_and_velocity_parts_make_up_the_realised_change(model):
    """Without a constraint, nothing else changes E[a_j].

    This includes momentum, minibatches and data with a mean that is not 0.
    """
    _, seen = watched(model)
    assert len(seen) == 12
    for one in seen:
        np.testing.assert_allclose(one.from_gradient + one.from_velocity, one.realised, rtol=1e-9, atol=1e-13)
    assert np.abs(seen[5].from_velocity).max() > 1e-4


def test_on_white_data_in_full_batches_without_momentum_the_prediction_is_exact():
    x = whitened(np.random.default_rng(1).standard_normal((30, 4)))
    _, seen = watched(x=x, config=replace(CONFIG, batch_size=30, momentum=0.0, constraint="unit"))
    for one in seen:
        np.testing.assert_allclose(one.realised, one.predicted, atol=1e-14)
        assert one.sign_right() == 1


def kept(x):
    """Train SAE, and return the result, the observations, and the parameters and batch before each update."""
    befores = []

    class Keep(Monitor):
        def on_step_start(self, step, state, x, grad):
            befores.append((Params(state.params.W.copy(), state.params.b_e.copy()), x.copy()))
            super().on_step_start(step, state, x, grad)

    monitor = Keep(x.mean(axis=0), SIGMOID, CONFIG.eta, CONFIG.momentum, 1)
    return train(x, PAPER_OBJECTIVES["SAE"], SIGMOID, CONFIG, monitor), monitor.observations, befores


def test_push_of_the_penalty_is_lambda_times_its_bias_gradient():
    """Eq. (4): lambda dR/db is the difference between the objective's bias gradient and dJ_AE/db."""
    _, seen, befores = kept(X[:8])
    for (params, batch), one in zip(befores, seen, strict=True):
        expected = 0.5 * penalty_bias_gradient(SAE, params, SIGMOID, batch)
        np.testing.assert_allclose(one.lam_dR_db, expected, rtol=1e-9, atol=1e-12)


def test_bounds_are_ordered_and_hold():
    _, seen = watched("DAE", RELU)
    for one in seen:
        assert (np.abs(one.dJ_db) <= one.bound_free * (1 + 1e-12)).all()
        assert (one.bound_free <= one.bound_paper * (1 + 1e-12)).all()
        assert set(one.holds()) == {"paper", "free", "gaussian"}


def test_share_of_units_above_a_bound():
    _, seen = watched()
    one = seen[0]._replace(lam_dR_db=np.array([1.0, 3.0]), bound_paper=np.array([2.0, 2.0]),
                           bound_free=np.zeros(2), bound_gaussian=np.array([9.0, 3.0]))  # fmt: skip
    assert one.holds() == {"paper": 0.5, "free": 1.0, "gaussian": 0.0}, "a value equal to its bound is not above it"
    signs = one._replace(predicted=np.array([-1.0, 1.0]), realised=np.array([-2.0, -1.0]))
    assert signs.sign_right() == 0.5


def test_watching_changes_no_bit_and_observes_every_kth_update():
    plain = train(X, PAPER_OBJECTIVES["DAE"], SIGMOID, CONFIG)
    trained, seen = watched("DAE", every=5)
    np.testing.assert_array_equal(trained.params.W, plain.params.W)
    assert [one.step for one in seen] == [1, 6, 11]


def test_bounds_are_those_of_lemma_1_for_the_residual_of_the_batch():
    monitor = Monitor(X.mean(axis=0), SIGMOID, 0.1, 0.9, 1)
    params = init_params(4, 5, np.random.default_rng(2), np.float64)
    _, grad = ae(params, SIGMOID, X)
    one = monitor.observe(1, Before(params, params, X, grad), params)
    r = X - forward(params, SIGMOID, X).y
    np.testing.assert_array_equal(one.bound_paper, lemma_1_bound(params.W, r))
    np.testing.assert_array_equal(one.bound_free, lemma_1_bound_free(params.W, r))
    np.testing.assert_array_equal(one.bound_gaussian, lemma_1_bound_gaussian(params.W, sigma_r(r)))


def test_realised_changes_add_up_to_the_change_of_the_mean_over_the_data():
    result, seen, befores = kept(X)
    first, last = (forward(params, SIGMOID, X).a.mean(axis=0) for params in (befores[0][0], result.params))
    np.testing.assert_allclose(sum(one.realised for one in seen), last - first, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"mean_x": np.ones((1, 5))}, "mean_x has shape (1, 5); it must be one-dimensional with at least one entry"),
        ({"momentum": 1.5}, "momentum is 1.5; it must be a number in [0, 1]"),
        ({"every": 0}, "every is 0; it must be a whole number of at least 1"),
    ],
)
def test_a_wrong_argument_is_named(wrong, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Monitor(**({"mean_x": X.mean(axis=0), "activation": SIGMOID, "eta": 0.1, "momentum": 0.9} | wrong))
